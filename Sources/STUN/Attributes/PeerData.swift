package import NIOCore

/// DATA: the payload of a Send or Data indication (RFC 8656, section 18.4).
package struct PeerData: Attribute, Hashable {
  package static let type = AttributeType.data
  package let bytes: ByteBuffer

  package init(_ bytes: ByteBuffer) { self.bytes = bytes }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) { bytes = value }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    buffer.writeImmutableBuffer(bytes)
  }
}
