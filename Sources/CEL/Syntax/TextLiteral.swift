/// Decodes the literals of texts and octets.
struct TextLiteral {
  /// Why a literal is none, and where in the source.
  struct Failure: Error {
    let message: String
    let range: CELSourceRange
  }

  private let bytes: [UInt8]
  private let isBytes: Bool
  private var position: Int
  private let end: Int
  private var output: [UInt8] = []

  /// The octets that the literal at `token` stands for.
  static func decode(_ token: Token, in bytes: [UInt8]) throws(Failure) -> [UInt8] {
    var start = token.start
    var isRaw = false
    var isBytes = false
    while bytes[start].isLetter {
      if bytes[start] | 0x20 == UInt8(ascii: "r") { isRaw = true } else { isBytes = true }
      start += 1
    }
    let quote = bytes[start]
    let length = token.end - start
    let isTriple = length >= 6 && bytes[start + 1] == quote && bytes[start + 2] == quote
    let margin = isTriple ? 3 : 1
    let content = bytes[(start + margin)..<(token.end - margin)]
    if isRaw || !content.contains(UInt8(ascii: "\\")) { return Array(content) }
    var literal = TextLiteral(
      bytes: bytes, isBytes: isBytes, position: content.startIndex, end: content.endIndex)
    return try literal.unescape()
  }

  private init(bytes: [UInt8], isBytes: Bool, position: Int, end: Int) {
    self.bytes = bytes
    self.isBytes = isBytes
    self.position = position
    self.end = end
  }

  private mutating func unescape() throws(Failure) -> [UInt8] {
    output.reserveCapacity(end - position)
    while position < end {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\\") {
        try escape()
      } else {
        output.append(byte)
        position += 1
      }
    }
    return output
  }

  private mutating func escape() throws(Failure) {
    let start = position
    position += 1
    guard position < end else { throw Failure(message: "'\\' escapes nothing", range: CELSourceRange(start, end)) }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "a"): output.append(0x07)
    case UInt8(ascii: "b"): output.append(0x08)
    case UInt8(ascii: "f"): output.append(0x0C)
    case UInt8(ascii: "n"): output.append(0x0A)
    case UInt8(ascii: "r"): output.append(0x0D)
    case UInt8(ascii: "t"): output.append(0x09)
    case UInt8(ascii: "v"): output.append(0x0B)
    case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "?"):
      output.append(byte)
    case UInt8(ascii: "x"), UInt8(ascii: "X"): try number(digits: 2, radix: 16, from: start)
    case UInt8(ascii: "u") where !isBytes: try number(digits: 4, radix: 16, from: start)
    case UInt8(ascii: "U") where !isBytes: try number(digits: 8, radix: 16, from: start)
    case UInt8(ascii: "0")...UInt8(ascii: "3"):
      position -= 1
      try number(digits: 3, radix: 8, from: start)
    default:
      while position < end, bytes[position] & 0xC0 == 0x80 { position += 1 }
      let text = String(decoding: bytes[start..<position], as: UTF8.self)
      throw Failure(message: "'\(text)' is no escape", range: CELSourceRange(start, position))
    }
  }

  private mutating func number(digits: Int, radix: UInt32, from start: Int) throws(Failure) {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard position < end, let digit = bytes[position].hexValue, digit < radix, value < 0x1000_0000 else {
        throw Failure(message: "the escape needs \(digits) digits", range: CELSourceRange(start, position))
      }
      value = value * radix + digit
      position += 1
    }
    if isBytes {
      output.append(UInt8(truncatingIfNeeded: value))
    } else if let scalar = Unicode.Scalar(value) {
      output += Array(String(scalar).utf8)
    } else {
      throw Failure(message: "the escape is no code point", range: CELSourceRange(start, position))
    }
  }
}
