internal import Schema

/// One YAML document with its text, every scalar still undecided.
struct Document {
  let source: SourceText
  let root: YAMLNode

  /// The most bytes that a document may have.
  static let maximumSize = 2 << 20
  /// How deeply mappings and lists may be nested.
  static let maximumDepth = 64
  static func tooDeep(at range: SourceRange) -> Issue {
    Issue(.error, "too-deep", "mappings and lists are nested more than \(maximumDepth) deep", at: range)
  }

  /// After so many problems of form a text is not read on: it is not meant to be a document.
  static let maximumIssues = 100

  /// Reads a document; nil if its form is so broken that nothing can be said of what it holds.
  ///
  /// Reports anchors, aliases, tags, merge keys, duplicate keys, directives, further documents, too much depth or size,
  /// and characters that cannot be seen, each at its place. What was refused is ``YAMLNode/refused(_:)`` in the tree.
  init?(_ bytes: [UInt8], file: String, log: IssueLog) {
    guard let source = Self.source(bytes, file: file, log: log) else { return nil }
    var builder = DocumentBuilder(source: source, log: log)
    guard let root = builder.document(bytes.starts(with: byteOrderMark) ? bytes.dropFirst(3) : bytes[...]) else {
      return nil
    }
    self.source = source
    self.root = root
  }

  private static func source(_ bytes: [UInt8], file: String, log: IssueLog) -> SourceText? {
    let start = SourceRange(file: file, line: 1, column: 1)
    guard bytes.count <= maximumSize else {
      log.error(
        "file-too-large", "the file has \(bytes.count) bytes; at most \(maximumSize) are read", at: start,
        suggestion: "split it: a check holds what several runbooks share")
      return nil
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let line = validPrefix(of: bytes).count { $0 == 0x0A } + 1
      log.error(
        "not-utf-8", "the line holds bytes that are not UTF-8", at: SourceRange(file: file, line: line, column: 1),
        suggestion: "save the file as UTF-8")
      return nil
    }
    let source = SourceText(file: file, text: text)
    guard let index = source.scalars.firstIndex(where: isInvisible) else { return source }
    log.error(
      "invisible-character",
      "the character U+\(String(source.scalars[index].value, radix: 16, uppercase: true)) cannot be seen, and changes how the text is read",
      at: source.range(index, index + 1), suggestion: "remove it, or write it as an escape in double quotes")
    return nil
  }

  private static func validPrefix(of bytes: [UInt8]) -> ArraySlice<UInt8> {
    var (low, high) = (0, bytes.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      // A prefix that ends inside a character is as good as valid: its line is the same.
      let repaired = String(decoding: bytes[..<middle], as: UTF8.self).unicodeScalars
      if repaired.dropLast(4).contains("\u{FFFD}") { high = middle } else { low = middle }
    }
    return bytes[..<low]
  }

  /// Control characters, line breaks that only YAML knows, and marks that reverse the direction of text: what a reader
  /// sees would not be what runs.
  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D: false
    case 0x00...0x1F, 0x7F...0x9F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF: true
    default: false
    }
  }
}

private let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
