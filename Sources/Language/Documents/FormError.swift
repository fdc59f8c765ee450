internal import Schema

extension YAMLEvents.Failure {
  /// The failure as people need it: where, what, and how the usual causes are mended.
  ///
  /// - Parameter lastScalar: the last one that could be read.
  func issue(in source: SourceText, bytes: ArraySlice<UInt8>, behind lastScalar: YAMLNode.Scalar?) -> Issue {
    var index = index
    if isByteIndex {
      let before = bytes[bytes.startIndex..<min(bytes.startIndex + index, bytes.endIndex)]
      index = String(decoding: before, as: UTF8.self).unicodeScalars.count
    }
    index = min(index, source.scalars.count)
    let line = source.scalars(ofLine: source.line(at: index))
    let range = source.range(index, index + 1)
    if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
      let tab = line.firstIndex(of: "\t") ?? index
      return Issue(
        .error, "tab", "YAML does not allow tabs for indentation", at: source.range(tab, tab + 1),
        suggestion: "indent with spaces")
    }
    if problem.hasPrefix("Maximum nesting level") { return Document.tooDeep(at: range) }
    if let cause = typography(before: index, in: source) ?? unclosed(at: index, in: source, behind: lastScalar)
      ?? colon(before: index, in: source)
    {
      return cause
    }
    let context = context.map { " \($0)" } ?? ""
    return Issue(
      .error, "yaml", "this is not YAML: \(problem)\(context)", at: range,
      suggestion: Self.suggestion(for: problem, line: line, at: index))
  }

  /// How many lines before the failure its cause is looked for.
  private static let linesBefore = 10

  /// A blank that YAML takes for a letter, or a dash in place of the hyphen of a list, near the failure.
  private func typography(before index: Int, in source: SourceText) -> Issue? {
    let last = source.line(at: index)
    for number in stride(from: last, through: max(1, last - Self.linesBefore), by: -1) {
      let line = source.scalars(ofLine: number)
      if let place = Self.foreignBlank(in: line) {
        return foreignBlankIssue(source.scalars[place], at: place, in: source)
      }
      if let first = line.firstIndex(where: { $0 != " " }), line[first].isTypographicDash,
        line[(first + 1)...].first?.properties.isWhitespace == true
      {
        return Issue(
          .error, "yaml", "the line begins with a dash that is no hyphen: \(line[first].spokenName)",
          at: source.range(first, first + 1), suggestion: "write a hyphen: -")
      }
    }
    return nil
  }

  /// Where in a line a blank of the language stands for one that is none: before everything else, or behind `-`, `:`, `,` or an
  /// opening bracket.
  private static func foreignBlank(in line: ArraySlice<Unicode.Scalar>) -> Int? {
    var before: Unicode.Scalar?
    for (index, scalar) in zip(line.indices, line) {
      if scalar == "#", before == nil || line[index - 1] == " " { return nil }
      if scalar.isForeignBlank {
        guard let before, !"-:,[{".unicodeScalars.contains(before) else { return index }
      } else if scalar != " " {
        before = scalar
      }
    }
    return nil
  }

  /// A bracket or a quote that is not closed where it should be, or closed once too often.
  private func unclosed(at index: Int, in source: SourceText, behind lastScalar: YAMLNode.Scalar?) -> Issue? {
    let scalars = source.scalars
    let isFlow = context?.contains("flow") == true
    // An expression that was not quoted has braces of its own, which is said elsewhere.
    let line = source.scalars(ofLine: source.line(at: index))
    if isFlow, let start = contextIndex, !Self.holdsExpression(line), let open = OpenBracket(from: start, in: source) {
      return open.issue(in: source)
    }
    if context?.contains("quoted scalar") == true, let start = contextIndex, start < scalars.count {
      return Issue(
        .error, "yaml", "the \(scalars[start]) that opens here is not closed", at: source.range(start, start + 1),
        suggestion: "close it with \(scalars[start])")
    }
    if let scalar = lastScalar, scalar.style == .singleQuoted || scalar.style == .doubleQuoted,
      source.line(at: scalar.start) < source.line(at: scalar.end),
      source.line(at: scalar.end) == source.line(at: index),
      index >= scalar.end
    {
      let quote = scalars[scalar.start]
      return Issue(
        .error, "yaml", "the \(quote) that opens here is closed in line \(source.line(at: scalar.end)) only",
        at: source.range(scalar.start, scalar.start + 1), suggestion: "close it with \(quote) where the text ends")
    }
    if index < scalars.count, scalars[index] == "]" || scalars[index] == "}", !isFlow {
      return Issue(
        .error, "yaml", "there is one \(scalars[index]) too many", at: source.range(index, index + 1),
        suggestion: "remove it; text that begins with a bracket needs quotes")
    }
    return nil
  }

  /// A key before the failure that has no colon, or no blank behind it.
  private func colon(before index: Int, in source: SourceText) -> Issue? {
    let failing = source.line(at: index)
    let lines = stride(from: failing - 1, through: max(1, failing - Self.linesBefore), by: -1).map {
      source.scalars(ofLine: $0)
    }
    guard let line = lines.first(where: { $0.contains { $0 != " " } }) else { return nil }
    let content = line.drop { $0 == " " || $0 == "-" }
    let key = content.prefix { $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil) }
    guard !key.isEmpty else { return nil }
    let name = String(String.UnicodeScalarView(key))
    let behind = content[key.endIndex...]
    let place = source.range(key.startIndex, content.endIndex)
    if problem.hasPrefix("could not find expected ':'"), behind.allSatisfy({ $0 == " " }) {
      return Issue(
        .error, "yaml", "\"\(name)\" has no colon behind it", at: place, suggestion: "write \(name): if it is a key")
    }
    guard problem.hasPrefix("mapping values are not allowed"), behind.first == ":", behind.count > 1,
      behind[behind.startIndex + 1] != " ", !String(String.UnicodeScalarView(behind)).contains(": ")
    else { return nil }
    return Issue(
      .error, "yaml", "no blank stands behind the colon of \"\(name)\"", at: place,
      suggestion: "write \(name): \(String(String.UnicodeScalarView(behind.dropFirst())))")
  }

  private static func holdsExpression(_ line: ArraySlice<Unicode.Scalar>) -> Bool {
    String(String.UnicodeScalarView(line)).contains("${")
  }

  /// Advice where an expression stands unquoted in a place where YAML reads its characters as its own.
  private static func suggestion(for problem: String, line: ArraySlice<Unicode.Scalar>, at index: Int) -> String? {
    let text = String(String.UnicodeScalarView(line.prefix(200)))
    guard let value = value(ofLine: text) else { return nil }
    if text.contains("record{") { return "a type with braces needs quotes: \"record{…}\"" }
    if value.contains("${"), value.hasPrefix("{") || value.hasPrefix("[") {
      return "inside { } and [ ], an expression needs quotes: \"${…}\""
    }
    if let first = value.unicodeScalars.first, first.isTypographicQuote {
      let inner = withoutTypographicQuotes(String(value)) ?? String(value.dropFirst())
      return "YAML knows the quotes \" and ' only: write \(quoted(inner))"
    }
    switch value.first {
    case "'" where line.indices.contains(index) && line[index].properties.isAlphabetic:
      let inner = value.dropFirst()
      return
        "inside '…' an apostrophe is written twice; simpler: \(quoted(inner.hasSuffix("'") ? inner.dropLast() : inner))"
    case "\"", "'":
      return "YAML ends the value at the closing quote; quote the whole: \(quoted(value))"
    case "@", "`", "%", "|", ">":
      return "a value that begins with \(value.prefix(1)) needs quotes: \(quoted(value))"
    case "{", "[":
      return "a value that begins with \(value.prefix(1)) is read as a collection; text needs quotes: \(quoted(value))"
    default: break
    }
    if value.contains(": ") || value.hasSuffix(":") {
      return "a value that holds \": \" needs quotes: \(quoted(value))"
    }
    return nil
  }

  /// What stands behind the first `key: ` or `- ` of a line.
  private static func value(ofLine line: String) -> Substring? {
    var rest = line.drop { $0 == " " }
    while rest.hasPrefix("- ") { rest = rest.dropFirst(2).drop { $0 == " " } }
    let key = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == "." }
    let behind = rest[key.endIndex...]
    if !key.isEmpty, behind.hasPrefix(": ") { rest = behind.dropFirst(2).drop { $0 == " " } }
    return rest.isEmpty ? nil : rest
  }
}

/// A blank that neither YAML nor an expression takes for one.
func foreignBlankIssue(_ scalar: Unicode.Scalar, at index: Int, in source: SourceText) -> Issue {
  Issue(
    .error, "invisible-character", "YAML takes this blank for a letter: \(scalar.spokenName)",
    at: source.range(index, index + 1),
    suggestion: "write an ordinary space, or remove it; if it belongs to a text, quote the text")
}
