extension IPAddress: CustomStringConvertible, LosslessStringConvertible {
  /// Reads dotted-quad IPv4 (four decimal numbers, no leading zeros) or IPv6 text (RFC 4291, section 2.2), without
  /// brackets and without a zone.
  package init?(_ text: some StringProtocol) {
    if text.contains(":") {
      guard let groups = Self.parseIPv6(text) else { return nil }
      self = .v6(high: Self.joined(groups[0..<4]), low: Self.joined(groups[4..<8]))
    } else {
      guard let value = Self.parseIPv4(text) else { return nil }
      self = .v4(value)
    }
  }

  /// Dotted quad, or the canonical IPv6 text of RFC 5952.
  package var description: String {
    switch self {
    case .v4(let value): Self.dottedQuad(value)
    case .v6(let high, let low): Self.canonicalIPv6(high, low)
    }
  }

  private static func parseIPv4(_ text: some StringProtocol) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        part.utf8.count == 1 || part.first != "0", let octet = UInt8(part)
      else { return nil }
      value = value << 8 | UInt32(octet)
    }
    return value
  }

  /// Eight groups of 16 bits.
  private static func parseIPv6(_ text: some StringProtocol) -> [UInt16]? {
    let halves = splitAtDoubleColon(text)
    guard let head = groups(of: halves.head, endsAddress: halves.tail == nil) else { return nil }
    guard let tailText = halves.tail else { return head.count == 8 ? head : nil }
    guard let tail = groups(of: tailText, endsAddress: true), head.count + tail.count <= 7 else { return nil }
    return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
  }

  private static func splitAtDoubleColon(_ text: some StringProtocol) -> (head: Substring, tail: Substring?) {
    let whole = Substring(text)
    var index = whole.startIndex
    while index < whole.endIndex {
      let next = whole.index(after: index)
      if whole[index] == ":", next < whole.endIndex, whole[next] == ":" {
        return (whole[..<index], whole[whole.index(after: next)...])
      }
      index = next
    }
    return (whole, nil)
  }

  private static func groups(of text: Substring, endsAddress: Bool) -> [UInt16]? {
    if text.isEmpty { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var groups: [UInt16] = []
    for (index, part) in parts.enumerated() {
      if endsAddress, index == parts.count - 1, part.contains("."), let quad = parseIPv4(part) {
        groups += [UInt16(truncatingIfNeeded: quad >> 16), UInt16(truncatingIfNeeded: quad)]
      } else if (1...4).contains(part.utf8.count), part.utf8.allSatisfy(\.isHexDigit),
        let group = UInt16(part, radix: 16)
      {
        groups.append(group)
      } else {
        return nil
      }
    }
    return groups.count <= 8 ? groups : nil
  }

  private static func joined(_ groups: ArraySlice<UInt16>) -> UInt64 { groups.reduce(0) { $0 << 16 | UInt64($1) } }

  private static func dottedQuad(_ value: UInt32) -> String {
    "\(value >> 24).\(value >> 16 & 0xFF).\(value >> 8 & 0xFF).\(value & 0xFF)"
  }

  private static func canonicalIPv6(_ high: UInt64, _ low: UInt64) -> String {
    if high == 0, low >> 32 == 0xFFFF { return "::ffff:" + dottedQuad(UInt32(truncatingIfNeeded: low)) }
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> (48 - 16 * UInt64($0 % 4))) }
    let zeros = longestZeroRun(groups)
    func text(_ range: Range<Int>) -> String {
      groups[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard let zeros else { return text(0..<8) }
    return text(0..<zeros.lowerBound) + "::" + text(zeros.upperBound..<8)
  }

  /// The first of the longest runs of at least two zero groups (RFC 5952, section 4.2).
  private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int>? {
    var best: Range<Int>?
    var start = 0
    while start < groups.count {
      var end = start
      while end < groups.count, groups[end] == 0 { end += 1 }
      if end - start >= 2, end - start > (best?.count ?? 0) { best = start..<end }
      start = max(end, start + 1)
    }
    return best
  }
}

extension UInt8 {
  fileprivate var isHexDigit: Bool {
    (0x30...0x39).contains(self) || (0x41...0x46).contains(self) || (0x61...0x66).contains(self)
  }
}
