package import NIOCore

/// The number of a TURN channel: 0x4000–0x4FFF (RFC 8656, section 12).
package struct ChannelNumber: Attribute, Hashable, RawRepresentable {
  package static let type = AttributeType.channelNumber
  /// The numbers that may be bound.
  package static let range: ClosedRange<UInt16> = 0x4000...0x4FFF
  package let rawValue: UInt16

  /// nil outside of the range.
  package init?(rawValue: UInt16) {
    guard Self.range.contains(rawValue) else { return nil }
    self.rawValue = rawValue
  }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes == 4, let number: UInt16 = value.getInteger(at: value.readerIndex),
      let channel = ChannelNumber(rawValue: number)
    else { throw .malformedAttribute(Self.type) }
    self = channel
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    buffer.writeMultipleIntegers(rawValue, 0 as UInt16)
  }
}

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
