/// Why an address that somebody gives out cannot be a single host's, whatever network one looks from.
package enum AddressFlaw: String, Sendable, Hashable, CaseIterable {
  /// `0.0.0.0/8` or `::`.
  case unspecified
  case multicast
  /// `255.255.255.255`; that of a single network cannot be told from outside.
  case broadcast
  case portZero
  /// Not of the family that it must be of; an IPv4-mapped IPv6 address is an IPv4 address.
  case otherFamily
}

extension TransportAddress {
  /// Why nothing can be sent to this address and reach one host; nil if it may be somebody's, as loopback and private
  /// addresses are in their networks.
  ///
  /// - Parameter family: the family that it must be of; nil takes both.
  package func flaw(family: AddressFamily? = nil) -> AddressFlaw? {
    let ip = ip.unmapped
    switch ip {
    case .v4(let value) where value >> 24 == 0: return .unspecified
    case .v4(let value) where value >> 28 == 0xE: return .multicast
    case .v4(.max): return .broadcast
    case .v6(0, 0): return .unspecified
    case .v6(let high, _) where high >> 56 == 0xFF: return .multicast
    default: break
    }
    if port == 0 { return .portZero }
    return family.flatMap { ip.family == $0 ? nil : .otherFamily }
  }
}
