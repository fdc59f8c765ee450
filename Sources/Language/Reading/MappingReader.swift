internal import Schema

/// Reads the keys of one mapping, reporting those that it may not have and those that it lacks.
struct MappingReader<Key: DocumentKey> {
  let range: SourceRange
  let log: IssueLog
  /// Keys that are there and were refused as not supported.
  private let refused: Set<Key>
  private let entries: [Key: YAMLNode.Mapping.Entry]

  /// - Parameter subject: what the mapping is, as a sentence names it: "a step".
  /// Nil, with a report, if the node is no mapping.
  init?(_ node: YAMLNode, subject: String, log: IssueLog) {
    guard let mapping = MappingReader.mapping(node, subject: subject, log: log) else { return nil }
    var entries: [Key: YAMLNode.Mapping.Entry] = [:]
    var refused: Set<Key> = []
    for entry in mapping.entries {
      let name = entry.key.text
      if let key = Key(rawValue: name) {
        if key.declaration.isSupported {
          entries[key] = entry
        } else {
          refused.insert(key)
          log.error("unsupported-key", "\"\(name)\" is not supported by this version", at: entry.key.range)
        }
      } else {
        let known = Key.supported.map(\.name)
        let foreign = Key.foreign[name].map { "write \($0)" }
        let near = nearName(to: name, among: known)
        let comma = entry.value.isMissingScalar ? "inside { }, text with a comma needs quotes" : nil
        log.error(
          "unknown-key", "\(subject) has no key \"\(name)\"", at: entry.key.range,
          meant: foreign == nil ? near : nil,
          suggestion: foreign ?? comma ?? "it may have \(known.joined(separator: ", "))")
      }
    }
    for key in Key.supported where key.declaration.presence == .required && entries[key] == nil {
      log.error("missing-key", "\(subject) needs the key \"\(key.name)\"", at: mapping.range)
    }
    self.entries = entries
    self.refused = refused
    range = mapping.range
    self.log = log
  }

  private static func mapping(_ node: YAMLNode, subject: String, log: IssueLog) -> YAMLNode.Mapping? {
    switch node {
    case .mapping(let mapping): return mapping
    case .refused: return nil
    case .scalar, .sequence:
      log.error("type-mismatch", "expected a mapping for \(subject), found \(node.kind)", at: node.range)
      return nil
    }
  }

  subscript(_ key: Key) -> YAMLNode? { entries[key]?.value }

  /// The keys that are there of those that exclude each other.
  var alternatives: [Key] { Key.supported.filter { $0.declaration.presence == .alternative && entries[$0] != nil } }

  /// True if a key is there that would stand in the place of the alternatives, and is not supported.
  var hasRefusedAlternative: Bool { refused.contains { $0.declaration.presence == .alternative } }

  func keyRange(_ key: Key) -> SourceRange? { entries[key]?.key.range }

  /// The value of a key read by the type that its declaration gives, without expressions; nil if it is absent or was reported.
  func literal(_ key: Key) -> Value? {
    switch key.declaration.value {
    case .plain(let type): literal(key, as: type)
    case .count: literal(key, as: .int)
    default: literal(key, as: .string)
    }
  }

  private func literal(_ key: Key, as type: ValueType) -> Value? {
    self[key].flatMap { ValueDecoder(log: log, expressions: .refused).literal($0, as: type) }
  }

  /// The text of a key, without expressions; nil if it is absent or was reported.
  func text(_ key: Key) -> String? {
    if case .string(let text) = literal(key) { text } else { nil }
  }

  /// Text for people, in which `${` means nothing.
  func prose(_ key: Key) -> String? {
    let decoder = ValueDecoder(log: log, expressions: .literal)
    guard let node = self[key], case .string(let text) = decoder.literal(node, as: .string) else { return nil }
    return text
  }

  func duration(_ key: Key) -> Duration? {
    guard case .duration(let duration) = literal(key) else { return nil }
    guard duration > .zero else {
      if let node = self[key] { log.error("out-of-bounds", "\"\(key.name)\" must be longer than zero", at: node.range) }
      return nil
    }
    return duration
  }

  /// A whole number from 1; nil if the key is absent or was reported.
  func positive(_ key: Key, upTo most: Int = .max) -> Int? {
    guard case .int(let number)? = literal(key) else { return nil }
    if number > 0, let found = Int(exactly: number), found <= most { return found }
    if let node = self[key] {
      let bounds = number > 0 ? "at most \(most)" : "at least 1"
      log.error("out-of-bounds", "\"\(key.name)\" must be \(bounds), found \(number)", at: node.range)
    }
    return nil
  }

  func bool(_ key: Key) -> Bool? {
    if case .bool(let flag) = literal(key) { flag } else { nil }
  }

  /// One of the names of an enumeration; nil if the key is absent or was reported.
  func choice<Choice: RawRepresentable<String>>(_ key: Key, _: Choice.Type = Choice.self) -> Choice? {
    text(key).flatMap(Choice.init(rawValue:))
  }
}

extension YAMLNode {
  /// The elements of a list; nil, with a report, if the node is none.
  func elements(_ subject: String, log: IssueLog) -> [YAMLNode]? {
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
