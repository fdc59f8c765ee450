/// Why a text is not a JSON document, and the offset of the byte at which that shows.
package struct JSONError: Error, Hashable, Sendable {
  package let message: String
  package let offset: Int
  /// Whether the text is JSON, and holds a number that no double can hold: 1e400.
  package var isOfNumberSize: Bool { message == Self.numberTooLarge }

  static let numberTooLarge = "number out of range"
}

extension JSON {
  /// How deeply arrays and objects may be nested; more is refused so that hostile text cannot exhaust the stack.
  package static let maximumDepth = 128

  /// Reads one document (RFC 8259). Duplicate member names are refused.
  package init(parsing text: some Sequence<UInt8>) throws(JSONError) {
    var parser = JSONParser(bytes: Array(text))
    self = try parser.document()
  }

  /// Reads one document from text.
  package init(parsing text: String) throws(JSONError) {
    try self.init(parsing: text.utf8)
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  var offset = 0

  mutating func document() throws(JSONError) -> JSON {
    let value = try value(depth: 0)
    skipSpace()
    guard offset == bytes.count else { throw error("unexpected text after the document") }
    return value
  }

  private func error(_ message: String) -> JSONError { JSONError(message: message, offset: offset) }

  private mutating func skipSpace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x09, 0x0A, 0x0D: offset += 1
      default: return
      }
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSON {
    guard depth <= JSON.maximumDepth else { throw error("nested deeper than \(JSON.maximumDepth) levels") }
    skipSpace()
    guard offset < bytes.count else { throw error("unexpected end") }
    switch bytes[offset] {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(_ word: String, _ value: JSON) throws(JSONError) -> JSON {
    guard bytes[offset...].starts(with: word.utf8) else { throw error("unexpected character") }
    offset += word.utf8.count
    return value
  }

  private mutating func object(_ depth: Int) throws(JSONError) -> JSON {
    offset += 1
    var members: [JSON.Member] = []
    var names = MemberNames()
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipSpace()
      guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { throw error("expected a member name") }
      let name = try string()
      guard names.insert(name, into: members) else { throw error("duplicate member \"\(name)\"") }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw error("expected ':'") }
      members.append(JSON.Member(name, try value(depth: depth + 1)))
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw error("expected ',' or '}'") }
    }
  }

  private mutating func array(_ depth: Int) throws(JSONError) -> JSON {
    offset += 1
    var elements: [JSON] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw error("expected ',' or ']'") }
    }
  }

  private mutating func digits() throws(JSONError) {
    let start = offset
    while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
    guard offset > start else { throw error("expected a value") }
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = offset
    var isInteger = true
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if isInteger, let number = Int64(text) { return .int(number) }
    guard let number = Double(text), number.isFinite else { throw error(JSONError.numberTooLarge) }
    return .double(number)
  }

  private mutating func string() throws(JSONError) -> String {
    offset += 1
    if let text = plainASCII() { return text }
    var text: [UInt8] = []
    while let end = endOfPlainText() {
      text.append(contentsOf: bytes[offset..<end])
      offset = end + 1
      switch bytes[end] {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else { throw error("text is not UTF-8") }
        return string
      case UInt8(ascii: "\\"): try escape(into: &text)
      default: throw error("control character in a string")
      }
    }
    offset = bytes.count
    throw error("unterminated string")
  }

  /// A string without escapes and of ASCII alone, which most are: it needs no validation. Nil, with nothing taken, for any
  /// other.
  private mutating func plainASCII() -> String? {
    let start = offset
    let text = bytes.withUnsafeBufferPointer { bytes -> String? in
      var end = start
      while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
        guard bytes[end] >= 0x20, bytes[end] < 0x80, bytes[end] != UInt8(ascii: "\\") else { return nil }
        end += 1
      }
      guard end < bytes.count else { return nil }
      return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
    }
    if let text { offset += text.utf8.count + 1 }
    return text
  }

  /// The next quote, backslash or control character: what stands before it is taken in one piece.
  private func endOfPlainText() -> Int? {
    bytes.withUnsafeBufferPointer { bytes in
      bytes[offset...].firstIndex { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
    }
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard offset < bytes.count else { throw error("unterminated string") }
    let byte = bytes[offset]
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try unicodeEscape())).utf8)
    default: throw error("unknown escape")
    }
  }

  private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xD800..<0xDC00).contains(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
      throw error("lone surrogate")
    }
    let second = try codeUnit()
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
    else { throw error("lone surrogate") }
    return scalar
  }

  private mutating func codeUnit() throws(JSONError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard offset < bytes.count, let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue else {
        throw error("expected four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
      offset += 1
    }
    return unit
  }
}

/// The names of an object that is being read: a few are compared one by one, many are kept in a set.
private struct MemberNames {
  private var set: Set<String> = []
  private static let few = 24

  /// False for a name that is there already.
  ///
  /// - Parameter members: what was read of the object before.
  mutating func insert(_ name: String, into members: [JSON.Member]) -> Bool {
    guard members.count >= Self.few else { return !members.contains { $0.name == name } }
    if set.isEmpty { set = Set(members.map(\.name)) }
    return set.insert(name).inserted
  }
}
