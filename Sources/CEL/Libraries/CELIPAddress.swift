/// An IPv4 or IPv6 address.
public struct CELIPAddress: Sendable {
  /// Whether it was written as an IPv6 address.
  public let isIPv6: Bool
  /// The first 64 bits of an IPv6 address; 0 for IPv4.
  let high: UInt64
  /// The last 64 bits of an IPv6 address; the 32 bits of an IPv4 address.
  let low: UInt64

  init(isIPv6: Bool, high: UInt64, low: UInt64) {
    self.isIPv6 = isIPv6
    self.high = high
    self.low = low
  }

  /// Reads an address as RFC 4291 (section 2.2) or four decimal numbers write it; `nil` when the text is none, has a zone,
  /// or writes an IPv4-mapped address with decimal numbers.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count <= 45 else { return nil }
    if bytes.contains(UInt8(ascii: ":")) {
      guard let (high, low, endsInIPv4) = Self.parseIPv6(bytes[...]) else { return nil }
      if endsInIPv4, high == 0, low >> 32 == 0xFFFF { return nil }
      self.init(isIPv6: true, high: high, low: low)
    } else {
      guard let low = Self.parseIPv4(bytes[...]) else { return nil }
      self.init(isIPv6: false, high: 0, low: UInt64(low))
    }
  }

  private static func parseIPv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var address: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.count), part.allSatisfy(\.isDigit), part.count == 1 || part.first != UInt8(ascii: "0")
      else { return nil }
      let number = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - UInt8(ascii: "0")) }
      guard number < 256 else { return nil }
      address = address << 8 | number
    }
    return address
  }

  private static func parseIPv6(_ bytes: ArraySlice<UInt8>) -> (UInt64, UInt64, endsInIPv4: Bool)? {
    var groups: [UInt16] = []
    var gap: Int?
    var endsInIPv4 = false
    var rest = bytes
    if rest.starts(with: "::".utf8) {
      gap = 0
      rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
      let part = rest.prefix { $0 != UInt8(ascii: ":") }
      rest = rest.dropFirst(part.count)
      if part.contains(UInt8(ascii: ".")) {
        guard rest.isEmpty, let tail = parseIPv4(part) else { return nil }
        groups += [UInt16(tail >> 16), UInt16(tail & 0xFFFF)]
        endsInIPv4 = true
        break
      }
      guard (1...4).contains(part.count) else { return nil }
      var group: UInt32 = 0
      for byte in part {
        guard let digit = byte.hexValue else { return nil }
        group = group << 4 | digit
      }
      groups.append(UInt16(group))
      guard groups.count <= 8 else { return nil }
      if rest.isEmpty { break }
      rest = rest.dropFirst()
      if rest.isEmpty { return nil }
      if rest.first == UInt8(ascii: ":") {
        guard gap == nil else { return nil }
        gap = groups.count
        rest = rest.dropFirst()
      }
    }
    if let gap {
      guard groups.count < 8 else { return nil }
      groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
    }
    guard groups.count == 8 else { return nil }
    let high = groups[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    let low = groups[4...].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    return (high, low, endsInIPv4)
  }

  /// An IPv4-mapped IPv6 address as IPv4, any other as it is.
  var unmapped: CELIPAddress {
    isIPv6 && high == 0 && low >> 32 == 0xFFFF ? CELIPAddress(isIPv6: false, high: 0, low: low & 0xFFFF_FFFF) : self
  }

  /// The address with all but the first `length` bits cleared.
  func masked(to length: Int) -> CELIPAddress {
    if !isIPv6 { return CELIPAddress(isIPv6: false, high: 0, low: low & (0xFFFF_FFFF << UInt64(32 - length))) }
    let highMask = length == 0 ? 0 : UInt64.max << UInt64(Swift.max(0, 64 - length))
    let lowMask = length <= 64 ? 0 : UInt64.max << UInt64(128 - length)
    return CELIPAddress(isIPv6: true, high: high & highMask, low: low & lowMask)
  }

  /// Whether this is the very same address in the same form.
  func isIdentical(to other: CELIPAddress) -> Bool { isIPv6 == other.isIPv6 && high == other.high && low == other.low }
}

extension CELIPAddress: Hashable {
  /// Whether both are one address; an IPv4-mapped IPv6 address is the IPv4 address.
  public static func == (left: Self, right: Self) -> Bool { left.unmapped.isIdentical(to: right.unmapped) }

  /// Agrees with `==`.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(unmapped.high)
    hasher.combine(unmapped.low)
  }
}

extension CELIPAddress: CustomStringConvertible {
  /// The address in its canonical form (RFC 5952).
  public var description: String {
    if !isIPv6 { return Self.dotted(low) }
    if high == 0, low >> 32 == 0xFFFF { return "::ffff:\(Self.dotted(low & 0xFFFF_FFFF))" }
    let groups = Self.groups(high) + Self.groups(low)
    var gap = 0..<0
    var index = 0
    while index < 8 {
      let end = groups[index...].firstIndex { $0 != 0 } ?? 8
      if end - index > Swift.max(1, gap.count) { gap = index..<end }
      index = Swift.max(end, index + 1)
    }
    let show = { (part: ArraySlice<UInt64>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
    return gap.isEmpty ? show(groups[...]) : "\(show(groups[..<gap.lowerBound]))::\(show(groups[gap.upperBound...]))"
  }

  private static func groups(_ half: UInt64) -> [UInt64] {
    [half >> 48, half >> 32 & 0xFFFF, half >> 16 & 0xFFFF, half & 0xFFFF]
  }

  private static func dotted(_ address: UInt64) -> String {
    "\(address >> 24).\(address >> 16 & 0xFF).\(address >> 8 & 0xFF).\(address & 0xFF)"
  }
}
