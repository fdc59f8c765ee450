import Processes
import Schema
import TestSupport
import Testing

/// A program that is not ours and reads what we write.
struct ForeignReader {
  let folder: TemporaryFolder

  init(_ text: String) throws {
    folder = try TemporaryFolder()
    try folder.write(text, to: "report")
  }

  /// Runs a shell script; `$1` is the file.
  func run(_ script: String) async throws -> (status: Int32, stdout: String, stderr: String) {
    var command = Command("sh", ["-euc", script, "script", "\(folder.path)/report"])
    command.directory = folder.path
    command.timeout = .seconds(60)
    command.outputLimit = 16 << 20
    let result = try await command.run()
    guard case .exited(let status) = result.ending else {
      throw Ended(ending: "\(result.ending)")
    }
    return (status, result.standardOutput.text, result.standardError.text)
  }

  struct Ended: Error { let ending: String }
}
