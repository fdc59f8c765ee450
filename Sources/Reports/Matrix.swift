import Journal

extension Report {
  /// The steps of every child run by target: a column for each target, or a line for each where they do not fit side by side.
  func matrix(_ style: Style) -> [String] {
    guard !children.isEmpty else { return [] }
    let table = stepsByTarget()
    return table.width <= style.width ? table.lines(style) : targets().lines(style)
  }

  private func stepsByTarget() -> TextTable {
    var paths: [StepPath] = []
    for step in children.flatMap(\.steps) where !paths.contains(step.path) { paths.append(step.path) }
    let rows = paths.map { path in
      let name = String(repeating: "  ", count: path.parts.count - 1) + path.id
      return [TextTable.Cell(name)]
        + children.map { child in
          let outcome = child.steps.first { $0.path == path }?.outcome
          return TextTable.Cell(outcome?.cell ?? "-", outcome.map { .outcome($0) })
        }
    }
    let totals =
      [TextTable.Cell("whole run", .bold)] + children.map { TextTable.Cell($0.outcome.cell, .outcome($0.outcome)) }
    return TextTable(header: ["STEP"] + children.map { terminalSafe($0.target) }, rows: rows + [totals])
  }

  private func targets() -> TextTable {
    let rows = children.map { child in
      let bad = child.steps.filter { $0.outcome != .pass && $0.outcome != .skipped }.map(\.path.description)
      return [
        TextTable.Cell(child.outcome.cell, .outcome(child.outcome)), TextTable.Cell(child.target),
        TextTable.Cell(bad.joined(separator: " "), .faint),
      ]
    }
    return TextTable(header: ["OUTCOME", "TARGET", "NOT PASSED"], rows: rows)
  }
}
