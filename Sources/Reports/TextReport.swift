import Journal
import Schema

extension Report {
  /// The report for people: the verdict, what did not pass and what to look at next, every step, where the evidence lies.
  /// Every text of the run is made safe for a terminal. Ends with a LF.
  package func text(_ style: Style) -> String {
    let sections = [headline(style), problems(style), table(style), matrix(style), notes(style), identity(style)]
    return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  private func headline(_ style: Style) -> [String] {
    let word = style.paint(outcome.word, .outcome(outcome))
    let time = duration.map { " in \(shortDuration($0))" } ?? ""
    let part = only.isEmpty ? "" : " (only \(terminalSafe(only.joined(separator: ", "))))"
    let what = terminalSafe(runbook) + part + (target.map { " on \(terminalSafe($0))" } ?? "")
    return ["\(word)  \(style.paint(what, .bold))\(time)\(summary.isEmpty ? "" : ": \(summary)")"]
  }

  /// `1 of 7 steps failed, 2 with warnings`, counted over the steps that do something.
  private var summary: String {
    let counted =
      children.isEmpty
      ? steps.flatMap { $0.flattened().map(\.step) }.filter { $0.steps.isEmpty && !$0.isDiagnostic }
        .map { (outcome: $0.outcome, isDue: $0.isDue) }
      : children.map { (outcome: $0.outcome, isDue: $0.isDue) }
    guard !counted.isEmpty else { return "" }
    let noun = (children.isEmpty ? "step" : "target") + (counted.count == 1 ? "" : "s")
    var parts = [
      (Outcome.fail, "failed"), (.error, "could not find out"), (.indeterminate, "without an end"),
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

  private func table(_ style: Style) -> [String] {
    guard !steps.isEmpty else { return [] }
    let rows = steps.flatMap { $0.flattened() }.map { step, depth in
      [
        step.isDue ? TextTable.Cell("-") : TextTable.Cell(step.outcome.cell, .outcome(step.outcome)),
        TextTable.Cell(String(repeating: "  ", count: depth) + step.id),
        TextTable.Cell(step.duration.map(shortDuration) ?? ""),
        TextTable.Cell(step.attempts > 1 ? "\(step.attempts)" : ""),
        TextTable.Cell(remark(on: step), .faint),
      ]
    }
    let hasRetries = rows.contains { !$0[3].text.isEmpty }
    let table = TextTable(header: ["OUTCOME", "STEP", "TIME", "TRIES", "FIGURES"], rows: rows)
    return (hasRetries ? table : table.without(column: 3)).lines(style)
  }

  private func remark(on step: Step) -> String {
    if let reason = step.reason { return reason }
    let figures = step.figures().map { "\($0.name) \($0.value)" }.joined(separator: "  ")
    return step.isDiagnostic ? ["not counted", figures].filter { !$0.isEmpty }.joined(separator: "  ") : figures
  }

  private func notes(_ style: Style) -> [String] {
    warnings.flatMap { LabelledText(label: "note", text: terminalSafe($0), emphasis: .outcome(.warn)).lines(style) }
  }

  private func identity(_ style: Style) -> [String] {
    let number = number.map { " (no. \($0))" } ?? ""
    var fields = [("run", "\(run)\(number) by \(user) on \(host)")]
    if let parent { fields.append(("parent", parent)) }
    fields.append(("started", momentText(startedAt, offset: style.offset)))
    switch end {
    case .finished(_, let moment): fields.append(("finished", momentText(moment, offset: style.offset)))
    case .goesOn: fields.append(("finished", "not yet"))
    case .died(let moment): fields.append(("last event", momentText(moment, offset: style.offset)))
    }
    fields.append(("journal", journal))
    // Never cut or wrapped: these are to be copied.
    let width = fields.map(\.0.count).max() ?? 0
    return fields.map { style.paint(padded($0.0, to: width), .faint) + "  " + terminalSafe($0.1) }
  }
}

extension TextTable {
  fileprivate func without(column: Int) -> TextTable {
    var table = self
    table.header.remove(at: column)
    for index in table.rows.indices { table.rows[index].remove(at: column) }
    return table
  }
}
