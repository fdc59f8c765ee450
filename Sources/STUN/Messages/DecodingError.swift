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
  /// FINGERPRINT is not the last attribute, or its CRC does not agree.
  case wrongFingerprint
  /// A ChannelData message with a channel number outside 0x4000–0x4FFF (RFC 8656, section 12).
  case wrongChannelNumber(UInt16)
}
