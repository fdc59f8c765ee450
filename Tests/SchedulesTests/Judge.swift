import Foundation
import Testing

/// What `systemd-analyze` says.
struct Judge {
  private static let path = "/usr/bin/systemd-analyze"

  /// The moments at which an expression elapses after another one, in seconds since 1970.
  static func elapses(_ expression: String, after seconds: Int64, count: Int) throws -> [Int64] {
    let (output, status) = try run(
      ["calendar", "--iterations=\(count)", "--base-time=@\(seconds)", expression])
    try #require(status == 0, "\(expression): \(output)")
    return try output.split(separator: "\n").filter { $0.contains("Next elapse:") || $0.contains("Iter. #") }.map {
      line in
      let words = line.split(separator: " ")
      let text = words.suffix(3).prefix(2).joined(separator: "T") + "Z"
      return Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970)
    }
  }

  /// What is wrong with units; empty if nothing is.
  static func verify(_ files: [String]) throws -> String {
    let (output, status) = try run(["verify", "--man=no", "--recursive-errors=no"] + files)
    return status == 0 ? "" : output
  }

  private static func run(_ arguments: [String]) throws -> (output: String, status: Int32) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    process.environment = ["TZ": "UTC", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"]
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (String(decoding: output, as: UTF8.self), process.terminationStatus)
  }
}
