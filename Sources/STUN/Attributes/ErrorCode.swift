package import NIOCore

/// ERROR-CODE: why a request was refused (RFC 8489, section 14.8). The number decides; the phrase may be empty.
package struct ErrorCode: Attribute, Hashable {
  package static let type = AttributeType.errorCode
  /// 300–699.
  package let number: Int
  /// For people; empty where the server sent none.
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
