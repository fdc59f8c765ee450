import Journal
import Runs
import Schema
import Steps
import TerminalText

/// What came of a probe by hand, for people and for programs.
struct ProbeReport {
  let module: AnyStepModule
  let result: ProbeResult

  func text(_ format: OutputFormat) -> String {
    switch format {
    case .json: json.text(.indented) + "\n"
    case .text:
      [result.output.map { OutputText($0, as: module.output).text }, result.finding.map(text)].compactMap(\.self)
        .joined(separator: "\n")
    }
  }

  private func text(_ finding: Finding) -> String {
    let head = "\(result.outcome.rawValue.uppercased())  \(terminalSafe(finding.message))  (\(finding.code))\n"
    return head + (finding.advice.map { "  \(terminalSafe($0))\n" } ?? "")
  }

  /// `runbook.probe/1`.
  var json: JSON {
    [
      "schema": "runbook.probe/1", "module": .string(module.name), "outcome": .string(result.outcome.rawValue),
      "output": result.output?.json ?? .null, "error": result.finding.map { Finding.record.encode($0).json } ?? .null,
    ]
  }
}
