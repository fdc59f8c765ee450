import Foundation
import Glibc
import Testing

/// A process that works on files by `Files`, see `FilesProbe`. Killed when it is let go of.
final class Probe: @unchecked Sendable {
  private let process = Process()
  private let output = Pipe()
  private var said = ""

  static func path() throws -> String {
    let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let path = tests.deletingLastPathComponent().appending(path: "FilesProbe").path
    try #require(FileManager.default.isExecutableFile(atPath: path))
    return path
  }

  init(_ task: String, _ argument: String) throws {
    process.executableURL = URL(filePath: try Self.path())
    process.arguments = [task, argument]
    process.standardOutput = output
    try process.run()
  }

  /// Waits for its next line.
  func line() throws -> String {
    while true {
      if let end = said.firstIndex(of: "\n") {
        let line = String(said[..<end])
        said = String(said[said.index(after: end)...])
        return line
      }
      let data = output.fileHandleForReading.availableData
      try #require(!data.isEmpty, "the probe ended, having said \(said)")
      said += String(decoding: data, as: UTF8.self)
    }
  }

  func kill() {
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  deinit {
    if process.isRunning { kill() }
  }
}

/// Runs a shell script with arguments; returns what it prints, without the last LF. Throws if it does not exit with 0.
@discardableResult
func shell(_ script: String, _ arguments: String...) throws -> String {
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(filePath: "/bin/sh")
  process.arguments = ["-c", script, "sh"] + arguments
  process.standardOutput = pipe
  try process.run()
  let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  let text = String(decoding: output, as: UTF8.self)
  try #require(process.terminationStatus == 0, "\(text)")
  return text.hasSuffix("\n") ? String(text.dropLast()) : text
}
