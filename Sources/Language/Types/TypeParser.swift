internal import Schema

/// Why a text names no type, and which part of it: UTF-8 offsets.
struct TypeError: Error {
  var message: String
  var start: Int
  var end: Int
  /// The type that was most likely meant, if one is known.
  var meant: String?
  var suggestion: String?
}

extension ValueType {
  /// Reads a type as runbooks write it: `list<duration>`, `record{host: host, port: optional<port>}`, `enum(udp, tcp)`.
  init(parsing text: String) throws(TypeError) {
    var parser = TypeParser(bytes: Array(text.utf8))
    self = try parser.wholeType()
  }

  /// A regular expression (ECMA 262) that the text of every type matches; what stands inside of `list<…>` may be anything.
  static let writtenPattern: String = {
    let simple = Self.simple.map(\.description).sorted().joined(separator: "|")
    return #"^\s*(("# + simple + #")\s*$|(list|map|optional|secret)\s*<|enum\s*\(|record\s*\{)"#
  }()
}

private struct TypeParser {
  let bytes: [UInt8]
  private var offset = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private static let maximumDepth = 16
  private static let simple = Dictionary(uniqueKeysWithValues: ValueType.simple.map { ($0.description, $0) })
  /// What other languages call the types.
  private static let foreign = [
    "float": "double", "number": "double", "decimal": "double", "integer": "int", "boolean": "bool", "str": "string",
    "text": "string", "size": "bytesize", "array": "list<…>", "object": "record{…}", "dict": "map<…>",
    "struct": "record{…}", "datetime": "timestamp", "date": "timestamp", "time": "timestamp", "hostname": "host",
    "uri": "url", "file": "path", "server": "turn-server",
  ]
  private static let generic = ["list", "map", "optional", "secret", "enum", "record"]

  mutating func wholeType() throws(TypeError) -> ValueType {
    let type = try self.type(depth: 0)
    skipSpace()
    guard offset == bytes.count else { throw error("unexpected text after the type \(type)", to: bytes.count) }
    return type
  }

  private func error(
    _ message: String, from start: Int? = nil, to end: Int? = nil, meant: String? = nil, _ suggestion: String? = nil
  ) -> TypeError {
    let start = start ?? offset
    return TypeError(
      message: message, start: start, end: max(end ?? start + 1, start), meant: meant, suggestion: suggestion)
  }

  private mutating func skipSpace() {
    while offset < bytes.count, [0x20, 0x0A].contains(bytes[offset]) { offset += 1 }
  }

  private mutating func take(_ character: Character) -> Bool {
    skipSpace()
    guard offset < bytes.count, bytes[offset] == character.asciiValue else { return false }
    offset += 1
    return true
  }

  private mutating func expect(_ character: Character) throws(TypeError) {
    guard take(character) else {
      let found = offset < bytes.count ? "\"\(text(offset, min(bytes.count, offset + 1)))\"" : "the end"
      throw error("expected \"\(character)\", found \(found)")
    }
  }

  private func text(_ start: Int, _ end: Int) -> String { String(decoding: bytes[start..<end], as: UTF8.self) }

  /// A word of letters, digits, hyphens and underscores, and where it begins; empty if there is none.
  private mutating func word() -> (text: String, start: Int) {
    skipSpace()
    let start = offset
    while offset < bytes.count, Self.isWord(bytes[offset]) { offset += 1 }
    return (text(start, offset), start)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: byte >= 0x80
    }
  }

  private mutating func type(depth: Int) throws(TypeError) -> ValueType {
    guard depth < Self.maximumDepth else { throw error("types are nested more than \(Self.maximumDepth) deep") }
    let (name, start) = word()
    switch name {
    case "list": return .list(try parameter(depth))
    case "map": return .map(try parameter(depth))
    case "secret": return .secret(try parameter(depth))
    case "optional":
      let wrapped = try parameter(depth)
      if case .optional = wrapped { throw error("an optional of an optional means nothing", from: start, to: offset) }
      return .optional(wrapped)
    case "enum": return .enumeration(try names())
    case "record": return .record(try record(depth))
    case "": throw error("expected a type, such as string or list<duration>", to: offset + 1)
    default:
      if let type = Self.simple[name] { return type }
      let meant = Self.foreign[name.lowercased()] ?? nearName(to: name, among: Self.simple.keys + Self.generic)
      if let meant, meant.contains("…") {
        throw error("\"\(name)\" is not a type", from: start, to: offset, didYouMean(meant))
      }
      let list = "types are \((Self.simple.keys.sorted() + Self.generic).joined(separator: ", "))"
      throw error("\"\(name)\" is not a type", from: start, to: offset, meant: meant, list)
    }
  }

  private mutating func parameter(_ depth: Int) throws(TypeError) -> ValueType {
    try expect("<")
    let type = try type(depth: depth + 1)
    try expect(">")
    return type
  }

  private mutating func names() throws(TypeError) -> [String] {
    try expect("(")
    var names: [String] = []
    repeat {
      let (name, start) = word()
      guard !name.isEmpty else { throw error("expected a name") }
      guard !names.contains(name) else { throw error("\"\(name)\" stands here twice", from: start, to: offset) }
      names.append(name)
    } while take(",")
    try expect(")")
    return names
  }

  private mutating func record(_ depth: Int) throws(TypeError) -> RecordType {
    try expect("{")
    var fields: [FieldDeclaration] = []
    repeat {
      let (name, start) = word()
      guard isIdentifier(name) else {
        throw error("a field's name is a lower-case letter, then letters and digits", from: start, to: offset)
      }
      guard !fields.contains(where: { $0.name == name }) else {
        throw error("the field \"\(name)\" stands here twice", from: start, to: offset)
      }
      try expect(":")
      let type = try type(depth: depth + 1)
      let fallback: Value? = if case .optional = type { .null } else { nil }
      fields.append(FieldDeclaration(name: name, type: type, fallback: fallback, summary: ""))
    } while take(",")
    try expect("}")
    return RecordType(fields: fields)
  }
}
