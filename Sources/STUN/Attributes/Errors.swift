package import NIOCore

/// ERROR-CODE: why a request was refused (RFC 8489, section 14.8). The number decides; the phrase may be empty.
package struct ErrorCode: Attribute, Hashable {
  package static let type = AttributeType.errorCode
  /// 300–699.
  package let number: Int
  /// For people; empty if the server sent none.
  package let reason: String

  package init(_ number: Int, reason: String = "") {
    self.number = number
    self.reason = reason
  }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    var value = value
    guard let (_, hundreds, rest) = value.readMultipleIntegers(as: (UInt16, UInt8, UInt8).self),
      (3...6).contains(hundreds & 0b111), rest < 100
    else { throw .malformedAttribute(Self.type) }
    number = Int(hundreds & 0b111) * 100 + Int(rest)
    reason = String(decoding: value.readableBytesView.prefix(763), as: UTF8.self)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    buffer.writeMultipleIntegers(
      0 as UInt16, UInt8(truncatingIfNeeded: number / 100), UInt8(truncatingIfNeeded: number % 100))
    buffer.writeString(reason)
  }
}

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
