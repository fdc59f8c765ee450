import Journal
import TerminalText

extension RunReport {
  /// The steps of every child run by target: a column for each target, or a line for each where they do not fit side by side.
  func matrix(_ style: Style) -> [String] {
    guard !children.isEmpty else { return [] }
    let table = stepsByTarget()
    return table.width <= style.width ? table.lines(style) : targets().lines(style)
  }

  private func stepsByTarget() -> TextTable {
    var paths: [StepPath] = []
    var known: Set<StepPath> = []
    for step in children.flatMap(\.steps) where known.insert(step.path).inserted { paths.append(step.path) }
    let outcomes = children.map { child in
      Dictionary(child.steps.map { ($0.path, $0.outcome) }, uniquingKeysWith: { first, _ in first })
    }
    let rows = paths.map { path in
      let name = String(repeating: "  ", count: path.parts.count - 1) + path.id
      return [TextTable.Cell(name)]
        + outcomes.map { outcomes in
          let outcome = outcomes[path]
          return TextTable.Cell(outcome?.cell ?? "-", outcome.map { .outcome($0) })
        }
    }
    let totals =
      [TextTable.Cell("whole run", .bold)] + children.map(\.cell)
    return TextTable(header: ["STEP"] + children.map { terminalSafe($0.target) }, rows: rows + [totals])
  }

  private func targets() -> TextTable {
    let rows = children.map { child in
      let bad = child.steps.filter { $0.outcome != .pass && $0.outcome != .skipped }.map(\.path.description)
      return [
        child.cell, TextTable.Cell(child.target),
        TextTable.Cell(bad.joined(separator: " "), .faint),
      ]
    }
    return TextTable(header: ["OUTCOME", "TARGET", "NOT PASSED"], rows: rows)
  }
}

extension RunReport.Child {
  fileprivate var cell: TextTable.Cell {
    isDue ? TextTable.Cell("-") : TextTable.Cell(verdict.cell, .outcome(verdict))
  }
}
