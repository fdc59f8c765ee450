/// Why bytes are not the STUN message, attribute or frame that they should be.
package enum DecodingError: Error, Sendable, Hashable {
  /// Fewer bytes than the structure needs.
  case truncated
  /// The two most significant bits are not zero: not STUN (RFC 8489, section 5).
  case notSTUN
  /// The magic cookie is another one: a protocol other than STUN, or RFC 3489's.
  case wrongMagicCookie
  /// The length field is no multiple of four, or does not agree with the bytes that came.
  case wrongLength
  /// An attribute's value does not end within the message.
  case attributeOverrun(AttributeType)
  /// An attribute's value is not of the form that its definition gives.
  case malformedAttribute(AttributeType)
  /// An attribute that a message of this kind must have is not there.
  case missingAttribute(AttributeType)
  /// FINGERPRINT is not the last attribute, or its CRC does not agree.
  case wrongFingerprint
  /// A ChannelData message with a channel number outside 0x4000–0x4FFF (RFC 8656, section 12).
  case wrongChannelNumber(UInt16)
}

/// In words, to stand behind a colon.
extension DecodingError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .truncated: "it is cut off"
    case .notSTUN: "it is no STUN"
    case .wrongMagicCookie: "its magic cookie is another one"
    case .wrongLength: "its length is wrong"
    case .attributeOverrun(let type): "\(type) does not end within it"
    case .malformedAttribute(let type): "\(type) is not of its form"
    case .missingAttribute(let type): "\(type) is missing"
    case .wrongFingerprint: "its fingerprint does not agree"
    case .wrongChannelNumber(let number): "\(number) is no channel number"
    }
  }
}
