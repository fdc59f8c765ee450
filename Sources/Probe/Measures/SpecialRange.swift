package import Addresses

/// Address ranges that a relay must not serve, or that the world cannot reach (RFC 6890 and IANA's registries).
package enum SpecialRange: String, Sendable, Hashable, CaseIterable {
  case thisNetwork
  case loopback
  case privateUse
  case sharedAddressSpace
  case linkLocal
  case multicast
  case broadcast
  case documentation
  case unspecified
  case uniqueLocal
  case ipv4Mapped
  case nat64
  case sixToFour

  /// The range that an address lies in; nil for an ordinary address.
  package init?(_ address: IPAddress) {
    switch address {
    case .v4(let value):
      guard let range = Self.ipv4.first(where: { value >> (32 - $0.length) == $0.prefix >> (32 - $0.length) }) else {
        return nil
      }
      self = range.name
    case .v6(let high, let low):
      switch (high, low) {
      case (0, 0): self = .unspecified
      case (0, 1): self = .loopback
      case (0, _) where low >> 32 == 0xFFFF: self = .ipv4Mapped
      case (0x0064_FF9B_0000_0000, _) where low >> 32 == 0: self = .nat64
      case _ where high >> 48 == 0x2002: self = .sixToFour
      case _ where high >> 54 == 0xFE80 >> 6: self = .linkLocal
      case _ where high >> 57 == 0xFC >> 1: self = .uniqueLocal
      case _ where high >> 56 == 0xFF: self = .multicast
      case _ where high >> 32 == 0x2001_0DB8: self = .documentation
      default: return nil
      }
    }
  }

  private static let ipv4: [(prefix: UInt32, length: UInt32, name: SpecialRange)] = [
    (0x0000_0000, 8, .thisNetwork), (0x7F00_0000, 8, .loopback), (0x0A00_0000, 8, .privateUse),
    (0xAC10_0000, 12, .privateUse), (0xC0A8_0000, 16, .privateUse), (0x6440_0000, 10, .sharedAddressSpace),
    (0xA9FE_0000, 16, .linkLocal), (0xFFFF_FFFF, 32, .broadcast), (0xE000_0000, 4, .multicast),
    (0xC000_0200, 24, .documentation), (0xC633_6400, 24, .documentation), (0xCB00_7100, 24, .documentation),
  ]
}

/// A relayed address that those who reach its server elsewhere cannot reach.
package struct MisplacedAddress: Sendable, Hashable {
  package let relayed: IPAddress
  /// Where the relayed address lies, and the server does not.
  package let range: SpecialRange

  /// nil if whoever reaches the server may reach the address.
  ///
  /// - Parameter server: the address at which the server was asked.
  package init?(_ relayed: IPAddress, of server: IPAddress) {
    let (relayed, server) = (relayed.unmapped, server.unmapped)
    guard let range = SpecialRange(relayed), relayed != server, SpecialRange(server) != range else { return nil }
    (self.relayed, self.range) = (relayed, range)
  }
}

extension SpecialRange {
  /// What an address of the range is, with its article.
  package var words: String {
    switch self {
    case .thisNetwork: "an address of 0.0.0.0/8"
    case .loopback: "a loopback address"
    case .privateUse: "a private address"
    case .sharedAddressSpace: "an address of 100.64.0.0/10 (carrier-grade NAT)"
    case .linkLocal: "a link-local address"
    case .multicast: "a multicast address"
    case .broadcast: "the broadcast address"
    case .documentation: "a documentation address"
    case .unspecified: "the unspecified address"
    case .uniqueLocal: "a unique local address"
    case .ipv4Mapped: "an IPv4-mapped address"
    case .nat64: "a NAT64 address"
    case .sixToFour: "a 6to4 address"
    }
  }
}
