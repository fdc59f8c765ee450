import Probe

/// Allocate and delete: the time of each, and how many a second.
enum AllocateBenchmark {
  static func run(_ server: BenchmarkServer) async throws {
    let binding = try await BindingProbe(server: server.stun, requests: 500).run(deadline: .seconds(20))
    let bare = binding.roundTrip?.p50 ?? .zero
    line("one Binding round trip, p50", milliseconds(bare))
    let sequential = try await measure(server, count: 500, inFlight: 1)
    line("allocate, p50 (goal: at most 1.5 × two round trips)", milliseconds(sequential.allocate))
    line("  ratio to two bare round trips", "\(((sequential.allocate / (bare * 2)) * 100).rounded() / 100)")
    line("allocate and delete, sequential, p50", milliseconds(sequential.whole))
    line("allocate and delete, sequential", "\(Int(sequential.rate)) a second")
    let parallel = try await measure(server, count: 3200, inFlight: 32)
    line("allocate and delete, 32 in flight", "\(Int(parallel.rate)) a second")
  }

  private static func measure(
    _ server: BenchmarkServer, count: Int, inFlight: Int
  ) async throws -> (allocate: Duration, whole: Duration, rate: Double) {
    let probe = AllocateProbe(server: server.turn)
    let start = ContinuousClock.now
    let samples = try await withThrowingTaskGroup(of: [(Duration, Duration)].self) { group in
      for _ in 0..<inFlight {
        group.addTask {
          var samples: [(Duration, Duration)] = []
          for _ in 0..<(count / inFlight) {
            let begun = ContinuousClock.now
            let report = try await probe.run(deadline: .seconds(20))
            samples.append((report.elapsed, ContinuousClock.now - begun))
          }
          return samples
        }
      }
      var all: [(Duration, Duration)] = []
      for try await part in group { all += part }
      return all
    }
    let elapsed = ContinuousClock.now - start
    return (
      LatencySummary(samples.map(\.0))?.p50 ?? .zero, LatencySummary(samples.map(\.1))?.p50 ?? .zero,
      Double(samples.count) / (elapsed / .seconds(1))
    )
  }
}
