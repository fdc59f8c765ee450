import Glibc

/// A piece of a log, where it lies in memory: good only while the piece is looked at.
struct Bytes {
  let start: UnsafePointer<UInt8>
  let count: Int

  @inline(__always)
  init(start: UnsafePointer<UInt8>, count: Int) {
    self.start = start
    self.count = count
  }

  @inline(__always) subscript(place: Int) -> UInt8 { start[place] }

  var isEmpty: Bool { count == 0 }

  @inline(__always)
  func dropping(_ length: Int) -> Bytes { Bytes(start: start + length, count: count - length) }

  @inline(__always)
  func piece(_ range: Range<Int>) -> Bytes { Bytes(start: start + range.lowerBound, count: range.count) }

  func prefix(_ length: Int) -> Bytes { Bytes(start: start, count: min(count, length)) }

  @inline(__always)
  func begins(with text: StaticString, at place: Int = 0) -> Bool {
    count - place >= text.utf8CodeUnitCount && memcmp(start + place, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  @inline(__always)
  func ends(with text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount
      && memcmp(start + count - text.utf8CodeUnitCount, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  /// The first place of a byte, from `place` on.
  @inline(__always)
  func place(of byte: UInt8, from place: Int = 0) -> Int? {
    guard place < count, let found = memchr(start + place, Int32(byte), count - place) else { return nil }
    return UnsafeRawPointer(start).distance(to: found)
  }

  /// The first place of a text, from `place` on.
  func place(of text: StaticString, from place: Int = 0) -> Int? {
    var place = place
    while let found = self.place(of: text.utf8Start[0], from: place) {
      if begins(with: text, at: found) { return found }
      place = found + 1
    }
    return nil
  }

  func contains(_ text: StaticString) -> Bool { place(of: text) != nil }

  /// The last place of a text.
  func lastPlace(of text: StaticString) -> Int? {
    var place = count - text.utf8CodeUnitCount
    while place >= 0 {
      if start[place] == text.utf8Start[0], begins(with: text, at: place) { return place }
      place -= 1
    }
    return nil
  }

  /// Without blanks and carriage returns at the end.
  var trimmed: Bytes {
    var end = count
    while end > 0, start[end - 1] == 0x20 || start[end - 1] == 0x0D || start[end - 1] == 0x0A { end -= 1 }
    return Bytes(start: start, count: end)
  }

  /// Without blanks at the beginning.
  var withoutIndentation: Bytes {
    var begin = 0
    while begin < count, start[begin] == 0x20 || start[begin] == 0x09 { begin += 1 }
    return dropping(begin)
  }

  var array: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }

  var text: String { String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self) }

  var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  /// The digits at a place, and how many there are; at most 18, which is what a session's id has.
  @inline(__always)
  func number(at place: Int) -> (value: UInt64, length: Int)? {
    var value: UInt64 = 0
    var index = place
    let end = min(count, place + 19)
    while index < end {
      let digit = start[index] &- 0x30
      guard digit < 10 else { break }
      value = value &* 10 &+ UInt64(digit)
      index += 1
    }
    return index == place ? nil : (value, index - place)
  }
}

extension UnsafeRawBufferPointer {
  var bytes: Bytes? {
    baseAddress.map { Bytes(start: $0.assumingMemoryBound(to: UInt8.self), count: count) }
  }
}
