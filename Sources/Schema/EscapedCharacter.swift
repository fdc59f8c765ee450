/// A character, or one byte of it, that stands escaped in a text.
struct EscapedCharacter {
  /// What it stands for, in UTF-8.
  let bytes: [UInt8]
  /// How many bytes of the text it takes.
  let length: Int

  /// What an escape can begin with.
  static let introducers: [UInt8] = Array("%\\&=".utf8)

  /// Reads `%2F` (RFC 3986), `=2F` (RFC 2045, section 6.7), `\/`, `\n`, `\x2f`, `\u002f` with surrogates (RFC 8259, section 7), and
  /// `&#47;`, `&#x2f;`, `&amp;` (HTML); nil if there is none of them.
  init?(in text: UnsafeBufferPointer<UInt8>, at index: Int) {
    guard index < text.count else { return nil }
    switch text[index] {
    case UInt8(ascii: "%"), UInt8(ascii: "="):
      guard let byte = Self.hexNumber(text, index + 1, 2) else { return nil }
      self.init([UInt8(byte)], 3)
    case UInt8(ascii: "\\"): self.init(backslashIn: text, at: index)
    case UInt8(ascii: "&"): self.init(referenceIn: text, at: index)
    default: return nil
    }
  }

  private init(_ bytes: [UInt8], _ length: Int) {
    self.bytes = bytes
    self.length = length
  }

  private init?(_ scalar: UInt32, _ length: Int) {
    guard let scalar = Unicode.Scalar(scalar) else { return nil }
    self.init(Array(String(scalar).utf8), length)
  }

  private init?(backslashIn text: UnsafeBufferPointer<UInt8>, at index: Int) {
    guard index + 1 < text.count else { return nil }
    switch text[index + 1] {
    case UInt8(ascii: "u"):
      guard let unit = Self.hexNumber(text, index + 2, 4) else { return nil }
      guard (0xD800..<0xDC00).contains(unit), index + 7 < text.count, text[index + 6] == UInt8(ascii: "\\"),
        text[index + 7] == UInt8(ascii: "u"), let low = Self.hexNumber(text, index + 8, 4), low >= 0xDC00
      else {
        self.init(unit, 6)
        return
      }
      self.init(0x10000 + ((unit - 0xD800) << 10) + (low & 0x3FF), 12)
    case UInt8(ascii: "x"):
      guard let byte = Self.hexNumber(text, index + 2, 2) else { return nil }
      self.init([UInt8(byte)], 4)
    case UInt8(ascii: "n"): self.init([0x0A], 2)
    case UInt8(ascii: "r"): self.init([0x0D], 2)
    case UInt8(ascii: "t"): self.init([0x09], 2)
    case UInt8(ascii: "b"): self.init([0x08], 2)
    case UInt8(ascii: "f"): self.init([0x0C], 2)
    // `\"`, `\\`, `\/`, and what shells write: `\$`.
    case let byte where byte < 0x80 && byte > 0x20: self.init([byte], 2)
    default: return nil
    }
  }

  private init?(referenceIn text: UnsafeBufferPointer<UInt8>, at index: Int) {
    let rest = text[(index + 1)..<min(index + 10, text.count)]
    guard let end = rest.firstIndex(of: UInt8(ascii: ";")) else { return nil }
    let name = String(decoding: text[(index + 1)..<end], as: UTF8.self)
    let length = end + 1 - index
    switch name {
    case "amp": self.init([UInt8(ascii: "&")], length)
    case "lt": self.init([UInt8(ascii: "<")], length)
    case "gt": self.init([UInt8(ascii: ">")], length)
    case "quot": self.init([UInt8(ascii: "\"")], length)
    case "apos": self.init([UInt8(ascii: "'")], length)
    case _ where name.hasPrefix("#x") || name.hasPrefix("#X"):
      guard let number = UInt32(name.dropFirst(2), radix: 16) else { return nil }
      self.init(number, length)
    case _ where name.hasPrefix("#"):
      guard let number = UInt32(name.dropFirst()) else { return nil }
      self.init(number, length)
    default: return nil
    }
  }

  private static func hexNumber(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> UInt32? {
    guard start + count <= text.count else { return nil }
    var number: UInt32 = 0
    for byte in text[start..<(start + count)] {
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x37
      case 0x61...0x66: digit = byte - 0x57
      default: return nil
      }
      number = number << 4 | UInt32(digit)
    }
    return number
  }
}
