package import Addresses

/// The value of `denied-peer-ip` or `allowed-peer-ip` as coturn takes it.
package enum PeerRange: Hashable, Sendable {
  case range(first: IPAddress, last: IPAddress)
  /// It holds a name, which the server looks up when it starts.
  case named
  /// It is no address: the range is dropped (before 4.11), or the server does not start.
  case dropped

  package init(_ text: String) {
    let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let read = ends.map { Self.address(String($0)) }
    if read.contains(.nothing) {
      self = .dropped
    } else if read.contains(.name) {
      self = .named
    } else if case .address(let first)? = read.first, case .address(let last)? = read.last {
      self = .range(first: first, last: last)
    } else {
      self = .dropped
    }
  }

  package enum Reading: Hashable, Sendable {
    case address(IPAddress)
    case name
    case nothing
  }

  /// An address as coturn reads it: without blanks around it, an empty text is 0.0.0.0, and what is no address is given to
  /// the resolver, which takes short and octal forms (`10.255`, `010.0.0.1`) as inet_aton(3) does.
  package static func address(_ text: String) -> Reading {
    let blanks = text.drop { $0 == " " }
    let text = String(blanks.reversed().drop { $0 == " " }.reversed())
    if text.isEmpty { return .address(.v4(0)) }
    if let address = IPAddress(text) ?? classic(text) { return .address(address) }
    return isName(text) ? .name : .nothing
  }

  /// What inet_aton(3) takes.
  private static func classic(_ text: String) -> IPAddress? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(number)
    guard (1...4).contains(parts.count), !parts.contains(nil) else { return nil }
    let numbers = parts.compactMap(\.self)
    let head = numbers.dropLast()
    guard let last = numbers.last, head.allSatisfy({ $0 < 256 }), last < UInt64(1) << (8 * UInt64(5 - numbers.count))
    else { return nil }
    let high = head.enumerated().reduce(UInt64(0)) { $0 | $1.element << (24 - 8 * UInt64($1.offset)) }
    return .v4(UInt32(high | last))
  }

  private static func number(_ part: Substring) -> UInt64? {
    if part.isEmpty || part.first == "+" || part.first == "-" { return nil }
    if part.lowercased().hasPrefix("0x") { return UInt64(part.dropFirst(2), radix: 16) }
    return part.first == "0" && part.count > 1 ? UInt64(part.dropFirst(), radix: 8) : UInt64(part)
  }

  private static func isName(_ text: String) -> Bool {
    let isAllowed = { (byte: UInt8) in
      (48...57).contains(byte) || (97...122).contains(byte | 0x20) || byte == 45 || byte == 46 || byte == 95
    }
    return text.utf8.allSatisfy(isAllowed) && text.contains { $0.isLetter }
  }
}

extension PeerRange {
  /// The text, as coturn takes it, of the range that a line was meant to hold; nil if that cannot be told, or if coturn would
  /// match far more by it than was meant, or if it would open whole private networks.
  package static func meant(by line: ConfigurationLine) -> String? {
    guard let (first, last) = intended(by: line), !matchesTooMuch(first, last) else { return nil }
    // A name that is written wrong may stand for either list.
    if line.name != "denied-peer-ip", !opened(by: first, last, .newestKnown).isEmpty { return nil }
    return written(first, last)
  }

  /// The range that a text in CIDR notation, in the short form `192.0.2.1-10`, or with a comment behind it, was meant to be;
  /// nil if that cannot be told.
  static func intended(by line: ConfigurationLine) -> (first: IPAddress, last: IPAddress)? {
    var text = line.valueWithoutComment.trimmed
    while text.hasSuffix(";") || text.hasSuffix(",") { text = String(text.dropLast()).trimmed }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2, let address = IPAddress(parts[0].trimmed), let length = Int(parts[1].trimmed),
      let (first, last) = block(address, length)
    {
      return (first, last)
    }
    if let (first, last) = shorthand(text) { return (first, last) }
    if case .range(let first, let last) = PeerRange(text), hasWholeEnds(text), first.family == last.family,
      isOrdered(first, last)
    {
      return (first, last)
    }
    return nil
  }

  /// A range as coturn takes it.
  static func written(_ first: IPAddress, _ last: IPAddress) -> String {
    first == last ? "\(first)" : "\(first)-\(last)"
  }

  /// Whether each end is written as a whole address.
  static func hasWholeEnds(_ text: String) -> Bool {
    let ends = text.split(separator: "-", maxSplits: 1).map { IPAddress($0.trimmed) }
    return !ends.isEmpty && !ends.contains(nil)
  }

  /// What `192.0.2.1-10` means to whoever writes it; coturn reads its end as 0.0.0.10.
  static func shorthand(_ text: String) -> (first: IPAddress, last: IPAddress)? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(\.trimmed)
    guard ends.count == 2, case .v4(let first)? = IPAddress(ends[0]),
      case .v4(let octet)? = IPAddress("0.0.0.\(ends[1])"), octet >= (first & 0xFF)
    else { return nil }
    return (IPAddress.v4(first), IPAddress.v4((first & 0xFFFF_FF00) | octet))
  }

  /// Whether coturn matches every IPv4 address by a range that does not say so, since it passes over an end that is 0.0.0.0 or ::.
  static func matchesTooMuch(_ first: IPAddress, _ last: IPAddress) -> Bool {
    if isUnspecified(last) { return true }
    return isUnspecified(first) && first.family == .ipv6
  }

  /// Networks that nobody means to open as a whole along with others.
  private static let ownBlocks = [
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10",
  ].compactMap(AddressBlock.init)
  /// The same, as peers named them before 4.13.0.
  private static let mappedBlocks = ["::ffff:10.0.0.0/104", "::ffff:172.16.0.0/108", "::ffff:192.168.0.0/112"]
    .compactMap(AddressBlock.init)

  /// The private networks that a range holds as a whole, and more besides.
  static func opened(by first: IPAddress, _ last: IPAddress, _ version: CoturnVersion) -> [String] {
    let ranges = PeerRanges([(first, last)], version)
    let blocks = version < CoturnVersion(4, 13) ? ownBlocks + mappedBlocks : ownBlocks
    return blocks.filter { block in
      ranges.covers(block.first, block.last) && (block.first != first || block.last != last)
    }
    .map(\.text)
  }

  /// The first and the last address of a CIDR block.
  package static func block(_ address: IPAddress, _ length: Int) -> (IPAddress, IPAddress)? {
    let octets = address.octets
    guard (0...octets.count * 8).contains(length) else { return nil }
    var first = octets
    var last = octets
    for index in octets.indices {
      let kept = min(8, max(0, length - 8 * index))
      let mask = UInt8(truncatingIfNeeded: 0xFF00 >> kept)
      first[index] &= mask
      last[index] |= ~mask
    }
    guard let low = IPAddress(octets: first), let high = IPAddress(octets: last) else { return nil }
    return (low, high)
  }

  static func isOrdered(_ first: IPAddress, _ last: IPAddress) -> Bool {
    switch (first, last) {
    case (.v4(let low), .v4(let high)): low <= high
    case (.v6(let highOfFirst, let lowOfFirst), .v6(let highOfLast, let lowOfLast)):
      (highOfFirst, lowOfFirst) <= (highOfLast, lowOfLast)
    default: !last.octets.lexicographicallyPrecedes(first.octets)
    }
  }

  static func isUnspecified(_ address: IPAddress) -> Bool { address == .v4(0) || address == .v6(high: 0, low: 0) }
}

/// Which addresses the ranges of one list (all denied, or all allowed ones) match, in one version of coturn.
package struct PeerRanges: Sendable {
  private let ranges: [(first: IPAddress, last: IPAddress)]
  private let version: CoturnVersion
  /// What is matched of IPv4: ascending, apart.
  private let v4: [ClosedRange<UInt32>]

  package init(_ ranges: [(first: IPAddress, last: IPAddress)], _ version: CoturnVersion) {
    self.ranges = ranges
    self.version = version
    v4 = Self.merged(ranges.compactMap(Self.matchedIPv4))
  }

  /// What a range matches of IPv4. coturn passes over an end that is `0.0.0.0` or `::`, and holds every IPv4 address for
  /// smaller than every IPv6 one.
  static func matchedIPv4(_ first: IPAddress, _ last: IPAddress) -> ClosedRange<UInt32>? {
    var low: UInt32 = 0
    if !PeerRange.isUnspecified(first) {
      guard case .v4(let number) = first else { return nil }
      low = number
    }
    guard !PeerRange.isUnspecified(last), case .v4(let high) = last else { return low...UInt32.max }
    return low <= high ? low...high : nil
  }

  private static func merged(_ spans: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var merged: [ClosedRange<UInt32>] = []
    for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, last.upperBound == .max || span.lowerBound <= last.upperBound + 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, span.upperBound)
      } else {
        merged.append(span)
      }
    }
    return merged
  }

  /// Whether every address from the first to the last is matched. An IPv6 block has to lie in one range.
  package func covers(_ first: IPAddress, _ last: IPAddress) -> Bool {
    if case .v4(let low) = first, case .v4(let high) = last {
      return v4.contains { $0.lowerBound <= low && $0.upperBound >= high }
    }
    return ranges.contains { Self.matches($0, first, version) && Self.matches($0, last, version) && isWhole($0) }
  }

  /// Whether an address from the first to the last is matched. Of IPv6, whether one of the two is, or a range begins between them.
  package func touches(_ first: IPAddress, _ last: IPAddress) -> Bool {
    if case .v4(let low) = first, case .v4(let high) = last {
      return v4.contains { $0.lowerBound <= high && $0.upperBound >= low }
    }
    return ranges.contains { range in
      Self.matches(range, first, version) || Self.matches(range, last, version)
        || range.first.family == .ipv6 && PeerRange.isOrdered(first, range.first)
          && PeerRange.isOrdered(range.first, last)
    }
  }

  private func isWhole(_ range: (first: IPAddress, last: IPAddress)) -> Bool {
    version >= Self.comparesWhole || !Self.underblocks(range.first, range.last)
  }

  /// From here on IPv6 addresses are compared as numbers; before, octet by octet.
  package static let comparesWhole = CoturnVersion(4, 16, 0)

  private static func matches(
    _ range: (first: IPAddress, last: IPAddress), _ address: IPAddress, _ version: CoturnVersion
  ) -> Bool {
    guard PeerRange.isUnspecified(range.first) || isAtMost(range.first, address, version) else { return false }
    return PeerRange.isUnspecified(range.last) || isAtMost(address, range.last, version)
  }

  private static func isAtMost(_ one: IPAddress, _ other: IPAddress, _ version: CoturnVersion) -> Bool {
    switch (one, other) {
    case (.v4(let a), .v4(let b)): a <= b
    case (.v4, .v6): true
    case (.v6, .v4): false
    case (.v6, .v6) where version >= comparesWhole: PeerRange.isOrdered(one, other)
    case (.v6, .v6): zip(one.octets, other.octets).allSatisfy { $0 <= $1 }
    }
  }

  /// Whether comparing octet by octet matches less than the range from the first to the last IPv6 address.
  ///
  /// The two agree if all octets behind the first that differs span everything.
  static func underblocks(_ first: IPAddress, _ last: IPAddress) -> Bool {
    guard first.family == .ipv6, last.family == .ipv6, PeerRange.isOrdered(first, last) else { return false }
    let pairs = Array(zip(first.octets, last.octets))
    guard let place = pairs.firstIndex(where: { $0 != $1 }) else { return false }
    return pairs[(place + 1)...].contains { $0 != 0 || $1 != 0xFF }
  }
}

/// A network by its prefix: `10.0.0.0/8`.
struct AddressBlock {
  let text: String
  let first: IPAddress
  let last: IPAddress

  /// nil for what is no address with the length of a prefix.
  init?(_ text: String) {
    let parts = text.split(separator: "/")
    guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
      let (first, last) = PeerRange.block(address, length)
    else { return nil }
    self.text = text
    self.first = first
    self.last = last
  }

  /// The line that denies its addresses.
  var denial: String { "denied-peer-ip=\(first)-\(last)" }
}
