import Addresses
import Foundation
import Probe
import STUN

/// A coturn of the benchmark's own on loopback.
final class BenchmarkServer {
  private let process = Process()
  /// Ends with this process, however that ends, and the server with it.
  private let lifeline = Pipe()
  private let directory = URL.temporaryDirectory.appending(path: "probe-benchmark-\(UUID().uuidString)")
  let port = Int.random(in: 10_000...20_000)

  init() async throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [
      "-c", "turnserver \"$@\" & cat; kill -KILL $!", "sh", "-n", "--listening-ip", "127.0.0.1", "--relay-ip",
      "127.0.0.1", "--listening-port", "\(port)", "--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls",
      "--lt-cred-mech",
      "--user", "u:p", "--realm", "r.example", "--userdb", directory.appending(path: "db").path, "--pidfile",
      directory.appending(path: "pid").path, "--log-file", "/dev/null",
    ]
    process.standardInput = lifeline
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    let probe = BindingProbe(server: stun, requests: 1)
    let end = ContinuousClock.now + .seconds(15)
    while ContinuousClock.now < end {
      if (try? await probe.run(deadline: .milliseconds(500))) != nil { return }
    }
    throw NotReady()
  }

  struct NotReady: Error {}

  deinit {
    try? lifeline.fileHandleForWriting.close()
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: directory)
  }

  var stun: ProbedServer { ProbedServer(uri: ServerURI(scheme: .stun, host: "127.0.0.1", port: UInt16(port))) }
  var turn: ProbedServer {
    ProbedServer(
      uri: ServerURI(scheme: .turn, host: "127.0.0.1", port: UInt16(port)),
      credentials: .longTerm(LongTermCredentials(username: "u", password: "p")))
  }
}

/// One line of the table.
func line(_ measure: String, _ value: String) {
  print(measure + String(repeating: " ", count: max(1, 58 - measure.count)) + value)
}

func milliseconds(_ duration: Duration?) -> String {
  guard let duration else { return "no figure" }
  let thousandths = Int((duration / .microseconds(1)).rounded())
  return
    "\(thousandths / 1000).\(String(repeating: "0", count: 3 - "\(thousandths % 1000)".count))\(thousandths % 1000) ms"
}
