internal import Schema

/// Reads the variables of a ``ExpressionEvaluation``: JSON, or YAML.
///
/// Plain scalars are read by YAML 1.2's core schema (10.3.2), without `.inf` and `.nan`: they are texts.
enum EvaluationBindings {
  /// The variables in the order of the file; throws what is wrong, each at its line and column.
  static func read(_ file: (name: String, bytes: [UInt8])) throws(Issues) -> [(name: String, value: Value)] {
    func problem(_ message: String, at range: SourceRange) -> Issues {
      Issues([Issue(.error, "invalid-binding", message, at: range)])
    }
    var json: JSON?
    do throws(JSONError) { json = try JSON(parsing: file.bytes) } catch {
      let isJSON = file.name.hasSuffix(".json") || file.bytes.first { !isSpace($0) } == UInt8(ascii: "{")
      if isJSON { throw problem("the file is no JSON: \(error.message)", at: place(error.offset, in: file)) }
    }
    if let json {
      guard case .object(let members) = json else {
        throw problem("the file of variables is no JSON object", at: place(0, in: file))
      }
      return members.map { ($0.name, Value($0.value)) }
    }
    let log = IssueLog()
    let document = Document(file.bytes, file: file.name, log: log)
    guard !log.hasErrors, let document else { throw Issues(log.sorted) }
    guard case .mapping(let mapping) = document.root else {
      throw problem("the file of variables is no mapping of names to values", at: document.root.range)
    }
    return mapping.entries.map { ($0.key.text, value($0.value)) }
  }

  /// The line and column of a byte of the file.
  private static func place(_ offset: Int, in file: (name: String, bytes: [UInt8])) -> SourceRange {
    let before = file.bytes.prefix(offset)
    let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let column = String(decoding: before[lineStart...], as: UTF8.self).unicodeScalars.count + 1
    return SourceRange(file: file.name, line: before.count { $0 == 0x0A } + 1, column: column)
  }

  private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

  private static func value(_ node: YAMLNode) -> Value {
    switch node {
    case .mapping(let mapping): .members(mapping.entries.map { Value.Member($0.key.text, value($0.value)) })
    case .sequence(let sequence): .list(sequence.elements.map(value))
    case .scalar(let scalar) where scalar.style == .plain: plain(scalar.text)
    case .scalar(let scalar): .string(scalar.text)
    case .refused: .null
    }
  }

  private static func plain(_ text: String) -> Value {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default:
      for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
        return Int64(text.dropFirst(2), radix: radix).map(Value.int) ?? .string(text)
      }
      guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return .string(text) }
      if let number = Int64(text) { return .int(number) }
      guard let number = Double(text), number.isFinite else { return .string(text) }
      return .double(number)
    }
  }
}
