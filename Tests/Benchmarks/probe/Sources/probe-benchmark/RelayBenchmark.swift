import Probe

/// Packets echoed through two allocations, as fast as they come back.
enum RelayBenchmark {
  static func run(_ server: BenchmarkServer) async throws {
    for path in RelayProbe.Path.allCases {
      var probe = RelayProbe(server: server.turn)
      (probe.packets, probe.size, probe.rate, probe.path) = (50_000, 160, nil, path)
      let report = try await probe.run(deadline: .seconds(60))
      let rate = Double(report.received) / (report.elapsed / .seconds(1))
      line("relay echo, \(path.rawValue)", "\(Int(rate)) packets a second, \(report.lost) of \(report.sent) lost")
    }
  }
}
