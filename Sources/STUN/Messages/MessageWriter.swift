package import NIOCore

/// Writes one STUN message, attribute by attribute, into one buffer.
///
/// Order matters: everything else first, then integrity, then the fingerprint.
package struct MessageWriter: Sendable {
  private var buffer: ByteBuffer
  private let transactionID: TransactionID
  /// The first attribute whose value, or the message that it is appended to, is longer than it may be. Such a message must
  /// not be sent: its length fields are wrong.
  package private(set) var overlong: AttributeType?

  /// Starts a message.
  ///
  /// - Parameter capacity: the bytes that the message will probably take; it grows beyond them where it must.
  package init(_ type: MessageType, transactionID: TransactionID, capacity: Int = 256) {
    self.transactionID = transactionID
    buffer = ByteBufferAllocator().buffer(capacity: capacity)
    buffer.writeMultipleIntegers(
      type.wire, 0 as UInt16, Message.magicCookie, transactionID.high, transactionID.low)
  }

  /// Appends an attribute with its padding.
  package mutating func append<A: Attribute>(_ attribute: A) {
    let headerIndex = buffer.writerIndex
    buffer.writeMultipleIntegers(A.type.rawValue, 0 as UInt16)
    attribute.write(into: &buffer, transactionID: transactionID)
    let length = buffer.writerIndex - headerIndex - 4
    buffer.setInteger(UInt16(truncatingIfNeeded: length), at: headerIndex + 2)
    buffer.writeRepeatingByte(0, count: -length & 3)
    if length > A.maximumLength { overlong = overlong ?? A.type }
    setLength(endingWith: A.type)
  }

  /// Appends an attribute whose value is computed over the message before it.
  ///
  /// - Parameter code: gets the message, the position where the attribute begins, and the length that ends with it.
  mutating func appendCode(
    _ type: AttributeType, byteCount: Int, _ code: (ByteBuffer, _ end: Int, _ length: Int) -> some Sequence<UInt8>
  ) {
    let end = buffer.readableBytes
    let value = code(buffer, end, end + 4 + byteCount - Message.headerLength)
    buffer.writeMultipleIntegers(type.rawValue, UInt16(truncatingIfNeeded: byteCount))
    buffer.writeBytes(value)
    setLength(endingWith: type)
  }

  /// Appends FINGERPRINT; nothing may follow.
  package mutating func appendFingerprint() {
    let end = buffer.readableBytes
    let checksum = Fingerprint.value(over: buffer, upTo: end, length: end + 8 - Message.headerLength)
    buffer.writeMultipleIntegers(AttributeType.fingerprint.rawValue, 4 as UInt16, checksum)
    setLength(endingWith: .fingerprint)
  }

  /// The finished message.
  package consuming func finish() -> ByteBuffer { buffer }

  private mutating func setLength(endingWith type: AttributeType) {
    let length = buffer.readableBytes - Message.headerLength
    if length > UInt16.max { overlong = overlong ?? type }
    buffer.setInteger(UInt16(truncatingIfNeeded: length), at: buffer.readerIndex + 2)
  }
}
