package import NIOCore

/// CHANGE-REQUEST: asks the server to answer from its other address or port (RFC 5780, section 7.2).
package struct ChangeRequest: Attribute, Hashable {
  package static let type = AttributeType.changeRequest
  package let changesAddress: Bool
  package let changesPort: Bool

  package init(changesAddress: Bool, changesPort: Bool) {
    self.changesAddress = changesAddress
    self.changesPort = changesPort
  }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes == 4, let flags: UInt32 = value.getInteger(at: value.readerIndex) else {
      throw .malformedAttribute(Self.type)
    }
    self.init(changesAddress: flags & 0b100 != 0, changesPort: flags & 0b010 != 0)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    buffer.writeInteger((changesAddress ? 0b100 : 0) | (changesPort ? 0b010 : 0) as UInt32)
  }
}

/// RESPONSE-PORT: asks the server to answer to another port of ours (RFC 5780, section 7.5).
package struct ResponsePort: Attribute, Hashable {
  package static let type = AttributeType.responsePort
  package let port: UInt16

  package init(_ port: UInt16) { self.port = port }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard [2, 4].contains(value.readableBytes), let port: UInt16 = value.getInteger(at: value.readerIndex) else {
      throw .malformedAttribute(Self.type)
    }
    self.port = port
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { buffer.writeInteger(port) }
}

/// PADDING: makes a message as large as a path's MTU demands (RFC 5780, section 7.6).
package struct Padding: Attribute, Hashable {
  package static let type = AttributeType.padding
  /// The number of zero bytes.
  package let count: Int

  package init(count: Int) { self.count = count }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) { count = value.readableBytes }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    buffer.writeRepeatingByte(0, count: count)
  }
}
