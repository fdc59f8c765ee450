/// The text as a terminal may show it: on one line, and nothing in it that moves the cursor, changes colours or the
/// clipboard, or turns the direction of writing. What is not shown as itself stands as `\n`, `\t` or `\u{1B}`.
package func terminalSafe(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: { !isPlain($0) }) else { return text }
  var safe = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case _ where isPlain(scalar): safe.unicodeScalars.append(scalar)
    case "\n": safe += "\\n"
    case "\r": safe += "\\r"
    case "\t": safe += "\\t"
    default: safe += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    }
  }
  return safe
}

/// True for what shows as a character of its own. Format characters hold the bidirectional overrides (Unicode UAX #9) and
/// what has no width; control characters hold ESC and the C1 set.
private func isPlain(_ scalar: Unicode.Scalar) -> Bool {
  if (0x20..<0x7F).contains(scalar.value) { return true }
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
  case .spaceSeparator: return scalar == "\u{A0}" || scalar == "\u{3000}"
  default: return true
  }
}

/// The words in lines of at most `width` characters. A word that is longer is cut, so that no line ever is.
package func wrapped(_ text: String, width: Int) -> [String] {
  let width = max(width, 1)
  var lines: [String] = []
  var line = ""
  for word in text.split(separator: " ", omittingEmptySubsequences: false) {
    var word = word
    if !line.isEmpty, line.count + 1 + word.count <= width {
      line += " " + word
      continue
    }
    if !line.isEmpty { lines.append(withoutTrailingSpaces(line)) }
    while word.count > width {
      lines.append(String(word.prefix(width)))
      word = word.dropFirst(width)
    }
    line = String(word)
  }
  return line.isEmpty && !lines.isEmpty ? lines : lines + [withoutTrailingSpaces(line)]
}

private func withoutTrailingSpaces(_ line: String) -> String {
  String(line.prefix(line.count - line.reversed().prefix { $0 == " " }.count))
}

/// At most `width` characters, the last of them `…` where something was cut off.
func shortened(_ text: String, to width: Int) -> String {
  text.count <= width ? text : width < 1 ? "" : text.prefix(width - 1) + "…"
}

func padded(_ text: String, to width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
