import Foundation

/// The same measures by other clients against the same server, where they are installed.
enum PeerBenchmark {
  static func run(_ server: BenchmarkServer) {
    let python = ProcessInfo.processInfo.environment["PROBE_PEERS_PYTHON"] ?? "python3"
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../peers.py").path
    output("/usr/bin/env", [python, script, "\(server.port)"])
    let start = ContinuousClock.now
    let messages = 20_000
    let clients = 2
    let text = output(
      "/usr/bin/turnutils_uclient",
      [
        "-u", "u", "-w", "p", "-p", "\(server.port)", "-l", "160", "-n", "\(messages)", "-m", "\(clients)", "-y", "-z",
        "0",
        "127.0.0.1",
      ], quiet: true)
    let elapsed = ContinuousClock.now - start
    let received = text.split(separator: "\n").last { $0.contains("tot_recv_msgs") }
    let count = received.flatMap { line in
      line.split { !$0.isNumber && $0 != "=" && !$0.isLetter && $0 != "_" }
        .first { $0.hasPrefix("tot_recv_msgs=") }.flatMap { Double($0.dropFirst("tot_recv_msgs=".count)) }
    }
    if let count {
      line("turnutils_uclient, whole run", "\(Int(count / (elapsed / .seconds(1)))) packets a second")
    } else {
      line("turnutils_uclient", "no figure")
    }
  }

  @discardableResult
  private static func output(_ executable: String, _ arguments: [String], quiet: Bool = false) -> String {
    let process = Process()
    process.executableURL = URL(filePath: executable)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return "" }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    if !quiet { print(text, terminator: "") }
    return text
  }
}
