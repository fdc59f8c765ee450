package import Addresses
package import STUN
package import Schema

/// Sends packets through a TURN server and back: from one allocation to another, which echoes them.
package struct RelayProbe: Sendable {
  /// How packets go between client and server.
  package enum Path: String, Sendable, Hashable, CaseIterable {
    /// ChannelData messages, four bytes of header.
    case channel
    /// Send and Data indications.
    case send
  }

  package var server: ProbedServer
  package var packets = 50
  /// The payload of each packet in bytes, at least 24.
  package var size = 160
  /// Packets a second; nil sends as fast as they come back, 32 under way.
  package var rate: Int? = 50
  package var path = Path.channel
  /// The family of the relayed addresses; nil leaves it to the server, which gives IPv4.
  package var family: AddressFamily?

  /// What each of the two clients sends as ORIGIN, so that the server's records of them can be told from all others; nil sends none.
  package var origins: (sender: Origin, echo: Origin)?

  package init(server: ProbedServer) { self.server = server }

  /// What became of the packets.
  package struct Report: Sendable {
    package let server: TransportAddress
    package let transport: Transport
    package let path: Path
    /// The relayed addresses of sender and echo.
    package let relayedAddresses: [TransportAddress]
    /// The realm of the server's challenge; nil if it asked for no credentials.
    package let realm: String?
    package let sent: Int
    /// Packets that came back, each counted once.
    package let received: Int
    /// Packets that did not come back.
    package let lost: Int
    /// Packets that reached the echo, each counted once: the way there alone.
    package let reached: Int
    /// Packets that came back more than once.
    package let duplicates: Int
    /// Packets that came back after one that was sent later (RFC 4737).
    package let reordered: Int
    /// Datagrams that arrived at sender or echo from the other, and not as any was sent. They count as lost.
    package let corrupted: Int
    /// Why the network dropped some of what we sent, where it said so: `icmp.packetTooBig`, `icmp.reassemblyTimeExceeded`.
    package let obstacle: ProbeFailure?
    /// There and back; nil if nothing came back.
    package let rtt: LatencySummary?
    /// Interarrival jitter of the way there (RFC 3550, section 6.4.1); nil below two packets.
    package let jitter: Duration?
    /// Payload that came back, in bits a second, from the first send to the last arrival.
    package let throughput: Double
    /// How long it took from the first send to the last arrival.
    package let elapsed: Duration
    /// How long both allocations and the permissions took.
    package let setUp: Duration
    /// Whether the server confirmed that both allocations are gone.
    package let allocationsDeleted: Bool

    /// The share of packets that did not come back, 0 to 1.
    package var lossRatio: Double { Double(lost) / Double(sent) }
  }

  /// Runs the probe.
  ///
  /// - Parameter deadline: for everything but the deletion of the allocations.
  /// - Throws: `ProbeFailure`: as `AllocateProbe`; `turn.forbidden` where the server does not relay to its own relayed
  ///   address; where no packet came back, `turn.relayCorrupts` if some arrived changed, else `turn.nothingRelayed`;
  ///   `probe.deadlineTooShort` before anything is sent.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    try checkInput(deadline: deadline)
    let start = Instant.now
    let end = start + deadline
    var request = AllocationRequest(server: server)
    request.options.family = family
    request.expectsTraffic = true
    // Both on one; without any, the first connection says so.
    request.eventLoop = try? ServerConnection.nextEventLoop(for: server.transport)
    progress("making two allocations")
    let echoRequest = request.withOrigin(origins?.echo)
    request = request.withOrigin(origins?.sender)
    let (inner, outerDeletion) = try await Allocation.withAllocation(request, by: end) {
      sender throws(ProbeFailure) in
      try await Allocation.withAllocation(echoRequest, alongside: sender, by: end) { echo throws(ProbeFailure) in
        try await exchange(from: sender, to: echo, since: start, by: end, progress)
      }
    }
    return try report(inner.value, deleted: inner.deletion.isConfirmed && outerDeletion.isConfirmed)
  }

  /// Throws `probe.invalidInput`, and `probe.deadlineTooShort` where the rate takes longer than the deadline.
  package func checkInput(deadline: Duration) throws(ProbeFailure) {
    guard packets > 0, (RelayPackets.minimumSize...65_000).contains(size), rate.map({ $0 > 0 }) ?? true else {
      throw ProbeFailure(
        .invalidInput, "Packets and rate must be positive, the size 24 to 65000 bytes.",
        advice: "Change the probe's input.")
    }
    if let rate, .seconds(Double(packets) / Double(rate)) >= deadline {
      let sending: Duration = .seconds(Double(packets) / Double(rate))
      let needed = (sending + .seconds(5) + Allocation.deletionLimit).roundedUpToSeconds
      throw ProbeFailure(
        .deadlineTooShort,
        "Sending \(packets) packets at \(rate) a second takes \(sending.inSeconds), and there are \(deadline.inSeconds).",
        advice:
          "Send fewer packets, raise the rate, or give it \(needed.inSeconds) or more: "
          + "\(ProbeFailure.settingsOfTime).")
    }
  }

  private struct Outcome: Sendable {
    let sender: Allocation
    let echo: Allocation
    let realm: String?
    let tally: RelayTally
    let setUp: Duration
  }

  private func exchange(
    from sender: Allocation, to echo: Allocation, since start: Instant, by end: Instant,
    _ progress: @escaping ProbeProgress
  ) async throws(ProbeFailure) -> Outcome {
    guard sender.relayedAddress != echo.relayedAddress else {
      throw ProbeFailure(sharedBy: server, sender.relayedAddress)
    }
    progress("letting each permit the other")
    let there = try await route(from: sender, to: echo.relayedAddress, by: end)
    let back = try await route(from: echo, to: sender.relayedAddress, by: end)
    let setUp = Instant.now - start
    // Six round trips to the server or more, three times as many as a packet takes.
    let answered = setUp - server.passedOver.elapsed
    let plan = RelayPlan(
      packets: packets, size: size, rate: rate, patience: max(answered, .seconds(1)), end: end, progress: progress)
    let tally = try await RelayDriver.run(
      plan, sender: RelayEnd(sender.connection, there), echo: RelayEnd(echo.connection, back))
    progress("deleting the allocations")
    return Outcome(
      sender: sender, echo: echo, realm: await sender.connection.realm(), tally: tally, setUp: setUp)
  }

  private func route(
    from allocation: Allocation, to peer: TransportAddress, by end: Instant
  ) async throws(ProbeFailure) -> RelayRoute {
    do throws(ProbeFailure) {
      switch path {
      case .channel:
        let channel = try await allocation.bindChannel(to: peer, by: end)
        return .channel(channel)
      case .send:
        try await allocation.permit([peer.ip], by: end)
        return .indications(peer)
      }
    } catch {
      throw error.namingRelayedAddress(peer.ip, of: allocation)
    }
  }

  private func report(_ outcome: Outcome, deleted: Bool) throws(ProbeFailure) -> Report {
    let (there, back) = (outcome.tally.there, outcome.tally.back)
    let connection = outcome.sender.connection
    guard back.received > 0 else {
      let waited = (outcome.tally.endedAt - outcome.tally.lastSentAt).inSeconds
      let corrupted = outcome.tally.corrupted
      if let obstacle = outcome.tally.obstacle {
        var failure = ProbeFailure(obstacle, server: connection.server, transport: connection.transport)
        failure.evidence.append(ProbeFailure.Evidence("size", "\(size) bytes"))
        throw failure
      }
      throw ProbeFailure(
        corrupted > 0 ? .relayCorrupts : .nothingRelayed,
        "\(connection.server) gave two allocations, but of \(outcome.tally.sent) packets between them none came back "
          + (corrupted > 0 ? "whole " : "") + "within \(waited) after the last"
          + (corrupted > 0 ? ", and \(corrupted) arrived changed." : "."),
        advice: corrupted > 0 ? Self.corruptionAdvice : advice(reached: there.received),
        evidence: [
          ProbeFailure.Evidence("server", "\(connection.server)"),
          ProbeFailure.Evidence("relayedAddress", "\(outcome.sender.relayedAddress)"),
          ProbeFailure.Evidence("echoRelayedAddress", "\(outcome.echo.relayedAddress)"),
          ProbeFailure.Evidence("size", "\(size) bytes"), ProbeFailure.Evidence("sent", "\(outcome.tally.sent)"),
          ProbeFailure.Evidence("waited", waited),
          ProbeFailure.Evidence("reached", "\(there.received)"),
          ProbeFailure.Evidence("corrupted", "\(corrupted)"),
          ProbeFailure.Evidence("allocationDeleted", deleted ? "yes" : "no"),
        ]
          + (outcome.tally.icmp.map { [ProbeFailure.Evidence("icmp", "type \($0.messageType), code \($0.code)")] } ?? [])
      )
    }
    let elapsed = max((back.lastArrival ?? .now) - outcome.tally.startedAt, .nanoseconds(1))
    return Report(
      server: connection.server, transport: connection.transport, path: path,
      relayedAddresses: [outcome.sender.relayedAddress, outcome.echo.relayedAddress], realm: outcome.realm,
      sent: outcome.tally.sent, received: back.received, lost: outcome.tally.sent - back.received,
      reached: there.received, duplicates: back.duplicates, reordered: back.reordered,
      corrupted: outcome.tally.corrupted,
      obstacle: outcome.tally.obstacle.map {
        ProbeFailure($0, server: connection.server, transport: connection.transport)
      }, rtt: LatencySummary(back.transits), jitter: there.jitter,
      throughput: Double(back.received * size * 8) / (elapsed / .seconds(1)), elapsed: elapsed,
      setUp: outcome.setUp, allocationsDeleted: deleted)
  }

  /// What to look at where packets arrive changed.
  package static let corruptionAdvice: Sentence =
    "A relay passes on every byte as it is: look which software answers there, and for a gateway between that rewrites "
    + "what is inside of packets (an ALG)."

  /// What to look at if nothing came back.
  private func advice(reached: Int) -> Sentence {
    let smaller: Sentence =
      size > Self.harmlessSize
      ? "Try a smaller size than \(size) bytes first: servers and paths drop large datagrams. " : ""
    return smaller
      + (reached > 0
        ? "Packets reach the echo: either the way back takes longer than was waited for (give it more time), or it is "
          + "lossy, or a firewall in front of the server's relay ports lets one direction through only."
        : "Look at firewalls in front of the server's relay ports, and whether its external address is set right: "
          + "the server must reach its own relayed address.")
  }

  /// The payload that every path takes in one piece, headers added: IPv6 guarantees 1280 bytes (RFC 8200, section 5).
  private static let harmlessSize = 1200
}

extension AllocationRequest {
  fileprivate func withOrigin(_ origin: Origin?) -> Self {
    var request = self
    request.options.origin = origin
    return request
  }
}
