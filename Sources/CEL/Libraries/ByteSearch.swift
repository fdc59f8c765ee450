/// Finds octets in octets, in time linear in both.
enum ByteSearch {
  /// Up to this length each position is tried: there is little to gain from preparations.
  private static let shortLength = 8

  /// The offset of the first occurrence of `part` at or after `start`.
  static func first(_ part: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    guard start <= bytes.count else { return nil }
    guard let head = part.first else { return start }
    if part.count > shortLength { return firstOfLong(part, in: bytes, from: start) }
    var position = start
    while position <= bytes.count - part.count {
      if bytes[position] == head, bytes[position..<(position + part.count)].elementsEqual(part) { return position }
      position += 1
    }
    return nil
  }

  /// The search of Knuth, Morris and Pratt.
  private static func firstOfLong(
    _ part: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> Int? {
    guard part.count <= bytes.count - start else { return nil }
    // For each length of a beginning of `part`, that of the longest shorter one it ends with.
    var borders = [0]
    borders.reserveCapacity(part.count)
    var matched = 0
    for position in 1..<part.count {
      while matched > 0, part[position] != part[matched] { matched = borders[matched - 1] }
      if part[position] == part[matched] { matched += 1 }
      borders.append(matched)
    }
    matched = 0
    for position in start..<bytes.count {
      while matched > 0, bytes[position] != part[matched] { matched = borders[matched - 1] }
      if bytes[position] == part[matched] { matched += 1 }
      if matched == part.count { return position - part.count + 1 }
    }
    return nil
  }

  /// The offset of the last occurrence of `part` that starts at or before `start`.
  static func last(_ part: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    let end = Swift.min(bytes.count, start + part.count)
    guard end >= part.count else { return nil }
    let reversed = Array(bytes[..<end].reversed())
    let wanted = Array(part.reversed())
    let found = reversed.withUnsafeBufferPointer { bytes in
      wanted.withUnsafeBufferPointer { first($0, in: bytes, from: 0) }
    }
    return found.map { end - part.count - $0 }
  }
}
