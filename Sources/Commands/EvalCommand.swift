package import ArgumentParser
import FoundationEssentials
import Language
import Schema

/// `runbook eval`.
package struct EvalCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Evaluate one expression, with its type; for those who write runbooks.",
    discussion: """
        runbook eval "duration('90s') < duration('2m')"
        runbook eval "rtt.filter(t, t > 20)" --bindings figures.json

      Expressions are CEL (cel.dev), with the functions that runbooks have. Exit code 2 where it cannot be compiled, 3 where \
      it has no value.
      """)

  @Argument(help: "The expression.") var expression: String

  @Option(help: ArgumentHelp("A JSON object of variables.", valueName: "file"), completion: .file(extensions: ["json"]))
  var bindings: String?

  @Option(help: "text or json.") var format: ReportFormat = .text

  package init() {}

  package func run() throws {
    let trial: Trial
    do throws(Issues) { trial = try Trial(of: expression, bindings: try variables()) } catch {
      if format == .json {
        Terminal.standardOutput.write(json(error: error.all.map(\.message).joined(separator: "; ")))
      }
      let text = DiagnosticText(usesColour: Terminal.standardError.hasColor) { [expression] _ in Array(expression.utf8)
      }
      Terminal.standardError.write(text.text(error.all))
      throw CommandFailure(.invalid)
    }
    switch (trial.result, format) {
    case (.success(let answer), .text): Terminal.standardOutput.write("\(answer.text)  (\(trial.type))\n")
    case (.success(let answer), .json):
      let object: JSON = ["type": .string(trial.type), "value": answer.json]
      Terminal.standardOutput.write(object.text(.indented) + "\n")
    case (.failure(let problem), _):
      if format == .json { Terminal.standardOutput.write(json(error: problem.message)) }
      let marks =
        String(repeating: " ", count: problem.range.lowerBound) + String(repeating: "^", count: problem.range.count)
      throw CommandFailure(
        .error, "it has no value: \(problem.message)", advice: "\(expression)\n\(marks)", isAfterOutput: true)
    }
  }

  private func json(error: String) -> String { JSON.object([.init("error", .string(error))]).text(.indented) + "\n" }

  private func variables() throws(Issues) -> [JSON.Member] {
    guard let bindings else { return [] }
    func problem(_ message: String) -> Issues {
      Issues([Issue(.error, "invalid-binding", message, at: SourceRange(file: bindings, line: 1, column: 1))])
    }
    guard let bytes = FileManager.default.contents(atPath: bindings) else {
      throw problem("the file of variables cannot be read")
    }
    let document: JSON
    do { document = try JSON(parsing: bytes) } catch {
      throw problem("the file is no JSON: \(error.message), at byte \(error.offset)")
    }
    guard case .object(let members) = document else { throw problem("the file is no JSON object") }
    return members
  }
}
