internal import Schema

/// A bracket of a flow collection that is not closed where it should be.
struct OpenBracket {
  /// `[` or `{`.
  var bracket: Unicode.Scalar
  var index: Int
  /// The bracket of the other kind that stands where it should be closed; nil if the collection just goes on.
  var mistakenCloser: Unicode.Scalar?

  /// The innermost bracket that is open where a flow collection must have ended: at a closing bracket of the other kind, at a line
  /// that is indented no deeper than the one on which the collection begins, or at the end. Nil if every bracket is closed.
  ///
  /// - Parameter start: the index of the bracket that begins the collection.
  init?(from start: Int, in source: SourceText) {
    let scalars = source.scalars
    guard start < scalars.count else { return nil }
    let first = source.scalars(ofLine: source.line(at: start))
    let indentation = first.prefix { $0 == " " }.count
    var open: [(bracket: Unicode.Scalar, index: Int)] = []
    var index = start
    var quote: Unicode.Scalar?
    while index < scalars.count {
      let scalar = scalars[index]
      defer { index += 1 }
      if let end = quote {
        let isEscape = end == "\"" ? scalar == "\\" : scalar == "'" && scalars[(index + 1)...].first == "'"
        if isEscape {
          index += 1
        } else if scalar == end {
          quote = nil
        }
        continue
      }
      let before = index > start ? scalars[index - 1] : " "
      switch scalar {
      case "\"", "'":
        // Inside a word a quote is part of it.
        if " [{,:\n".unicodeScalars.contains(before) { quote = scalar }
      case "[", "{": open.append((scalar, index))
      case "]", "}":
        guard let last = open.popLast() else { return nil }
        guard (last.bracket == "[") == (scalar == "]") else {
          self.init(bracket: last.bracket, index: last.index, mistakenCloser: scalar)
          return
        }
        if open.isEmpty { return nil }
      case "\n":
        let line = scalars[(index + 1)...].prefix { $0 != "\n" && $0 != "\r" }
        let blanks = line.prefix { $0 == " " }.count
        let isContent = line.count > blanks && line.dropFirst(blanks).first != "#"
        let closes = line.dropFirst(blanks).first.map { $0 == "]" || $0 == "}" } ?? false
        if isContent, !closes, blanks <= indentation, let last = open.last {
          self.init(bracket: last.bracket, index: last.index)
          return
        }
      case "#" where before == " " || before == "\n":
        while index + 1 < scalars.count, scalars[index + 1] != "\n" { index += 1 }
      default: break
      }
    }
    guard let last = open.last else { return nil }
    self.init(bracket: last.bracket, index: last.index)
  }

  private init(bracket: Unicode.Scalar, index: Int, mistakenCloser: Unicode.Scalar? = nil) {
    self.bracket = bracket
    self.index = index
    self.mistakenCloser = mistakenCloser
  }

  var closer: Unicode.Scalar { bracket == "[" ? "]" : "}" }

  func issue(in source: SourceText) -> Issue {
    let message =
      mistakenCloser.map { "the \(bracket) that opens here is not closed before the next \($0)" }
      ?? "the \(bracket) that opens here is not closed"
    return Issue(
      .error, "yaml", message, at: source.range(index, index + 1),
      suggestion: "close it with \(closer); text that begins with \(bracket) needs quotes")
  }
}
