package import Addresses
import NIOCore
import STUN
import Schema

/// Looks whether a TURN server's relayed address is the one that the world sees.
package struct ExternalAddressProbe: Sendable {
  package var server: ProbedServer
  /// A STUN server that is asked through the relay which address it sees; nil asks none.
  package var observer: ProbedServer?
  /// How many allocations are made, one after the other: a server with several addresses relays from one or another.
  package var allocations = 1

  package init(server: ProbedServer, observer: ProbedServer? = nil, allocations: Int = 1) {
    self.server = server
    self.observer = observer
    self.allocations = allocations
  }

  /// What is not as it should be.
  package enum Discrepancy: String, Sendable, Hashable, CaseIterable {
    /// A relayed address lies in a range that the world cannot reach, and that none of the server's own addresses is of.
    case relayedAddressIsSpecial
    /// A relayed address is none of the addresses of its family that the server's name has. Where the name has none, or only
    /// ones of the server's own network while the relayed address is a public one, there is nothing to compare.
    case differsFromName
    /// Packets come from another address than the relayed one.
    case differsFromObserved
  }

  package struct Report: Sendable {
    /// Of the allocation that something speaks against; else of the first.
    package let relayedAddress: IPAddress
    /// Of all allocations, each once.
    package let relayedAddresses: [IPAddress]
    /// The range that the relayed address lies in; nil for an ordinary, public address.
    package let specialRange: SpecialRange?
    /// The addresses of the URI's host; a literal address is its own.
    package let nameAddresses: [IPAddress]
    /// Where the observer saw packets come from; nil if none was asked.
    package let observedAddress: IPAddress?
    package let findings: [Discrepancy]
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
      if let observer { try await observer.preferredAddress(by: end, asking: .binding()) } else { nil }
    var looks: [AllocationView] = []
    for number in 0..<max(1, allocations) {
      do throws(ProbeFailure) {
        let (look, _) = try await Allocation.withAllocation(AllocationRequest(server: server), by: end) {
          allocation throws(ProbeFailure) in
          let observed = try await observe(allocation, from: observerAddress, by: end)
          return AllocationView(allocation.relayedAddress.ip, observed: observed, names: names)
        }
        looks.append(look)
      } catch {
        guard number > 0, [.quotaReached, .insufficientCapacity, .outOfTime].contains(error.code) else { throw error }
        break
      }
    }
    let first = looks.first { !$0.findings.isEmpty } ?? looks[0]
    return Report(
      relayedAddress: first.relayed,
      relayedAddresses: looks.map(\.relayed).reduce(into: []) {
        if !$0.contains($1) { $0.append($1) }
      }, specialRange: SpecialRange(first.relayed), nameAddresses: names, observedAddress: first.observed,
      findings: Discrepancy.allCases.filter { finding in looks.contains { $0.findings.contains(finding) } })
  }

  /// What one allocation shows.
  private struct AllocationView: Sendable {
    let relayed: IPAddress
    let observed: IPAddress?
    let findings: [Discrepancy]

    init(_ relayed: IPAddress, observed: IPAddress?, names: [IPAddress]) {
      (self.relayed, self.observed) = (relayed, observed)
      let range = SpecialRange(relayed)
      let ofFamily = names.map(\.unmapped).filter { $0.family == relayed.family }
      let comparable = range == nil ? ofFamily.filter { SpecialRange($0) == nil } : ofFamily
      var findings: [Discrepancy] = []
      if let range, !names.contains(where: { SpecialRange($0.unmapped) == range }) {
        findings.append(.relayedAddressIsSpecial)
      }
      if !comparable.isEmpty, !comparable.contains(relayed) { findings.append(.differsFromName) }
      if let observed, observed != relayed { findings.append(.differsFromObserved) }
      self.findings = findings
    }
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
    var direct = ProbedServer(uri: ServerURI(scheme: .stun, host: "\(observer.ip)", port: observer.port))
    direct.network = server.network
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
