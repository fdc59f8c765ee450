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
