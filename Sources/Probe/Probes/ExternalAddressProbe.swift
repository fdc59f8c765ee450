package import Addresses
import NIOCore
import STUN

/// Looks whether a TURN server's relayed address is the one that the world sees.
package struct ExternalAddressProbe: Sendable {
  package var server: Server
  /// A STUN server that is asked through the relay which address it sees; nil asks none.
  package var observer: Server?

  package init(server: Server, observer: Server? = nil) {
    self.server = server
    self.observer = observer
  }

  /// What is not as it should be.
  package enum Finding: String, Sendable, Hashable, CaseIterable {
    /// The relayed address lies in a range that the world cannot reach.
    case relayedAddressIsSpecial
    /// The relayed address is none of the addresses of the server's name.
    case differsFromName
    /// Packets come from another address than the relayed one.
    case differsFromObserved
  }

  package struct Report: Sendable {
    package let relayedAddress: IPAddress
    /// The range that the relayed address lies in; nil for an ordinary, public address.
    package let specialRange: SpecialRange?
    /// The addresses of the URI's host; a literal address is its own.
    package let nameAddresses: [IPAddress]
    /// Where the observer saw packets come from; nil where none was asked.
    package let observedAddress: IPAddress?
    package let findings: [Finding]
  }

  /// Runs the probe.
  ///
  /// - Throws: `ProbeFailure`: as `AllocateProbe`; where an observer is given and does not say what it sees:
  ///   `turn.forbidden` where the server does not relay to it, `turn.observerSilent` where it does not answer us either,
  ///   `turn.nothingRelayed` where it answers us, and not through the relay.
  package func run(deadline: Duration) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    let names = try await server.addresses(by: end).map(\.ip)
    let observerAddress: TransportAddress? =
      if let observer { try await observer.preferredAddress(by: end) } else { nil }
    let ((relayed, observed), _) = try await Allocation.withAllocation(AllocationRequest(server: server), by: end) {
      allocation throws(ProbeFailure) in
      let observed = try await observe(allocation, from: observerAddress, by: end)
      return (allocation.relayedAddress.ip, observed)
    }
    let special = SpecialRange(relayed)
    var findings: [Finding] = []
    if special != nil { findings.append(.relayedAddressIsSpecial) }
    if !names.contains(where: { $0.family == relayed.family && $0 == relayed }) { findings.append(.differsFromName) }
    if let observed, observed != relayed { findings.append(.differsFromObserved) }
    return Report(
      relayedAddress: relayed, specialRange: special, nameAddresses: names, observedAddress: observed,
      findings: findings)
  }

  /// How long an answer is waited for each time; as much must be left to ask the observer ourselves.
  private static let patience: Duration = .milliseconds(500)

  /// Sends a Binding request through the relay and reads which address the observer saw.
  private func observe(
    _ allocation: Allocation, from observer: TransportAddress?, by end: Instant
  ) async throws(ProbeFailure) -> IPAddress? {
    guard let observer else { return nil }
    do throws(ProbeFailure) { try await allocation.permit([observer.ip], by: end) } catch {
      throw error.naming(.observer)
    }
    let id = TransactionID.random()
    let request = MessageWriter(MessageType(.binding, .request), transactionID: id).finish()
    @Sendable func answer(_ data: RelayedData) -> Message? {
      data.payload.flatMap { try? Message(decoding: $0) }.flatMap { $0.transactionID == id ? $0 : nil }
    }
    for _ in 0..<4 {
      guard end - .now > Self.patience * 2 else {
        throw ProbeFailure(
          .outOfTime, "There was no time left to wait for the observer \(observer).",
          advice: ProbeFailure.adviceToGiveTime)
      }
      let arrived = await allocation.collect(for: Self.patience, upTo: 1) {
        answer($0) != nil
      } afterStarting: {
        allocation.send(request, to: observer)
      }
      try allocation.checkCancellation()
      for response in arrived.compactMap(answer) {
        guard let seen = try? BindingProbe.reflexiveAddress(in: response) else { continue }
        if let failure = ProbeFailure(unusableReflexive: seen, in: .binding, server: observer, transport: .udp) {
          throw failure
        }
        return seen.ip
      }
    }
    throw try await silence(of: observer, through: allocation, by: end)
  }

  /// What it means that nothing comes back through the relay: does the observer answer us?
  private func silence(
    of observer: TransportAddress, through allocation: Allocation, by end: Instant
  ) async throws(ProbeFailure) -> ProbeFailure {
    let direct = Server(uri: ServerURI(scheme: .stun, host: "\(observer.ip)", port: observer.port))
    let limit = min(.seconds(2), max(.milliseconds(1), end - .now))
    let refusal: ProbeFailure?
    do throws(ProbeFailure) {
      _ = try await BindingProbe(server: direct, requests: 1).run(deadline: limit)
      refusal = nil
    } catch {
      refusal = error
    }
    try allocation.checkCancellation()
    // Who was not waited for was not silent.
    if let refusal, refusal.code == .outOfTime { return refusal }
    let evidence = [
      ProbeFailure.Evidence("server", "\(allocation.connection.server)"),
      ProbeFailure.Evidence("relayedAddress", "\(allocation.relayedAddress)"),
      ProbeFailure.Evidence("observer", "\(observer)"),
      ProbeFailure.Evidence("observerAnswersUs", refusal?.code.rawValue ?? "yes"),
    ]
    guard let refusal else {
      return ProbeFailure(
        .nothingRelayed,
        "The observer \(observer) answers us, and not through the relay: where packets leave the server is unknown.",
        advice: "Look at firewalls that keep the server's relay ports from sending or receiving (turn.ports tries "
          + "them), and at those in front of the observer.", evidence: evidence)
    }
    return ProbeFailure(
      .observerSilent,
      "The observer \(observer) does not answer, neither through the relay nor to us (\(refusal.code)): where "
        + "packets leave the server is unknown.",
      advice:
        "Give the address of a STUN server that answers over UDP (stun.binding tells), and that both this host and "
        + "the server reach.", evidence: evidence)
  }
}
