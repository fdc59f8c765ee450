internal import Schema

/// The keys that one kind of mapping may have.
struct KeyTable {
  var known: [String]
  var required: [String] = []
  /// Keys that the language has and this version does not support: refused by name, never silently ignored.
  var unsupported: [String] = []
  /// What to write for keys of other tools.
  var foreign: [String: String] = [:]
}

/// Reads the keys of one mapping, reporting those that it may not have and those that it lacks.
struct MappingReader {
  let range: SourceRange
  let log: IssueLog
  /// Keys that are there and were refused as not supported.
  private let refused: [String]
  private let entries: [String: Node.Mapping.Entry]

  /// - Parameter subject: what the mapping is, as a sentence names it: "a step".
  /// Nil, with a report, where the node is no mapping.
  init?(_ node: Node, subject: String, _ table: KeyTable, log: IssueLog) {
    guard let mapping = MappingReader.mapping(node, subject: subject, log: log) else { return nil }
    var entries: [String: Node.Mapping.Entry] = [:]
    var refused: [String] = []
    for entry in mapping.entries {
      let name = entry.key.text
      if table.known.contains(name) {
        entries[name] = entry
      } else if table.unsupported.contains(name) {
        refused.append(name)
        log.error("unsupported-key", "\"\(name)\" is not supported by this version", at: entry.key.range)
      } else {
        let foreign = table.foreign[name].map { "write \($0)" }
        let near = nearName(to: name, among: table.known).map { "did you mean \"\($0)\"?" }
        let comma = entry.value.isMissingScalar ? "inside { }, text with a comma needs quotes" : nil
        log.error(
          "unknown-key", "\(subject) has no key \"\(name)\"", at: entry.key.range,
          suggestion: foreign ?? near ?? comma ?? "it may have \(table.known.joined(separator: ", "))")
      }
    }
    for name in table.required where entries[name] == nil && mapping[name] == nil {
      log.error("missing-key", "\(subject) needs the key \"\(name)\"", at: mapping.range)
    }
    self.entries = entries
    self.refused = refused
    range = mapping.range
    self.log = log
  }

  private static func mapping(_ node: Node, subject: String, log: IssueLog) -> Node.Mapping? {
    switch node {
    case .mapping(let mapping): return mapping
    case .refused: return nil
    case .scalar, .sequence:
      log.error("type-mismatch", "expected a mapping for \(subject), found \(node.kind)", at: node.range)
      return nil
    }
  }

  subscript(_ key: String) -> Node? { entries[key]?.value }

  /// True where the key is there and is not supported.
  func hasRefused(_ key: String) -> Bool { refused.contains(key) }

  func keyRange(_ key: String) -> SourceRange? { entries[key]?.key.range }

  /// The value of a key read by a type, without expressions; nil where it is absent or was reported.
  func literal(_ key: String, as type: ValueType) -> Value? {
    self[key].flatMap { ValueDecoder(log: log, expressions: .refused).literal($0, as: type) }
  }

  /// The text of a key, without expressions; nil where it is absent or was reported.
  func text(_ key: String) -> String? {
    if case .string(let text) = literal(key, as: .string) { text } else { nil }
  }

  /// Text for people, in which `${` means nothing.
  func prose(_ key: String) -> String? {
    let decoder = ValueDecoder(log: log, expressions: .literal)
    guard let node = self[key], case .string(let text) = decoder.literal(node, as: .string) else { return nil }
    return text
  }

  func duration(_ key: String) -> Duration? {
    guard case .duration(let duration) = literal(key, as: .duration) else { return nil }
    guard duration > .zero else {
      if let node = self[key] { log.error("out-of-bounds", "\"\(key)\" must be longer than zero", at: node.range) }
      return nil
    }
    return duration
  }

  func bool(_ key: String) -> Bool? {
    if case .bool(let flag) = literal(key, as: .bool) { flag } else { nil }
  }
}

extension Node {
  /// The elements of a list; nil, with a report, where the node is none.
  func elements(_ subject: String, log: IssueLog) -> [Node]? {
    switch self {
    case .sequence(let sequence): return sequence.elements
    case .refused: return nil
    case .scalar, .mapping:
      log.error(
        "type-mismatch", "expected a list for \(subject), found \(kind)", at: range,
        suggestion: "begin each element with \"- \"")
      return nil
    }
  }
}
