import Addresses
import NIOCore
import STUN

/// Finds out whether a TURN server forgets a permission that nobody renews, whatever is sent meanwhile (RFC 8656,
/// section 9: after 300 seconds).
package struct ExpiryProbe: Sendable {
  package var server: Server
  /// When the permission must be forgotten, from its being granted.
  package var after: Duration

  package init(server: Server, after: Duration = .seconds(310)) {
    self.server = server
    self.after = after
  }

  /// What became of datagrams that were sent to the relayed address from a socket of our own.
  package struct Report: Sendable {
    /// Whether none passed any more after the time was over.
    package let isExpired: Bool
    /// The age of the permission when the last one passed.
    package let lastPassage: Duration
    /// How many passed before the time was over.
    package let passages: Int
  }

  /// Runs the probe.
  ///
  /// The permission is asked for again in the end: only where datagrams pass then was it the permission that was
  /// missing.
  ///
  /// - Throws: `ProbeFailure`: as `AllocateProbe`; `turn.forbidden` where our own address is no permitted peer;
  ///   `turn.nothingRelayed` where datagrams do not pass with a fresh permission, in the beginning or in the end;
  ///   `probe.deadlineTooShort` before anything is sent.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    let needed = after + Path.patience * 10
    guard needed <= deadline else {
      throw ProbeFailure(
        .deadlineTooShort, "Waiting for \(after), and looking before and after, takes longer than \(deadline).",
        advice: "Give the probe \(needed) or more.")
    }
    let end = Instant.now + deadline
    var request = AllocationRequest(server: server)
    request.options.family = try await server.familyForOwnPeers(by: end)
    let (report, _) = try await Allocation.withAllocation(request, by: end) { allocation throws(ProbeFailure) in
      try await DatagramListener.withListener(allocation.relayedAddress.ip.family) { peer throws(ProbeFailure) in
        try await observe(try Path(from: peer, to: allocation, end: end), progress)
      }
    }
    return report
  }

  private func observe(_ path: Path, _ progress: ProbeProgress) async throws(ProbeFailure) -> Report {
    let granted = try await path.permit()
    guard await path.isOpen(tries: 3) else { throw path.nothingRelayed("although the permission was just granted") }
    var lastPassage = Instant.now - granted
    var passages = 1
    progress("a datagram passed \(lastPassage.components.seconds) s after the permission")
    let due = granted + after
    // Traffic both ways, which must not extend the permission. It also keeps a NAT open on the way to the server.
    while .now + Path.patience < due, !Task.isCancelled {
      let next = min(.now + interval, due)
      path.sendToPeer()
      if await path.isOpen(tries: 1) {
        lastPassage = .now - granted
        passages += 1
        progress("a datagram passed \(lastPassage.components.seconds) s after the permission")
      }
      try? await Task.sleep(until: next, clock: .continuous)
    }
    try? await Task.sleep(until: due, clock: .continuous)
    if await path.isOpen(tries: 3) {
      return Report(isExpired: false, lastPassage: .now - granted, passages: passages)
    }
    _ = try await path.permit()
    guard await path.isOpen(tries: 3) else { throw path.nothingRelayed("although the permission was granted anew") }
    return Report(isExpired: true, lastPassage: lastPassage, passages: passages)
  }

  /// From one datagram to the next while waiting.
  private var interval: Duration { min(.seconds(10), max(Path.patience, after / 10)) }
}

/// The way from a socket of our own through a relayed address to its client.
private struct Path {
  /// How long one datagram is waited for.
  static let patience: Duration = .seconds(1)

  private let peer: DatagramListener
  private let allocation: Allocation
  /// The peer as the server sees it; the port is right where no NAT is in between.
  private let peerAddress: TransportAddress
  private let end: Instant

  init(from peer: DatagramListener, to allocation: Allocation, end: Instant) throws(ProbeFailure) {
    guard let reflexive = allocation.reflexiveAddress else {
      throw ProbeFailure(
        .malformedResponse(.malformedAttribute(.xorMappedAddress)), of: .allocate, server: allocation.connection.server,
        transport: allocation.connection.transport)
    }
    self.peer = peer
    self.allocation = allocation
    self.end = end
    peerAddress = TransportAddress(ip: reflexive.ip, port: peer.port)
  }

  /// Permits the peer, and says when that was done. The allocation is not told, so that it does not renew it.
  func permit() async throws(ProbeFailure) -> Instant {
    _ = try await allocation.perform(.createPermission([peerAddress.ip]), by: end)
    return .now
  }

  /// Whether one of so many datagrams from the peer comes out at the client.
  func isOpen(tries: Int) async -> Bool {
    let text = "runbook-\(UInt64.random(in: 0 ... .max))"
    for _ in 0..<tries {
      let wait = min(Self.patience, end - .now)
      guard wait > .zero else { return false }
      let arrived = await allocation.collect(for: wait, upTo: 1) {
        peer.send(text, to: allocation.relayedAddress)
      }
      if arrived.contains(where: { data in
        if case .indication(_, let bytes) = data { String(buffer: bytes) == text } else { false }
      }) {
        return true
      }
    }
    return false
  }

  func sendToPeer() { allocation.send(ByteBuffer(string: "runbook"), to: peerAddress) }

  func nothingRelayed(_ circumstance: String) -> ProbeFailure {
    ProbeFailure(
      .nothingRelayed,
      "Datagrams from here to \(allocation.relayedAddress) do not come through, \(circumstance).",
      advice: "Look at the firewall in front of the server's relay ports; turn.ports tries several.",
      evidence: [
        ProbeFailure.Evidence("server", "\(allocation.connection.server)"),
        ProbeFailure.Evidence("relayedAddress", "\(allocation.relayedAddress)"),
        ProbeFailure.Evidence("peer", "\(peerAddress.ip)"),
      ])
  }
}
