/// Columns whose cells begin below one another; the last is cut off at the width.
package struct TextTable {
  /// A text in one row and column.
  package struct Cell {
    package let text: String
    let ink: Ink?

    /// The text need not be safe for a terminal.
    package init(_ text: String, _ ink: Ink? = nil) {
      self.text = terminalSafe(text)
      self.ink = ink
    }
  }

  package var header: [String]
  package var rows: [[Cell]]
  private static let gap = 2

  /// - Parameter rows: as many cells in each as there are columns.
  package init(header: [String], rows: [[Cell]]) {
    self.header = header
    self.rows = rows
  }

  /// How wide the table would be, uncut.
  package var width: Int { widths.reduce(0, +) + Self.gap * max(0, header.count - 1) }

  private var widths: [Int] {
    header.indices.map { column in
      max(displayWidth(header[column]), rows.map { displayWidth($0[column].text) }.max() ?? 0)
    }
  }

  /// The header and a line for each row, each of at most `limit` columns.
  package func lines(width limit: Int, isColored: Bool) -> [String] {
    let widths = widths
    return ([header.map { Cell($0, .faint) }] + rows).map { line($0, widths, limit, isColored) }
  }

  private func line(_ cells: [Cell], _ widths: [Int], _ limit: Int, _ isColored: Bool) -> String {
    var text = ""
    var column = 0
    for (index, cell) in cells.enumerated() {
      let shown = shortened(cell.text, to: limit - column)
      text += isColored ? cell.ink?.paint(shown) ?? shown : shown
      // Nothing is left behind at the end of a line.
      guard cells[(index + 1)...].contains(where: { !$0.text.isEmpty }) else { break }
      column += widths[index] + Self.gap
      if column >= limit { break }
      text += String(repeating: " ", count: widths[index] - displayWidth(cell.text) + Self.gap)
    }
    return text
  }
}

/// Rows of cells that begin below one another, each line with its LF. A row's last cell is never padded. The texts must be safe
/// for a terminal already.
///
/// - Parameter width: a last cell that would go beyond it goes on in further lines, below itself; nil: it goes on for ever.
package func columns(_ rows: [[String]], width: Int? = nil) -> String {
  let count = rows.map(\.count).max() ?? 0
  // The last cell of a short row may stand below several columns, and does not widen its own.
  let widths = (0..<count).map { column in
    rows.map { column < $0.count - ($0.count < count ? 1 : 0) ? displayWidth($0[column]) : 0 }.max() ?? 0
  }
  return rows.map { row in
    let start = widths.prefix(max(0, row.count - 1)).reduce(0) { $0 + $1 + 2 }
    let lead = row.dropLast().enumerated().map { column, cell in padded(cell, to: widths[column] + 2) }
    let last = row.last ?? ""
    let lines = width.map { wrapped(last, width: max(20, $0 - start)) } ?? [last]
    let indented = lines.joined(separator: "\n" + String(repeating: " ", count: start))
    return lead.joined() + indented + "\n"
  }.joined()
}
