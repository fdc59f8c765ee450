package import NIOCore

/// A STUN message whose structure has been checked; attributes are read from its bytes on demand.
///
/// Decoding copies nothing and allocates nothing: what a hostile datagram claims about itself costs no memory.
package struct Message: Sendable {
  /// The fixed value in bytes 4–7 (RFC 8489, section 5).
  package static let magicCookie: UInt32 = 0x2112_A442
  /// The bytes of the header.
  package static let headerLength = 20

  package let type: MessageType
  package let transactionID: TransactionID
  /// Exactly the message's bytes.
  package let bytes: ByteBuffer

  /// Checks header and attribute structure of one whole message.
  ///
  /// - Parameter bytes: one datagram, or one frame of a stream.
  /// - Throws: `DecodingError`, if the bytes are not one well-formed STUN message and nothing else.
  package init(decoding bytes: ByteBuffer) throws(DecodingError) {
    let start = bytes.readerIndex
    guard let wire: UInt16 = bytes.getInteger(at: start) else { throw .truncated }
    guard let type = MessageType(wire: wire) else { throw .notSTUN }
    guard bytes.readableBytes >= Self.headerLength,
      let length: UInt16 = bytes.getInteger(at: start + 2),
      let cookie: UInt32 = bytes.getInteger(at: start + 4),
      let high: UInt32 = bytes.getInteger(at: start + 8),
      let low: UInt64 = bytes.getInteger(at: start + 12)
    else { throw .truncated }
    guard cookie == Self.magicCookie else { throw .wrongMagicCookie }
    guard length % 4 == 0, Self.headerLength + Int(length) == bytes.readableBytes else { throw .wrongLength }
    self.type = type
    self.transactionID = TransactionID(high: high, low: low)
    self.bytes = bytes
    try Self.checkAttributes(bytes)
  }

  private static func checkAttributes(_ bytes: ByteBuffer) throws(DecodingError) {
    var offset = headerLength
    while offset < bytes.readableBytes {
      guard let number: UInt16 = bytes.getInteger(at: bytes.readerIndex + offset),
        let length: UInt16 = bytes.getInteger(at: bytes.readerIndex + offset + 2)
      else { throw .truncated }
      let span = AttributeSpan(type: AttributeType(rawValue: number), offset: offset, length: Int(length))
      guard span.end <= bytes.readableBytes else { throw .attributeOverrun(span.type) }
      offset = span.end
    }
  }

  /// The attributes that count, in order.
  package var attributes: AttributeSpans { AttributeSpans(bytes: bytes) }

  /// Where the first attribute of this type lies; later ones of the same type are ignored (RFC 8489, section 14).
  package func span(of type: AttributeType) -> AttributeSpan? { attributes.first { $0.type == type } }

  /// The first attribute of this type, read.
  ///
  /// - Throws: `DecodingError.malformedAttribute` where it is there but not of its form.
  package func attribute<A: Attribute>(_: A.Type = A.self) throws(DecodingError) -> A? {
    guard let span = span(of: A.type) else { return nil }
    return try A(value: value(of: span), transactionID: transactionID)
  }

  /// The bytes of an attribute's value.
  package func value(of span: AttributeSpan) -> ByteBuffer {
    bytes.getSlice(at: bytes.readerIndex + span.valueOffset, length: span.length) ?? ByteBuffer()
  }

  /// Comprehension-required attributes that this implementation does not understand: a response that has any must
  /// not be processed (RFC 8489, section 6.3).
  package var unknownRequiredAttributes: [AttributeType] {
    attributes.map(\.type).filter { $0.isComprehensionRequired && !$0.isKnown }
  }
}
