/// A range of IP addresses: an address and the length of its prefix, as `192.168.0.0/24`.
public struct CELAddressRange: Hashable, Sendable, CustomStringConvertible {
  /// The address, as it was written.
  public let address: CELIPAddress
  /// How many bits of the address all addresses of the range have in common.
  public let prefixLength: Int

  init(address: CELIPAddress, prefixLength: Int) {
    self.address = address
    self.prefixLength = prefixLength
  }

  /// Reads `ADDRESS/LENGTH`; `nil` when the text is none.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    let digits = bytes[(slash + 1)...]
    guard let address = CELIPAddress(String(decoding: bytes[..<slash], as: UTF8.self)), (1...3).contains(digits.count),
      digits.allSatisfy(\.isDigit), digits.count == 1 || digits.first != UInt8(ascii: "0")
    else { return nil }
    let length = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    guard length <= (address.isIPv6 ? 128 : 32) else { return nil }
    self.init(address: address, prefixLength: length)
  }

  /// The range with the bits behind the prefix cleared.
  var masked: CELAddressRange {
    CELAddressRange(address: address.masked(to: prefixLength), prefixLength: prefixLength)
  }

  /// Whether the address is in the range; never for the other family.
  func contains(_ other: CELIPAddress) -> Bool {
    address.isIPv6 == other.isIPv6
      && other.masked(to: prefixLength).isIdentical(to: address.masked(to: prefixLength))
  }

  /// Whether the whole range is in this one.
  func contains(_ other: CELAddressRange) -> Bool { other.prefixLength >= prefixLength && contains(other.address) }

  /// `192.168.0.0/24`.
  public var description: String { "\(address)/\(prefixLength)" }
}
