import Coturn
import Journal
import Processes
import Schema
import Steps

extension CoturnVersion {
  /// The version that was given, or else what the program says of itself.
  ///
  /// Throws `broken` if neither tells a version.
  static func given(
    _ text: String?, orOf binary: String, in context: StepContext
  ) async throws(StepError) -> CoturnVersion {
    if let text {
      guard let version = CoturnVersion(text) else {
        throw .broken(
          "coturn.versionInvalid", "\"\(text)\" is no version of coturn",
          advice: "Give it as the program prints it: 4.6.1.")
      }
      return version
    }
    var command = Command(binary, ["--version"])
    command.timeout = .seconds(5)
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run(in: context) } catch {
      throw .broken(
        "coturn.versionUnknown", "the program cannot be asked for its version: \(error.message)",
        advice: "Give `version`, or `binary` with the path of the program.")
    }
    let lines = result.standardOutput.text.split(separator: "\n")
    guard result.isSuccess, let version = lines.compactMap({ CoturnVersion($0) }).first else {
      throw .broken(
        "coturn.versionUnknown", "\(binary) --version does not tell its version",
        advice: "Programs before 4.6.0 do not know --version. Give `version`: that of the package tells it.")
    }
    return version
  }
}
