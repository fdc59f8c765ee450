/// The words in lines of at most `width` columns.
///
/// - Parameter cuttingWords: whether a longer word is cut, so that no line is ever longer; else it stands alone.
package func wrapped(_ text: String, width: Int, cuttingWords: Bool = true) -> [String] {
  let width = max(width, 1)
  var lines: [String] = []
  var line = ""
  var column = 0
  for word in text.split(separator: " ", omittingEmptySubsequences: false) {
    var word = word
    var length = displayWidth(word)
    if !line.isEmpty, column + 1 + length <= width {
      line += " " + word
      column += 1 + length
      continue
    }
    if !line.isEmpty { lines.append(withoutTrailingSpaces(line)) }
    while cuttingWords, length > width {
      var (part, end) = beginning(of: word, fitting: width)
      // A wide character where there is room for one column only.
      if part.isEmpty {
        end = word.index(after: word.startIndex)
        part = String(word[..<end])
      }
      lines.append(part)
      word = word[end...]
      length = displayWidth(word)
    }
    line = String(word)
    column = length
  }
  return line.isEmpty && !lines.isEmpty ? lines : lines + [withoutTrailingSpaces(line)]
}

private func withoutTrailingSpaces(_ line: String) -> String {
  String(line.prefix(line.count - line.reversed().prefix { $0 == " " }.count))
}

/// At most `width` columns, the last of them `…` if something was cut off.
package func shortened(_ text: String, to width: Int) -> String {
  displayWidth(text) <= width ? text : width < 1 ? "" : beginning(of: text, fitting: width - 1).part + "…"
}

/// Filled up with spaces to so many columns.
package func padded(_ text: String, to width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - displayWidth(text)))
}
