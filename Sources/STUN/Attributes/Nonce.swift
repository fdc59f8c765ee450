package import NIOCore

/// NONCE: opaque to the client, at most 763 bytes (RFC 8489, section 14.10), with the feature bits that a nonce
/// cookie may announce (section 9.2).
package struct Nonce: Attribute, Hashable {
  package static let type = AttributeType.nonce
  package static let maximumLength = 763
  /// The bytes as they came, to be sent back unchanged.
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes <= Self.maximumLength else { throw .malformedAttribute(Self.type) }
    bytes = Array(value.readableBytesView)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { buffer.writeBytes(bytes) }

  /// The security features that the server says it has: the 24 bits behind the prefix `obMatJos2`; empty without it.
  package var securityFeatures: SecurityFeatures {
    guard bytes.count >= 13, bytes.starts(with: "obMatJos2".utf8) else { return [] }
    var bits: UInt32 = 0
    for character in bytes[9..<13] {
      guard let sextet = Self.base64Value(character) else { return [] }
      bits = bits << 6 | sextet
    }
    return SecurityFeatures(rawValue: bits)
  }

  private static func base64Value(_ character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}

/// The STUN security feature bits of IANA's registry; bit 0 is the most significant of 24 (RFC 8489, section 18.1).
package struct SecurityFeatures: OptionSet, Sendable, Hashable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Bit 0: PASSWORD-ALGORITHMS is supported; a challenge without it has been tampered with.
  package static let passwordAlgorithms = SecurityFeatures(rawValue: 1 << 23)
  /// Bit 1: USERHASH may stand in place of USERNAME.
  package static let usernameAnonymity = SecurityFeatures(rawValue: 1 << 22)
}
