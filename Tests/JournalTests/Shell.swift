import Foundation
import Testing

/// Runs a shell script with arguments; returns what it prints, without the last LF. Throws if it does not exit with 0.
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
