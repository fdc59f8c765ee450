internal import Schema

/// The text of one file with the places of its lines, counted as libYAML counts them: in Unicode scalars, a line ending
/// at LF, CR or CR LF.
final class SourceText: Sendable {
  /// As the user would name the file.
  let file: String
  let scalars: [Unicode.Scalar]
  /// Where each line begins; never empty.
  private let lineStarts: [Int]

  /// A byte order mark at the start is left out: it is of no account to people, and no column counts it.
  init(file: String, text: String) {
    var scalars = Array(text.unicodeScalars)
    if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
    var starts = [0]
    for index in scalars.indices {
      let isBreak = scalars[index] == "\n" || (scalars[index] == "\r" && !scalars[(index + 1)...].starts(with: ["\n"]))
      if isBreak { starts.append(index + 1) }
    }
    self.file = file
    self.scalars = scalars
    lineStarts = starts
  }

  var lineCount: Int { lineStarts.count }

  /// The line, from 1, that holds the scalar at `index`.
  func line(at index: Int) -> Int {
    var (low, high) = (0, lineStarts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= index { low = middle } else { high = middle }
    }
    return low + 1
  }

  /// The scalars of a line (from 1) without its break; empty beyond the last.
  func scalars(ofLine line: Int) -> ArraySlice<Unicode.Scalar> {
    guard (1...lineStarts.count).contains(line) else { return [] }
    let start = lineStarts[line - 1]
    var end = line < lineStarts.count ? lineStarts[line] : scalars.count
    while end > start, scalars[end - 1] == "\n" || scalars[end - 1] == "\r" { end -= 1 }
    return scalars[start..<end]
  }

  /// The range from one index up to another. What spans lines is cut at the end of the first, which is where people look.
  func range(_ start: Int, _ end: Int) -> SourceRange {
    let line = line(at: start)
    let first = scalars(ofLine: line)
    let column = start - first.startIndex + 1
    let endColumn = min(end, max(first.endIndex, start)) - first.startIndex + 1
    return SourceRange(file: file, line: line, column: column, endColumn: endColumn)
  }
}
