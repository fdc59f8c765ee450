/// An IPv4 or IPv6 address as a number, so that it can be compared, hashed and XORed without a socket API.
package enum IPAddress: Sendable, Hashable {
  /// The four octets, the first one in the most significant byte.
  case v4(UInt32)
  /// The sixteen octets in two halves, the first octet in the most significant byte.
  ///
  /// Not one `UInt128`: code that Swift 6.3 makes for enums with it reads memory as aligned that is not.
  case v6(high: UInt64, low: UInt64)

  /// The address family as STUN and TURN name it.
  package var family: AddressFamily {
    switch self {
    case .v4: .ipv4
    case .v6: .ipv6
    }
  }

  /// The IPv4 address inside an IPv4-mapped IPv6 address (`::ffff:0:0/96`), or `self`.
  ///
  /// Dual-stack sockets show IPv4 peers in the mapped form; source addresses must be compared without it.
  package var unmapped: IPAddress {
    if case .v6(0, let low) = self, low >> 32 == 0xFFFF { return .v4(UInt32(truncatingIfNeeded: low)) }
    return self
  }

  /// The octets in network order: 4 or 16.
  package var octets: [UInt8] {
    switch self {
    case .v4(let value): (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
    case .v6(let high, let low):
      (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> (56 - 8 * UInt64($0 % 8))) }
    }
  }

  /// An address from its octets in network order; nil unless there are 4 or 16.
  package init?(octets: some BidirectionalCollection<UInt8>) {
    switch octets.count {
    case 4: self = .v4(octets.reduce(0) { $0 << 8 | UInt32($1) })
    case 16:
      self = .v6(
        high: octets.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
        low: octets.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
    default: return nil
    }
  }
}

/// The address families of STUN (RFC 8489, section 14.1), with their numbers on the wire.
package enum AddressFamily: UInt8, Sendable, Hashable, CaseIterable {
  case ipv4 = 0x01
  case ipv6 = 0x02
}
