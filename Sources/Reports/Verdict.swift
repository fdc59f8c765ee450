package import Journal
import Schema
import TerminalText

extension RunReport {
  /// What the run proves, see ``Journal/RunFinished/verdict``.
  package var verdict: Outcome { if case .finished(let finished, _) = end { finished.verdict } else { outcome } }

  /// What ran, on what: `daily-health (only disk) on lab`. Safe for a terminal.
  var subject: String {
    let part = only.isEmpty ? "" : " (only \(terminalSafe(only.joined(separator: ", "))))"
    return terminalSafe(runbook) + part + (target.map { " on \(terminalSafe($0))" } ?? "")
  }

  /// `1 of 7 steps failed, 2 with warnings`, counted over the steps that do something; empty if there is none.
  var summary: String {
    let counted =
      children.isEmpty
      ? steps.flatMap { $0.flattened().map(\.step) }.filter { $0.steps.isEmpty && $0.isCounted }
        .map { (outcome: $0.outcome, isDue: $0.isDue) }
      : children.map { (outcome: $0.verdict, isDue: $0.isDue) }
    guard !counted.isEmpty else { return "" }
    let noun = (children.isEmpty ? "step" : "target") + (counted.count == 1 ? "" : "s")
    var parts = [
      (Outcome.fail, "failed"), (.error, "ended in error"), (.indeterminate, "without an end"),
      (.warn, "with a warning"), (.skipped, "skipped"),
    ].compactMap { outcome, words in
      let count = counted.count { $0.outcome == outcome && !$0.isDue }
      return count > 0 ? (count, words) : nil
    }
    let due = counted.count(where: \.isDue)
    if due > 0 { parts.append((due, end == .goesOn ? "to come" : "not begun")) }
    guard let first = parts.first else {
      return counted.count == 1 ? "1 \(noun) passed" : "all \(counted.count) \(noun) passed"
    }
    return "\(first.0) of \(counted.count) \(noun) \(first.1)"
      + parts.dropFirst().map { ", \($0.0) \($0.1)" }.joined()
  }

  /// Which run it was, by whom, when, and where its journal lies; each text safe for a terminal.
  ///
  /// - Parameter offset: seconds that local time is ahead of UTC at a moment.
  func identity(offset: (Timestamp) -> Int) -> [LabelledText] {
    let number = number.map { " (no. \($0))" } ?? ""
    var facts = [("run", "\(run)\(number) by \(user) on \(host)")]
    if let parent { facts.append(("parent", parent)) }
    facts.append(("started", momentText(startedAt, offset: offset)))
    facts += continuations(offset: offset)
    switch end {
    case .finished(_, let moment): facts.append(("finished", momentText(moment, offset: offset)))
    case .goesOn: facts.append(("finished", "not yet"))
    case .died(let moment): facts.append(("last event", momentText(moment, offset: offset)))
    }
    facts.append(("journal", journal))
    return facts.map { LabelledText(label: $0.0, text: terminalSafe($0.1)) }
  }
}
