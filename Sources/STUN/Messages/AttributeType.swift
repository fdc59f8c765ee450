/// The number of a STUN attribute, with the ones that this implementation knows by name.
package struct AttributeType: RawRepresentable, Sendable, Hashable {
  package let rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Whether an agent that does not know this attribute must refuse the message (RFC 8489, section 14).
  package var isComprehensionRequired: Bool { rawValue < 0x8000 }

  /// Whether this implementation understands the attribute.
  package var isKnown: Bool { name != nil }
}

/// RFC 8489.
extension AttributeType {
  package static let mappedAddress = AttributeType(rawValue: 0x0001)
  package static let username = AttributeType(rawValue: 0x0006)
  package static let messageIntegrity = AttributeType(rawValue: 0x0008)
  package static let errorCode = AttributeType(rawValue: 0x0009)
  package static let unknownAttributes = AttributeType(rawValue: 0x000A)
  package static let realm = AttributeType(rawValue: 0x0014)
  package static let nonce = AttributeType(rawValue: 0x0015)
  package static let messageIntegritySHA256 = AttributeType(rawValue: 0x001C)
  package static let passwordAlgorithm = AttributeType(rawValue: 0x001D)
  package static let userhash = AttributeType(rawValue: 0x001E)
  package static let xorMappedAddress = AttributeType(rawValue: 0x0020)
  package static let passwordAlgorithms = AttributeType(rawValue: 0x8002)
  package static let alternateDomain = AttributeType(rawValue: 0x8003)
  package static let software = AttributeType(rawValue: 0x8022)
  package static let alternateServer = AttributeType(rawValue: 0x8023)
  package static let fingerprint = AttributeType(rawValue: 0x8028)
}

/// RFC 8656.
extension AttributeType {
  package static let channelNumber = AttributeType(rawValue: 0x000C)
  package static let lifetime = AttributeType(rawValue: 0x000D)
  package static let xorPeerAddress = AttributeType(rawValue: 0x0012)
  package static let data = AttributeType(rawValue: 0x0013)
  package static let xorRelayedAddress = AttributeType(rawValue: 0x0016)
  package static let requestedAddressFamily = AttributeType(rawValue: 0x0017)
  package static let evenPort = AttributeType(rawValue: 0x0018)
  package static let requestedTransport = AttributeType(rawValue: 0x0019)
  package static let dontFragment = AttributeType(rawValue: 0x001A)
  package static let reservationToken = AttributeType(rawValue: 0x0022)
  package static let additionalAddressFamily = AttributeType(rawValue: 0x8000)
  package static let addressErrorCode = AttributeType(rawValue: 0x8001)
  package static let icmp = AttributeType(rawValue: 0x8004)
}

/// RFC 5780 and RFC 8445.
extension AttributeType {
  package static let changeRequest = AttributeType(rawValue: 0x0003)
  package static let priority = AttributeType(rawValue: 0x0024)
  package static let useCandidate = AttributeType(rawValue: 0x0025)
  package static let padding = AttributeType(rawValue: 0x0026)
  package static let responsePort = AttributeType(rawValue: 0x0027)
  package static let iceControlled = AttributeType(rawValue: 0x8029)
  package static let iceControlling = AttributeType(rawValue: 0x802A)
  package static let responseOrigin = AttributeType(rawValue: 0x802B)
  package static let otherAddress = AttributeType(rawValue: 0x802C)
  /// draft-ietf-tram-stun-origin-06.
  package static let origin = AttributeType(rawValue: 0x802F)
}

/// RFC 3489, the first form of STUN: old servers still send them.
extension AttributeType {
  package static let responseAddress = AttributeType(rawValue: 0x0002)
  package static let sourceAddress = AttributeType(rawValue: 0x0004)
  package static let changedAddress = AttributeType(rawValue: 0x0005)
  package static let password = AttributeType(rawValue: 0x0007)
  package static let reflectedFrom = AttributeType(rawValue: 0x000B)
}

extension AttributeType: CustomStringConvertible {
  /// The name in IANA's registry, or the number.
  package var description: String { name ?? "0x" + String(rawValue, radix: 16) }

  private var name: String? { Self.names[self] }

  private static let names: [AttributeType: String] = [
    .mappedAddress: "MAPPED-ADDRESS", .username: "USERNAME", .messageIntegrity: "MESSAGE-INTEGRITY",
    .errorCode: "ERROR-CODE", .unknownAttributes: "UNKNOWN-ATTRIBUTES", .realm: "REALM", .nonce: "NONCE",
    .messageIntegritySHA256: "MESSAGE-INTEGRITY-SHA256", .passwordAlgorithm: "PASSWORD-ALGORITHM",
    .userhash: "USERHASH", .xorMappedAddress: "XOR-MAPPED-ADDRESS", .passwordAlgorithms: "PASSWORD-ALGORITHMS",
    .alternateDomain: "ALTERNATE-DOMAIN", .software: "SOFTWARE", .alternateServer: "ALTERNATE-SERVER",
    .fingerprint: "FINGERPRINT", .channelNumber: "CHANNEL-NUMBER", .lifetime: "LIFETIME",
    .xorPeerAddress: "XOR-PEER-ADDRESS", .data: "DATA", .xorRelayedAddress: "XOR-RELAYED-ADDRESS",
    .requestedAddressFamily: "REQUESTED-ADDRESS-FAMILY", .evenPort: "EVEN-PORT",
    .requestedTransport: "REQUESTED-TRANSPORT", .dontFragment: "DONT-FRAGMENT",
    .reservationToken: "RESERVATION-TOKEN", .additionalAddressFamily: "ADDITIONAL-ADDRESS-FAMILY",
    .addressErrorCode: "ADDRESS-ERROR-CODE", .icmp: "ICMP", .changeRequest: "CHANGE-REQUEST",
    .priority: "PRIORITY", .useCandidate: "USE-CANDIDATE", .padding: "PADDING", .responsePort: "RESPONSE-PORT",
    .iceControlled: "ICE-CONTROLLED", .iceControlling: "ICE-CONTROLLING", .responseOrigin: "RESPONSE-ORIGIN",
    .otherAddress: "OTHER-ADDRESS", .responseAddress: "RESPONSE-ADDRESS", .sourceAddress: "SOURCE-ADDRESS",
    .changedAddress: "CHANGED-ADDRESS", .origin: "ORIGIN", .password: "PASSWORD", .reflectedFrom: "REFLECTED-FROM",
  ]
}
