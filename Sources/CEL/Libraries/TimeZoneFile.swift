/// A compiled time zone file (RFC 9636), from version 2 on.
struct TimeZoneFile: Sendable {
  /// When the offset changes, in seconds since 1970, ascending.
  private let transitions: [Int64]
  /// The offset from each change on.
  private let offsets: [Int]
  /// The offset before the first change.
  private let initialOffset: Int
  /// The rule after the last change.
  private let rule: TimeZoneRule?

  /// `nil` when the octets are no such file.
  init?(_ bytes: [UInt8]) {
    var reader = Reader(bytes: bytes)
    // The first block is for readers of version 1, with times of 32 bits; the second has times of 64 bits.
    guard let old = reader.header(), old.version >= UInt8(ascii: "2") else { return nil }
    reader.position += old.size(timeWidth: 4)
    guard let header = reader.header(), reader.position + header.size(timeWidth: 8) <= bytes.count,
      header.typeCount > 0
    else { return nil }
    var transitions: [Int64] = []
    for _ in 0..<header.timeCount { transitions.append(Int64(truncatingIfNeeded: reader.number(8))) }
    var indices: [Int] = []
    for _ in 0..<header.timeCount { indices.append(Int(reader.number(1))) }
    var types: [Int] = []
    for _ in 0..<header.typeCount {
      types.append(Int(Int32(truncatingIfNeeded: reader.number(4))))
      reader.position += 2
    }
    guard indices.allSatisfy(types.indices.contains) else { return nil }
    reader.position += header.charCount + header.leapCount * 12 + header.standardCount + header.universalCount
    self.transitions = transitions
    offsets = indices.map { types[$0] }
    initialOffset = types[0]
    rule = TimeZoneRule(reader.footer())
  }

  /// Seconds east of UTC.
  func offset(at seconds: Int64) -> Int {
    guard let last = transitions.last else { return rule?.offset(at: seconds) ?? initialOffset }
    if seconds >= last, let rule { return rule.offset(at: seconds) }
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? initialOffset : offsets[low - 1]
  }

  private struct Header {
    let version: UInt8
    let universalCount: Int
    let standardCount: Int
    let leapCount: Int
    let timeCount: Int
    let typeCount: Int
    let charCount: Int

    func size(timeWidth: Int) -> Int {
      timeCount * (timeWidth + 1) + typeCount * 6 + charCount + leapCount * (timeWidth + 4) + standardCount
        + universalCount
    }
  }

  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    /// A number of so many octets, the most significant first.
    mutating func number(_ width: Int) -> UInt64 {
      guard position + width <= bytes.count else { return 0 }
      let value = bytes[position..<(position + width)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      position += width
      return value
    }

    mutating func header() -> Header? {
      guard position + 44 <= bytes.count, bytes[position..<(position + 4)].elementsEqual("TZif".utf8) else {
        return nil
      }
      let version = bytes[position + 4]
      position += 20
      let counts = (0..<6).map { _ in Int(number(4)) }
      return Header(
        version: version, universalCount: counts[0], standardCount: counts[1], leapCount: counts[2],
        timeCount: counts[3], typeCount: counts[4], charCount: counts[5])
    }

    /// The text between the last two line ends.
    func footer() -> String {
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\n") else { return "" }
      return String(decoding: bytes[(position + 1)...].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
  }
}
