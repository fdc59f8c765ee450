import Foundation
import Probe

/// 500 servers probed by one process at once: time, memory, descriptors. All of them are one coturn.
enum FleetBenchmark {
  static func run(_ server: BenchmarkServer) async throws {
    let servers = Array(repeating: server.turn, count: 500)
    let watch = Task {
      var most = 0
      while !Task.isCancelled {
        let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        most = max(most, open ?? 0)
        try? await Task.sleep(for: .milliseconds(2))
      }
      return most
    }
    let start = ContinuousClock.now
    let report = try await PoolProbe(servers: servers).run(deadline: .seconds(30))
    let elapsed = ContinuousClock.now - start
    watch.cancel()
    let descriptors = await watch.value
    line("500 servers at once: working", "\(report.ranking.count)")
    line("500 servers at once: time", milliseconds(elapsed))
    line("500 servers at once: descriptors", "\(descriptors)")
    line("500 servers at once: peak memory of the process", peakMemory())
  }

  private static func peakMemory() -> String {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    return status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }.map {
      $0.dropFirst(6).drop { $0.isWhitespace }.description
    } ?? "unknown"
  }
}
