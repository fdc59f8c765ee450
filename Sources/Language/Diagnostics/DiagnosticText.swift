package import Schema
internal import TerminalText

/// Shows issues on a terminal: each with its place, and the source line with what is meant underlined.
package struct DiagnosticText: Sendable {
  private let usesColour: Bool
  /// Whether a file is one of `NAME=VALUE` lines, of which names alone are shown: the values may be secrets.
  private let holdsValues: @Sendable (String) -> Bool
  /// The bytes of a file, by the name that issues give it; nil if it cannot be shown.
  private let read: @Sendable (String) -> [UInt8]?

  package init(
    usesColour: Bool, hidingValuesOf holdsValues: @escaping @Sendable (_ file: String) -> Bool = { _ in false },
    reading read: @escaping @Sendable (_ file: String) -> [UInt8]?
  ) {
    self.usesColour = usesColour
    self.holdsValues = holdsValues
    self.read = read
  }

  /// All issues and a last line that counts them; empty if there are none. Lines end with LF.
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
    let ink: Ink = issue.severity == .error ? .boldRed : .boldYellow
    // An option of the command line and a variable of the environment have no lines.
    let hasLines = !range.file.hasPrefix("-") && !range.file.hasPrefix("$")
    let position = hasLines ? "\(range.line):\(range.column):" : ""
    let place = painted("\(terminalSafe(range.file)):\(position)", .bold)
    let severity = painted(issue.severity.rawValue + ":", ink)
    var text = "\(place) \(severity) \(terminalSafe(issue.message)) [\(issue.code)]\n"
    if hasLines, let line = shown(source?.scalars(ofLine: range.line) ?? [], of: range, hiding: secrets), !line.isEmpty
    {
      let (shown, mark) = Self.underlined(line, range)
      let number = "\(range.line)"
      let margin = String(repeating: " ", count: number.count)
      text += " \(number) | \(shown)\n \(margin) | \(painted(mark, ink))\n"
    }
    if let suggestion = issue.suggestion { text += "   \(painted("help:", .bold)) \(terminalSafe(suggestion))\n" }
    return text
  }

  /// The line without what must not be shown: the values of an environment file, secrets that stand in clear text. Nil
  /// if nothing is left of it.
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

  private func painted(_ text: String, _ ink: Ink) -> String { usesColour ? ink.paint(text) : text }

  /// The widest line that is shown whole; of a longer one, the part around the place.
  private static let width = 160

  private static func underlined(_ line: ArraySlice<Unicode.Scalar>, _ range: SourceRange) -> (String, String) {
    let column = min(range.column, line.count + 1)
    let skipped = column > width - 40 ? column - 40 : 0
    let shown = line.dropFirst(skipped).prefix(width)
    let before = shown.prefix(column - 1 - skipped)
    let meant = shown.dropFirst(before.count).prefix(max(1, min(range.endColumn, line.count + 1) - column))
    let lead = skipped > 0 ? "…" : ""
    let mark = "^" + String(repeating: "~", count: max(1, displayWidth(text(meant))) - 1)
    return (lead + text(shown), padded("", to: displayWidth(lead + text(before))) + mark)
  }

  /// Each character stands in a column of its own, or in two if it is wide, so that the mark stands below what it means.
  private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    terminalSafeInPlace(String(String.UnicodeScalarView(scalars)))
  }
}
