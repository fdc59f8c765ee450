/// The text as a terminal may show it: on one line, and nothing in it that moves the cursor, changes colours or the
/// clipboard, or turns the direction of writing. What is not shown as itself stands as `\n`, `\t` or `\u{1B}`.
package func terminalSafe(_ text: String) -> String {
  guard !isPlain(text) else { return text }
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

/// The same with each character in its column, for lines that others point into: a tab is shown as a space, what else is not
/// shown as itself as `�`.
package func terminalSafeInPlace(_ text: String) -> String {
  guard !isPlain(text) else { return text }
  var safe = String.UnicodeScalarView()
  for scalar in text.unicodeScalars { safe.append(isPlain(scalar) ? scalar : scalar == "\t" ? " " : "\u{FFFD}") }
  return String(safe)
}

private func isPlain(_ text: String) -> Bool {
  text.utf8.allSatisfy { (0x20..<0x7F).contains($0) } || text.unicodeScalars.allSatisfy(isPlain)
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
