package import ArgumentParser
import Language
import Schema
import TerminalText

/// `runbook eval`.
package struct EvalCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Evaluate one expression, with its type; for those who write runbooks.",
    discussion: """
        runbook eval "duration('90s') < duration('2m')"
        runbook eval "rtt.filter(t, t > 20)" --bindings figures.json
        runbook eval - < expression.cel

      Expressions are CEL (cel.dev), with the functions that runbooks have. Exit code 2 if it cannot be compiled, 3 if \
      it has no value.
      """)

  @Argument(help: "The expression; - reads it from standard input.") var expression: String

  @Option(
    help: ArgumentHelp("A JSON or YAML file of variables; - reads standard input.", valueName: "file"),
    completion: .file(extensions: ["json", "yaml", "yml"]))
  var bindings: String?

  @Option(help: "text or json.") var format: OutputFormat = .text

  package init() {}

  package func run() throws {
    let reader = InputReader.self
    let isFromInput = reader.isStandardInput(expression)
    if isFromInput, let bindings, reader.isStandardInput(bindings) {
      throw CommandFailure(
        .invalid, "standard input cannot be both the expression and its variables",
        advice: "give one of them as an argument or a file")
    }
    let source = isFromInput ? try text(reader.read(expression)) : expression
    let variables = try bindings.map { (name: reader.name($0), bytes: try reader.read($0)) }
    let evaluation: ExpressionEvaluation
    do throws(Issues) { evaluation = try ExpressionEvaluation(of: source, bindings: variables) } catch {
      show(error.all, source, variables)
      throw CommandFailure(.invalid, problems: error.all)
    }
    switch (evaluation.result, format) {
    case (.success(let answer), .text): Terminal.standardOutput.write("\(answer.text)  (\(evaluation.type))\n")
    case (.success(let answer), .json):
      let object: JSON = ["type": .string(evaluation.type), "value": answer.json]
      Terminal.standardOutput.write(object.text(.indented) + "\n")
    case (.failure(let problem), _):
      show([problem], source, variables)
      throw CommandFailure(.error, problems: [problem])
    }
  }

  private func text(_ bytes: [UInt8]) throws(CommandFailure) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandFailure(.invalid, "the expression on standard input is not UTF-8")
    }
    return text
  }

  private func show(_ issues: [Issue], _ source: String, _ variables: (name: String, bytes: [UInt8])?) {
    let text = DiagnosticText(usesColour: Terminal.standardError.hasColor) { file in
      file == ExpressionEvaluation.sourceName ? Array(source.utf8) : file == variables?.name ? variables?.bytes : nil
    }
    Terminal.standardError.write(text.text(issues))
  }

  /// The arguments with an expression that begins with a minus behind `--`, so that it is no option: `eval -1`, `eval
  /// '-(2 + 3)'`.
  static func separatingExpression(in arguments: [String]) -> [String] {
    guard arguments.first == configuration.commandName, !arguments.contains("--"),
      let index = arguments.firstIndex(where: isNegative), arguments[index - 1] != "--bindings"
    else { return arguments }
    var separated = arguments
    let expression = separated.remove(at: index)
    return separated + ["--", expression]
  }

  /// Whether an argument is a minus with an operand: the only option with one minus is `-h`.
  private static func isNegative(_ argument: String) -> Bool {
    argument.hasPrefix("-") && !argument.hasPrefix("--") && !["-", "-h"].contains(argument)
  }
}
