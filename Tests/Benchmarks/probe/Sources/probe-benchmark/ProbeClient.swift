import Probe

/// The allocate probe.
struct ProbeClient: AllocationClient {
  let name = "runbook"
  let canOverlap = true

  func run(_ server: BenchmarkServer, count: Int, inFlight: Int) async throws -> AllocationSamples {
    let probe = AllocateProbe(server: server.turn)
    let start = ContinuousClock.now
    return try await withThrowingTaskGroup(of: AllocationSamples.self) { group in
      for _ in 0..<inFlight {
        group.addTask {
          var samples = AllocationSamples()
          while samples.all.count < count / inFlight {
            let begun = ContinuousClock.now
            do throws(ProbeFailure) {
              let report = try await probe.run(deadline: .seconds(20))
              let whole = ContinuousClock.now - begun
              // Closing the socket counts for the allocation here, where for the others it does not.
              samples.all.append(
                AllocationSample(
                  allocate: whole - report.deletion.elapsed, whole: whole, exchange: report.elapsed,
                  deletion: report.deletion.elapsed))
              samples.refused += report.newSourcePorts
            } catch {
              guard error.code == .allocationMismatch else { throw error }
              samples.refused += 1
            }
          }
          return samples
        }
      }
      var samples = AllocationSamples()
      for try await part in group { samples += part }
      samples.elapsed = .now - start
      return samples
    }
  }
}
