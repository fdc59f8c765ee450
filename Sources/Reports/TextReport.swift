import Journal
import Schema
import TerminalText

extension RunReport {
  /// The report for people: the verdict, what did not pass and what to look at next, every step, where the evidence lies.
  /// Every text of the run is made safe for a terminal. Ends with a LF.
  package func text(_ style: Style) -> String {
    let record = incidentLines(offset: style.offset).flatMap { $0.lines(style) }
    let problems = problems(style)
    // What is still in place, which the problems begin with, is to be seen first.
    let first = stillInPlace.isEmpty ? [record, problems] : [problems, record]
    let sections = [headline(style)] + first + [table(style), matrix(style), notes(style), identity(style)]
    return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  private func headline(_ style: Style) -> [String] {
    let word = style.paint(verdict.word, .outcome(verdict))
    let time = duration.map { " in \(shortDuration($0))" } ?? ""
    let summary = summary
    return ["\(word)  \(style.paint(subject, .bold))\(time)\(summary.isEmpty ? "" : ": \(summary)")"]
  }

  private func table(_ style: Style) -> [String] {
    guard !steps.isEmpty else { return [] }
    let rows = steps.flatMap { $0.flattened() }.map { step, depth in
      [
        step.isDue ? TextTable.Cell("-") : TextTable.Cell(step.outcome.cell, .outcome(step.outcome)),
        TextTable.Cell(step.listedName(depth: depth)),
        TextTable.Cell(step.duration.map(shortDuration) ?? ""),
        TextTable.Cell(step.attempts > 1 ? "\(step.attempts)" : ""),
        TextTable.Cell(remark(on: step), .faint),
      ]
    }
    let hasRetries = rows.contains { !$0[3].text.isEmpty }
    let table = TextTable(header: ["OUTCOME", "STEP", "TIME", "TRIES", "FIGURES"], rows: rows)
    return (hasRetries ? table : table.without(column: 3)).lines(style)
  }

  /// What is said of a step in a list of all: why it was not run, or its figures.
  func remark(on step: Step) -> String {
    if let reason = step.reason { return reason }
    if let answered = step.question?.answered { return answered }
    if step.use == "element" { return step.title }
    let figures = step.countedElements ?? step.figures().map { "\($0.name) \($0.value)" }.joined(separator: "  ")
    return !step.isCounted ? ["not counted", figures].filter { !$0.isEmpty }.joined(separator: "  ") : figures
  }

  private func notes(_ style: Style) -> [String] {
    warnings.flatMap { LabelledText(label: "note", text: terminalSafe($0), ink: .outcome(.warn)).lines(style) }
  }

  private func identity(_ style: Style) -> [String] {
    let facts = identity(offset: style.offset)
    // Never cut or wrapped: these are to be copied.
    let width = facts.map(\.label.count).max() ?? 0
    return facts.map { style.paint(padded($0.label, to: width), .faint) + "  " + $0.text }
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

extension RunReport.Step {
  /// `2 of 3 elements passed`; nil for a step that is no loop.
  var countedElements: String? {
    elements.map { "\(steps.count { $0.outcome.isGood }) of \($0) elements passed" }
  }
}
