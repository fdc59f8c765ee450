/// Columns whose cells begin below one another; the last is cut off at the width.
package struct TextTable {
  /// A text in one row and column.
  package struct Cell {
    var text: String
    var emphasis: Style.Emphasis?

    /// The text need not be safe for a terminal.
    package init(_ text: String, _ emphasis: Style.Emphasis? = nil) {
      self.text = terminalSafe(text)
      self.emphasis = emphasis
    }
  }

  var header: [String]
  var rows: [[Cell]]
  private static let gap = 2

  /// - Parameter rows: as many cells in each as there are columns.
  package init(header: [String], rows: [[Cell]]) {
    self.header = header
    self.rows = rows
  }

  /// How wide the table would be, uncut.
  var width: Int { widths.reduce(0, +) + Self.gap * max(0, header.count - 1) }

  private var widths: [Int] {
    header.indices.map { column in
      max(header[column].count, rows.map { $0[column].text.count }.max() ?? 0)
    }
  }

  /// The header and a line for each row.
  package func lines(_ style: Style) -> [String] {
    let widths = widths
    let head = line(header.map { Cell($0, .faint) }, widths, style)
    return [head] + rows.map { line($0, widths, style) }
  }

  private func line(_ cells: [Cell], _ widths: [Int], _ style: Style) -> String {
    var text = ""
    var column = 0
    for (index, cell) in cells.enumerated() {
      let shown = shortened(cell.text, to: style.width - column)
      text += cell.emphasis.map { style.paint(shown, $0) } ?? shown
      // Nothing is left behind at the end of a line.
      guard cells[(index + 1)...].contains(where: { !$0.text.isEmpty }) else { break }
      text += String(repeating: " ", count: widths[index] - cell.text.count + Self.gap)
      column += widths[index] + Self.gap
      if column >= style.width { break }
    }
    return text
  }
}
