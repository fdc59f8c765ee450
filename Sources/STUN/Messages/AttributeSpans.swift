import NIOCore

/// The attributes of a checked message that count, in order.
///
/// What follows MESSAGE-INTEGRITY is ignored, but for MESSAGE-INTEGRITY-SHA256 and FINGERPRINT; what follows
/// MESSAGE-INTEGRITY-SHA256, but for FINGERPRINT (RFC 8489, sections 14.5 and 14.6).
package struct AttributeSpans: Sequence, IteratorProtocol {
  private let bytes: ByteBuffer
  private var offset = Message.headerLength
  private var behindIntegrity = false
  private var behindIntegritySHA256 = false

  init(bytes: ByteBuffer) { self.bytes = bytes }

  package mutating func next() -> AttributeSpan? {
    while let number: UInt16 = bytes.getInteger(at: bytes.readerIndex + offset),
      let length: UInt16 = bytes.getInteger(at: bytes.readerIndex + offset + 2)
    {
      let span = AttributeSpan(type: AttributeType(rawValue: number), offset: offset, length: Int(length))
      offset = span.end
      if counts(span.type) { return span }
    }
    return nil
  }

  private mutating func counts(_ type: AttributeType) -> Bool {
    switch type {
    case .fingerprint:
      return true
    case .messageIntegritySHA256:
      defer { behindIntegritySHA256 = true }
      return !behindIntegritySHA256
    case .messageIntegrity:
      defer { behindIntegrity = true }
      return !behindIntegrity && !behindIntegritySHA256
    default:
      return !behindIntegrity && !behindIntegritySHA256
    }
  }
}
