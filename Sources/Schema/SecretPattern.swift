/// One form in which a secret can stand in a text.
struct SecretPattern: Sendable {
  private enum Form: Sendable {
    /// As it is.
    case plain
    /// Any of its bytes may be escaped.
    case escaped
    /// In base64 with either alphabet, which may be escaped itself.
    case base64
    /// In pairs of digits, separated or not.
    case hex
  }

  private let form: Form
  /// What stands in the text once folds and escapes are undone, in small letters where case does not count.
  private let bytes: [UInt8]
  private let ignoresCase: Bool
  private let standsAlone: Bool
  /// Whether the characters of base64 before and behind hold a part of the secret's bits.
  private var sharesFirst = false
  private var sharesLast = false

  /// Every form of a secret; none of an empty one.
  static func all(of secret: String) -> [SecretPattern] {
    let isReliable = secret.count >= SecretMasking.reliableLength
    // A line of a key may be printed alone.
    let lines = secret.split(whereSeparator: \.isNewline).filter { $0.count >= 16 && !$0.hasPrefix("-----") }
    var texts = lines.count > 1 ? [secret] + lines.map(String.init) : [secret]
    // Capitals of other letters than a to z are other bytes.
    if isReliable, !secret.utf8.allSatisfy({ $0 < 0x80 }) {
      texts += Set([secret.uppercased(), secret.lowercased()]).subtracting([secret])
    }
    return texts.flatMap { text -> [SecretPattern] in
      // Lines may end otherwise there, or be folded elsewhere.
      let unfolded = Array(text.utf8).filter { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
      guard !unfolded.isEmpty else { return [] }
      let literal = [Form.plain, .escaped].map {
        SecretPattern($0, unfolded, ignoresCase: isReliable, standsAlone: !isReliable)
      }
      guard isReliable else { return literal }
      return literal + base64Forms(of: Array(text.utf8))
        + [SecretPattern(.hex, hexDigits(Array(text.utf8)), ignoresCase: true, standsAlone: false)]
    }
  }

  private init(_ form: Form, _ bytes: [UInt8], ignoresCase: Bool, standsAlone: Bool) {
    self.form = form
    self.bytes = ignoresCase ? bytes.map(smallLetter) : bytes
    self.ignoresCase = ignoresCase
    self.standsAlone = standsAlone
  }

  /// Base64 takes three bytes at a time: what stands before the secret decides which of three forms it has. Those characters
  /// count that hold bits of the secret alone.
  private static func base64Forms(of secret: [UInt8]) -> [SecretPattern] {
    (0..<3).map { offset in
      let whole = Array(Schema.base64([UInt8](repeating: 0, count: offset) + secret).utf8)
      let bits = 8 * (offset + secret.count)
      var pattern = SecretPattern(
        .base64, Array(whole[((8 * offset + 5) / 6)..<(bits / 6)]), ignoresCase: true, standsAlone: false)
      pattern.sharesFirst = offset > 0
      pattern.sharesLast = bits % 6 != 0
      return pattern
    }
  }

  private static func hexDigits(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  }

  func canBegin(with byte: UInt8) -> Bool {
    isEqual(byte, bytes[0])
      || (isEscapable && (EscapedCharacter.introducers.contains(byte) || byte == UInt8(ascii: "+")))
  }

  private var isEscapable: Bool { form == .escaped || form == .base64 }

  private func isEqual(_ byte: UInt8, _ own: UInt8) -> Bool {
    if byte == own { return true }
    switch form {
    // RFC 4648, section 5.
    case .base64 where byte == UInt8(ascii: "-"): return own == UInt8(ascii: "+")
    case .base64 where byte == UInt8(ascii: "_"): return own == UInt8(ascii: "/")
    default: return ignoresCase && smallLetter(byte) == own
    }
  }

  /// Where the secret stands if it begins at this index; nil if it does not.
  func range(in text: UnsafeBufferPointer<UInt8>, at start: Int, isCut: Bool) -> Range<Int>? {
    var index = start
    var matched = 0
    while matched < bytes.count {
      if index < text.count, let (length, count) = step(text, at: index, matched) {
        index += length
        matched += count
      } else if matched > 0, let fold = fold(in: text, at: index), fold < text.count || isCut {
        index = fold
      } else if form == .hex, matched > 0, matched % 2 == 0, let next = separator(in: text, at: index) {
        index = next
      } else {
        return isCut && matched > 0 && isEnd(text, index) ? start..<text.count : nil
      }
    }
    if standsAlone && (isWordCharacter(before: start, in: text) || isWordCharacter(at: index, in: text)) { return nil }
    return
      (sharesFirst && start > 0 && isBase64(text[start - 1]) ? start - 1 : start)..<(sharesLast
      ? padded(text, index) : index)
  }

  /// How many bytes of the text stand for how many of ours.
  private func step(_ text: UnsafeBufferPointer<UInt8>, at index: Int, _ matched: Int) -> (Int, Int)? {
    if isEscapable, let escaped = EscapedCharacter(in: text, at: index) {
      let rest = bytes[matched...]
      let meant = escaped.bytes
      if meant.count <= rest.count, zip(meant, rest).allSatisfy({ isEqual($0, $1) }) {
        return (escaped.length, meant.count)
      }
    }
    // As forms are sent.
    if form == .escaped && text[index] == UInt8(ascii: "+") && bytes[matched] == UInt8(ascii: " ") { return (1, 1) }
    return isEqual(text[index], bytes[matched]) ? (1, 1) : nil
  }

  /// Whether the text was cut off here: nothing is left, or the beginning of an escape.
  private func isEnd(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
    index >= text.count
      || (isEscapable && text.count - index < 6 && EscapedCharacter.introducers.contains(text[index]))
  }

  /// Behind a line break and the blanks that begin the next line; nil if there is none. The break may be escaped itself,
  /// or have a mark before it (`\` of shells, `=` of quoted-printable).
  private func fold(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
    var index = start
    if index < text.count, text[index] == UInt8(ascii: "\\") || text[index] == UInt8(ascii: "="),
      index + 1 < text.count,
      isLineBreak(text[index + 1])
    {
      index += 1
    }
    let first = index
    while index < text.count {
      if isLineBreak(text[index]) {
        index += 1
      } else if let escaped = EscapedCharacter(in: text, at: index), escaped.bytes.count == 1,
        isLineBreak(escaped.bytes[0])
      {
        index += escaped.length
      } else {
        break
      }
    }
    guard index > first else { return nil }
    while index < text.count, text[index] == UInt8(ascii: " ") || text[index] == UInt8(ascii: "\t") { index += 1 }
    return index
  }

  /// Behind what separates pairs of hex digits: `:`, `-`, `,`, blanks, `\x` and `0x`.
  private func separator(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
    var index = start
    while index < text.count, index < start + 2, ":-, ".utf8.contains(text[index]) { index += 1 }
    if index + 1 < text.count, smallLetter(text[index + 1]) == UInt8(ascii: "x"), "\\0".utf8.contains(text[index]) {
      index += 2
    }
    return index > start ? index : nil
  }

  /// Behind the character that holds the secret's last bits, and the padding.
  private func padded(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
    var index = start
    if index < text.count, isBase64(text[index]) { index += 1 }
    return index
  }
}

private func smallLetter(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

private func isLineBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

private func isBase64(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"),
    UInt8(ascii: "_"):
    true
  default: false
  }
}

private func isWordCharacter(at index: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
  guard index < text.count else { return false }
  return isWord(String(decoding: text[index..<min(index + 4, text.count)], as: UTF8.self).unicodeScalars.first)
}

private func isWordCharacter(before index: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
  guard index > 0 else { return false }
  return isWord(String(decoding: text[max(0, index - 4)..<index], as: UTF8.self).unicodeScalars.last)
}

private func isWord(_ scalar: Unicode.Scalar?) -> Bool {
  guard let properties = scalar?.properties else { return false }
  return properties.isAlphabetic || properties.numericType != nil
}
