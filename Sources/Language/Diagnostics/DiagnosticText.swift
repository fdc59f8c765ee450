package import Schema

/// Shows issues on a terminal: each with its place, and the source line with what is meant underlined.
package struct DiagnosticText: Sendable {
  private let usesColour: Bool
  /// Whether a file is one of `NAME=VALUE` lines, of which names alone are shown: the values may be secrets.
  private let holdsValues: @Sendable (String) -> Bool
  /// The bytes of a file, by the name that issues give it; nil where it cannot be shown.
  private let read: @Sendable (String) -> [UInt8]?

  package init(
    usesColour: Bool, hidingValuesOf holdsValues: @escaping @Sendable (_ file: String) -> Bool = { _ in false },
    reading read: @escaping @Sendable (_ file: String) -> [UInt8]?
  ) {
    self.usesColour = usesColour
    self.holdsValues = holdsValues
    self.read = read
  }

  /// All issues and a last line that counts them; empty where there are none. Lines end with LF.
  package func text(_ issues: [Issue]) -> String {
    guard !issues.isEmpty else { return "" }
    var sources: [String: SourceText] = [:]
    let secrets = issues.filter { $0.code == Self.clearSecretCode }.map(\.range)
    var text = ""
    for issue in issues {
      let file = issue.range.file
      if sources[file] == nil, let bytes = read(file) {
        sources[file] = SourceText(file: file, text: String(decoding: bytes, as: UTF8.self))
      }
      text += self.text(issue, source: sources[file], hiding: secrets)
    }
    let errors = issues.count { $0.severity == .error }
    return text + summary(errors: errors, warnings: issues.count - errors) + "\n"
  }

  private func summary(errors: Int, warnings: Int) -> String {
    func count(_ number: Int, _ name: String) -> String { "\(number) \(name)\(number == 1 ? "" : "s")" }
    let parts = [errors > 0 ? count(errors, "error") : nil, warnings > 0 ? count(warnings, "warning") : nil]
    return parts.compactMap(\.self).joined(separator: ", ")
  }

  /// Of issues that stand where a secret does.
  private static let clearSecretCode = "secret-in-clear"

  private func text(_ issue: Issue, source: SourceText?, hiding secrets: [SourceRange]) -> String {
    let range = issue.range
    let colour = issue.severity == .error ? "31" : "33"
    // An option of the command line and a variable of the environment have no lines.
    let hasLines = !range.file.hasPrefix("-") && !range.file.hasPrefix("$")
    let position = hasLines ? "\(range.line):\(range.column):" : ""
    let place = styled("\(visible(range.file)):\(position)", "1")
    let severity = styled(issue.severity.rawValue + ":", "1;\(colour)")
    var text = "\(place) \(severity) \(visible(issue.message)) [\(issue.code)]\n"
    if hasLines, let line = shown(source?.scalars(ofLine: range.line) ?? [], of: range, hiding: secrets), !line.isEmpty
    {
      let (shown, mark) = Self.underlined(line, range)
      let number = "\(range.line)"
      let margin = String(repeating: " ", count: number.count)
      text += " \(number) | \(shown)\n \(margin) | \(styled(mark, "1;\(colour)"))\n"
    }
    if let suggestion = issue.suggestion { text += "   \(styled("help:", "1")) \(visible(suggestion))\n" }
    return text
  }

  /// The line without what must not be shown: the values of an environment file, secrets that stand in clear text. Nil
  /// where nothing is left of it.
  private func shown(_ line: ArraySlice<Unicode.Scalar>, of range: SourceRange, hiding secrets: [SourceRange])
    -> ArraySlice<Unicode.Scalar>?
  {
    if holdsValues(range.file) {
      guard let equals = line.firstIndex(of: "="), Self.isName(line[..<equals]) else { return nil }
      return (line[...equals] + ["…"])[...]
    }
    let columns = secrets.filter { $0.file == range.file && $0.line == range.line }.map(\.column)
    guard let first = columns.min(), first <= line.count else { return line }
    return (line.prefix(first - 1) + ["…"])[...]
  }

  /// True for a name, `export` before it or not. Anything else in front of `=` may be part of a value.
  private static func isName(_ scalars: ArraySlice<Unicode.Scalar>) -> Bool {
    let words = scalars.split(separator: " ")
    guard let name = words.last,
      words.count == 1 || (words.count == 2 && Array(words[0]) == Array("export".unicodeScalars))
    else { return false }
    return name.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_")
    }
  }

  private func styled(_ text: String, _ codes: String) -> String {
    usesColour ? "\u{1B}[\(codes)m\(text)\u{1B}[0m" : text
  }

  /// The widest line that is shown whole; of a longer one, the part around the place.
  private static let width = 160

  private static func underlined(_ line: ArraySlice<Unicode.Scalar>, _ range: SourceRange) -> (String, String) {
    let column = min(range.column, line.count + 1)
    let skipped = column > width - 40 ? column - 40 : 0
    let window = line.dropFirst(skipped).prefix(width)
    let shown = (skipped > 0 ? "…" : "") + visible(String(String.UnicodeScalarView(window)))
    // Tabs are shown as one space, so that the mark stands below what it means.
    let length = max(1, min(range.endColumn, line.count + 1) - column)
    let indent = column - 1 - skipped + (skipped > 0 ? 1 : 0)
    let fitting = max(1, min(length, width - (column - 1 - skipped)))
    return (shown, String(repeating: " ", count: indent) + "^" + String(repeating: "~", count: fitting - 1))
  }
}

/// The text with every character that could move a terminal's cursor or reverse text replaced by `�`, tabs by a space.
func visible(_ text: String) -> String {
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    switch scalar.value {
    case 0x09: result.append(" ")
    case 0x00...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: result.append("\u{FFFD}")
    default: result.append(scalar)
    }
  }
  return String(result)
}
