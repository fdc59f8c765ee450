import Glibc

/// Reads a line from its start, byte by byte. What does not fit is not consumed.
struct ByteCursor {
  let bytes: UnsafeRawBufferPointer
  var index: Int

  init(_ bytes: UnsafeRawBufferPointer, at index: Int = 0) {
    self.bytes = bytes
    self.index = index
  }

  var isAtEnd: Bool { index >= bytes.count }

  func peek(_ offset: Int = 0) -> UInt8? {
    let place = index + offset
    return place < bytes.count && place >= 0 ? bytes[place] : nil
  }

  mutating func skip(_ byte: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: byte) else { return false }
    index += 1
    return true
  }

  mutating func skipSpaces() { while peek() == 0x20 || peek() == 0x09 { index += 1 } }

  /// Consumes a text that stands here.
  mutating func skip(text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard index + count <= bytes.count, let base = bytes.baseAddress,
      memcmp(base + index, text.utf8Start, count) == 0
    else { return false }
    index += count
    return true
  }

  /// Exactly `count` digits.
  mutating func digits(_ count: Int) -> Int? {
    guard index + count <= bytes.count else { return nil }
    var number = 0
    for offset in 0..<count {
      let digit = Int(bytes[index + offset]) - 0x30
      guard (0...9).contains(digit) else { return nil }
      number = number * 10 + digit
    }
    index += count
    return number
  }

  /// One digit or more, at most nine.
  mutating func number() -> Int? {
    var count = 0
    while count < 9, let byte = peek(count), (0x30...0x39).contains(byte) { count += 1 }
    return count == 0 ? nil : digits(count)
  }

  /// What stands here up to the next blank, and the blank; nil if there is no blank after it, or nothing before it.
  mutating func word() -> Range<Int>? {
    guard let base = bytes.baseAddress, index < bytes.count,
      let blank = memchr(base + index, 0x20, bytes.count - index)
    else { return nil }
    let end = base.distance(to: UnsafeRawPointer(blank))
    guard end > index else { return nil }
    defer { index = end + 1 }
    return index..<end
  }
}
