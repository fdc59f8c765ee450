import TerminalText

/// A text as character data or attribute value of XML 1.0 and HTML: on one line, with nothing in it that either forbids or
/// takes for markup. What cannot be shown stands as `\u{1B}`.
func markupSafe(_ text: String) -> String {
  var safe = ""
  for scalar in terminalSafe(text).unicodeScalars {
    switch scalar {
    case "&": safe += "&amp;"
    case "<": safe += "&lt;"
    case ">": safe += "&gt;"
    case "\"": safe += "&quot;"
    case "'": safe += "&#39;"
    default: safe.unicodeScalars.append(scalar)
    }
  }
  return safe
}

extension [LabelledText] {
  /// A line for each: `expected: output.loss <= 1.0`. What has no label goes on with the line before.
  var plainLines: [String] { map { $0.label.isEmpty ? "  \($0.text)" : "\($0.label): \($0.text)" } }
}
