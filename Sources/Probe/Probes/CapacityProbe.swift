package import Addresses
import STUN
import Schema

/// Holds several allocations at once, up to the first refusal, and deletes them all.
package struct CapacityProbe: Sendable {
  package var server: ProbedServer
  /// How many are asked for.
  package var allocations = 10

  package init(server: ProbedServer, allocations: Int = 10) {
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
  /// - Throws: `ProbeFailure` if even the first allocation is not granted for another reason than capacity, or a later
  ///   one fails otherwise than by 486 and 508; `turn.relayedAddressShared` where two have the same relayed address.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    guard (1...10_000).contains(allocations) else {
      throw ProbeFailure(.invalidInput, "The number of allocations is not 1 to 10000.", advice: "Change it.")
    }
    let tally = try await hold(by: .now + deadline, progress)
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

  private struct Grant: Sendable {
    let relayedAddress: TransportAddress
    let elapsed: Duration
  }

  /// Makes one allocation after the other, holds them all, and deletes them at the same time, so that a server which
  /// stops answering costs the time of one deletion.
  private func hold(
    by end: Instant, _ progress: @escaping ProbeProgress
  ) async throws(ProbeFailure) -> Tally {
    let (answers, reports) = AsyncStream.makeStream(of: Result<Grant, ProbeFailure>.self)
    let result = await withTaskGroup(of: Bool.self) { group -> Result<Tally, ProbeFailure> in
      var tally = Tally()
      var failure: ProbeFailure?
      var answers = answers.makeAsyncIterator()
      while failure == nil, tally.relayed.count < allocations {
        group.addTask { await holdOne(by: end) { reports.yield($0) } }
        switch await answers.next() ?? .failure(Self.stopped) {
        case .success(let grant) where tally.relayed.contains(grant.relayedAddress):
          failure = ProbeFailure(sharedBy: server, grant.relayedAddress)
        case .success(let grant):
          tally.relayed.append(grant.relayedAddress)
          tally.elapsed.append(grant.elapsed)
          progress("\(tally.relayed.count) of \(allocations) allocations held")
        case .failure(let refusal): failure = refusal
        }
      }
      progress("deleting \(tally.relayed.count) allocations")
      group.cancelAll()
      for await isDeleted in group where isDeleted { tally.deleted += 1 }
      guard let failure else { return .success(tally) }
      guard [.quotaReached, .insufficientCapacity].contains(failure.code) else { return .failure(failure) }
      tally.stoppedBy = failure.code
      return .success(tally)
    }
    return try result.get()
  }

  private static var stopped: ProbeFailure {
    ProbeFailure(.cancelled, "The probe was stopped before it was done.")
  }

  /// Makes one allocation, reports it, and holds it until the task is cancelled.
  ///
  /// - Returns: whether there was one and the server confirmed that it is gone.
  private func holdOne(by end: Instant, report: (Result<Grant, ProbeFailure>) -> Void) async -> Bool {
    do throws(ProbeFailure) {
      let (_, deletion) = try await Allocation.withAllocation(AllocationRequest(server: server), by: end) {
        allocation throws(ProbeFailure) in
        report(.success(Grant(relayedAddress: allocation.relayedAddress, elapsed: allocation.response.elapsed)))
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
      }
      return deletion.isConfirmed
    } catch {
      report(.failure(error))
      return false
    }
  }
}
