import Journal
import TerminalText

extension RunReport {
  /// The Test Anything Protocol, version 13: a line for each step that does something, and below one that did not simply pass
  /// why, as YAML.
  ///
  /// `# SKIP` is a step that was not run, `# TODO` one whose outcome is not counted. TAP knows no warnings: they are `ok`.
  package var tap: String {
    let suites = suites
    let cases = suites.flatMap { suite in
      suite.cases.map { (target: suites.count > 1 ? suite.target : nil, entry: $0) }
    }
    var text = "TAP version 13\n1..\(cases.count)\n# \(subject)\n"
    for (index, numbered) in cases.enumerated() {
      text += numbered.entry.tap(number: index + 1, target: numbered.target)
    }
    let ending = summary.isEmpty ? "" : ": \(summary)"
    text += "# \(verdict.word)\(ending)\n# run \(terminalSafe(run))\n"
    return text + warnings.map { "# note: \(terminalSafe($0))\n" }.joined()
  }
}

extension Suite.Case {
  fileprivate func tap(number: Int, target: String?) -> String {
    let isOK = outcome.isGood || outcome == .skipped
    let place = (target.map { "\($0) " } ?? "") + path + (title == path ? "" : " \(title)")
    var line = "\(isOK ? "ok" : "not ok") \(number) - \(tapSafe(place))"
    if !isCounted, !isOK {
      line += " # TODO not counted"
    } else if outcome == .skipped {
      line += " # SKIP \(tapSafe(step?.reason ?? explanation.first?.text ?? ""))"
    }
    guard outcome != .pass || step?.question != nil, outcome != .skipped else { return line + "\n" }
    var details = [("outcome", outcome.rawValue)]
    if let duration { details.append(("seconds", decimalSeconds(duration))) }
    let members = details.map { "  \($0.0): \($0.1)\n" }.joined()
    return "\(line)\n  ---\n\(members)\(explanationYAML)  ...\n"
  }

  /// A block of lines, in which nothing is escaped or read.
  private var explanationYAML: String {
    guard !explanation.isEmpty else { return "" }
    return "  explanation: |\n" + explanation.plainLines.map { "    \($0)\n" }.joined()
  }
}

/// On one line, and nothing in it that begins a directive.
private func tapSafe(_ text: String) -> String {
  terminalSafe(text).replacing("\\", with: "\\\\").replacing("#", with: "\\#")
}
