import Probe

/// Packets echoed through two allocations, as fast as they come back; and by coturn's own client.
enum RelayBenchmark {
  static func run(_ server: BenchmarkServer) async throws {
    for path in RelayProbe.Path.allCases {
      var probe = RelayProbe(server: server.turn)
      (probe.packets, probe.size, probe.rate, probe.path) = (50_000, 160, nil, path)
      let report = try await probe.run(deadline: .seconds(60))
      let rate = Double(report.received) / (report.elapsed / .seconds(1))
      line("relay echo, \(path.rawValue)", "\(Int(rate)) packets a second, \(report.lost) of \(report.sent) lost")
    }
    line("turnutils_uclient, whole run", uclient(port: server.port) ?? "no figure")
  }

  private static func uclient(port: Int) -> String? {
    let start = ContinuousClock.now
    let options = ["-u", "u", "-w", "p", "-p", "\(port)", "-l", "160", "-n", "20000", "-m", "2", "-y", "-z", "0"]
    guard let text = Command.output(["/usr/bin/turnutils_uclient"] + options + ["127.0.0.1"]) else { return nil }
    let elapsed = ContinuousClock.now - start
    let received = text.split { $0.isWhitespace || $0 == "," }.last { $0.hasPrefix("tot_recv_msgs=") }
    guard let count = received.flatMap({ Double($0.dropFirst("tot_recv_msgs=".count)) }) else { return nil }
    return "\(Int(count / (elapsed / .seconds(1)))) packets a second"
  }
}
