package import Addresses
import STUN

/// Holds several allocations at once, up to the first refusal, and deletes them all.
package struct CapacityProbe: Sendable {
  package var server: Server
  /// How many are asked for.
  package var allocations = 10

  package init(server: Server, allocations: Int = 10) {
    self.server = server
    self.allocations = allocations
  }

  package struct Report: Sendable {
    package let requested: Int
    /// How many were held at the same time.
    package let granted: Int
    /// `turn.quotaReached` or `turn.insufficientCapacity`, where one of them ended it.
    package let stoppedBy: ProbeFailure.Code?
    /// The addresses that were relayed from, each once.
    package let relayAddresses: [IPAddress]
    /// The lowest and the highest relayed port.
    package let ports: ClosedRange<UInt16>?
    /// How long each grant took, challenge included.
    package let elapsed: LatencySummary?
    /// Whether the server confirmed that all of them are gone.
    package let allocationsDeleted: Bool
  }

  /// Runs the probe.
  ///
  /// - Throws: `ProbeFailure` where even the first allocation is not granted for another reason than capacity, or a later
  ///   one fails otherwise than by 486 and 508.
  package func run(deadline: Duration) async throws(ProbeFailure) -> Report {
    guard (1...10_000).contains(allocations) else {
      throw ProbeFailure(.invalidInput, "The number of allocations is not 1 to 10000.", advice: "Change it.")
    }
    var tally = Tally()
    try await hold(&tally, by: .now + deadline)
    let ports = tally.relayed.map(\.port)
    return Report(
      requested: allocations, granted: tally.relayed.count, stoppedBy: tally.stoppedBy,
      relayAddresses: Set(tally.relayed.map(\.ip)).sorted { $0.description < $1.description },
      ports: ports.min().flatMap { low in ports.max().map { low...$0 } }, elapsed: LatencySummary(tally.elapsed),
      allocationsDeleted: tally.deleted == tally.relayed.count)
  }

  private struct Tally: Sendable {
    var relayed: [TransportAddress] = []
    var elapsed: [Duration] = []
    var stoppedBy: ProbeFailure.Code?
    var deleted = 0
  }

  /// Holds one allocation while the others are made within it.
  private func hold(_ tally: inout Tally, by end: Instant) async throws(ProbeFailure) {
    guard tally.relayed.count < allocations else { return }
    let before = tally
    do throws(ProbeFailure) {
      let (inner, deletion) = try await Allocation.withAllocation(AllocationRequest(server: server), by: end) {
        allocation throws(ProbeFailure) in
        var tally = before
        tally.relayed += allocation.relayedAddresses
        tally.elapsed.append(allocation.response.elapsed)
        try await hold(&tally, by: end)
        return tally
      }
      tally = inner
      tally.deleted += deletion.isConfirmed ? 1 : 0
    } catch {
      guard [.quotaReached, .insufficientCapacity].contains(error.code) else { throw error }
      tally.stoppedBy = error.code
    }
  }
}
