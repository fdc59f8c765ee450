internal import Schema

extension YAMLEvents.Failure {
  /// The failure as people need it: where, what, and how the usual causes are mended.
  func issue(in source: SourceText, bytes: ArraySlice<UInt8>) -> Issue {
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
    let context = context.map { " \($0)" } ?? ""
    return Issue(
      .error, "yaml", "this is not YAML: \(problem)\(context)", at: range,
      suggestion: Self.suggestion(for: problem, line: line, at: index))
  }

  /// Advice where an expression stands unquoted in a place where YAML reads its characters as its own.
  private static func suggestion(for problem: String, line: ArraySlice<Unicode.Scalar>, at index: Int) -> String? {
    let text = String(String.UnicodeScalarView(line.prefix(200)))
    guard let value = value(ofLine: text) else { return nil }
    if text.contains("record{") { return "a type with braces needs quotes: \"record{…}\"" }
    if value.contains("${"), value.hasPrefix("{") || value.hasPrefix("[") {
      return "inside { } and [ ], an expression needs quotes: \"${…}\""
    }
    switch value.first {
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
