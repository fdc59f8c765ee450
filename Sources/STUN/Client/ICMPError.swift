package import Addresses

/// An ICMP message (RFC 792, RFC 4443) that says why a datagram of ours did not get there.
package struct ICMPError: Sendable, Hashable {
  package enum Version: String, Sendable, Hashable, CaseIterable {
    case icmp = "ICMP"
    case icmpv6 = "ICMPv6"
  }

  /// What the message says, over IPv4 and IPv6.
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case portUnreachable
    case hostUnreachable
    case networkUnreachable
    case protocolUnreachable
    case packetTooBig
    case sourceRouteFailed
    case networkUnknown
    case hostUnknown
    case hostIsolated
    case networkProhibited
    case hostProhibited
    case adminProhibited
    case networkUnreachableForService
    case hostUnreachableForService
    case precedenceViolation
    case precedenceCutoff
    case timeExceeded
    case reassemblyTimeExceeded
    case parameterProblem
    case beyondScope
    case sourceAddressRefused
    case routeRejected
    /// A message of another type or code.
    case unassigned
  }

  package let version: Version
  package let type: UInt8
  package let code: UInt8
  /// Of the path, where the message tells it.
  package let mtu: Int?
  /// The router or host that says it.
  package let reporter: IPAddress?

  package init(version: Version, type: UInt8, code: UInt8, mtu: Int? = nil, reporter: IPAddress? = nil) {
    self.version = version
    self.type = type
    self.code = code
    self.mtu = mtu
    self.reporter = reporter
  }

  package var kind: Kind {
    switch version {
    case .icmp: Self.kind(type: type, code: code)
    case .icmpv6: Self.kind6(type: type, code: code)
    }
  }

  /// Whether the same datagram may get there when it is sent once more: the system then sends it in smaller pieces, or all
  /// of its pieces arrive.
  package var isOvercomeByRepetition: Bool { kind == .packetTooBig || kind == .reassemblyTimeExceeded }

  /// RFC 792, RFC 1122 (section 3.2.2.1) and RFC 1812 (section 5.2.7.1).
  private static func kind(type: UInt8, code: UInt8) -> Kind {
    switch (type, code) {
    case (3, 0): .networkUnreachable
    case (3, 1): .hostUnreachable
    case (3, 2): .protocolUnreachable
    case (3, 3): .portUnreachable
    case (3, 4): .packetTooBig
    case (3, 5): .sourceRouteFailed
    case (3, 6): .networkUnknown
    case (3, 7): .hostUnknown
    case (3, 8): .hostIsolated
    case (3, 9): .networkProhibited
    case (3, 10): .hostProhibited
    case (3, 11): .networkUnreachableForService
    case (3, 12): .hostUnreachableForService
    case (3, 13): .adminProhibited
    case (3, 14): .precedenceViolation
    case (3, 15): .precedenceCutoff
    case (11, 0): .timeExceeded
    case (11, 1): .reassemblyTimeExceeded
    case (12, _): .parameterProblem
    default: .unassigned
    }
  }

  /// RFC 4443, section 3, and RFC 6554, section 4.2.
  private static func kind6(type: UInt8, code: UInt8) -> Kind {
    switch (type, code) {
    case (1, 0): .networkUnreachable
    case (1, 1): .adminProhibited
    case (1, 2): .beyondScope
    case (1, 3): .hostUnreachable
    case (1, 4): .portUnreachable
    case (1, 5): .sourceAddressRefused
    case (1, 6): .routeRejected
    case (1, 7): .sourceRouteFailed
    case (2, _): .packetTooBig
    case (3, 0): .timeExceeded
    case (3, 1): .reassemblyTimeExceeded
    case (4, _): .parameterProblem
    default: .unassigned
    }
  }
}

extension TransportFailure {
  /// What an ICMP message means for a client.
  package init(icmp error: ICMPError) { self = error.kind == .portUnreachable ? .portUnreachable : .icmp(error) }
}
