package import NIOCore

/// UNKNOWN-ATTRIBUTES: with a 420, the attributes that the server did not understand (RFC 8489, section 14.13).
package struct UnknownAttributes: Attribute, Hashable {
  package static let type = AttributeType.unknownAttributes
  package let types: [AttributeType]

  package init(_ types: [AttributeType]) { self.types = types }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes % 2 == 0 else { throw .malformedAttribute(Self.type) }
    var value = value
    var types: [AttributeType] = []
    types.reserveCapacity(value.readableBytes / 2)
    while let number: UInt16 = value.readInteger() { types.append(AttributeType(rawValue: number)) }
    self.types = types
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    for type in types { buffer.writeInteger(type.rawValue) }
  }
}
