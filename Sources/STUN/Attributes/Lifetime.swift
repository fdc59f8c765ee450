package import NIOCore

/// LIFETIME: how long the server keeps an allocation without a refresh (RFC 8656, section 18.2); 0 deletes it.
package struct Lifetime: Attribute, Hashable {
  package static let type = AttributeType.lifetime
  package let seconds: UInt32

  package init(seconds: UInt32) { self.seconds = seconds }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes == 4, let seconds: UInt32 = value.getInteger(at: value.readerIndex) else {
      throw .malformedAttribute(Self.type)
    }
    self.seconds = seconds
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { buffer.writeInteger(seconds) }
}
