package import NIOCore

/// ICMP: in a Data indication, an ICMP message that came back for what was relayed (RFC 8656, section 18.13).
package struct ICMP: Attribute, Hashable {
  package static let type = AttributeType.icmp
  /// The type of the ICMP or ICMPv6 message.
  package let messageType: UInt8
  /// Its code.
  package let code: UInt8
  /// Its data word: the MTU in "fragmentation needed" and "packet too big".
  package let data: UInt32

  package init(messageType: UInt8, code: UInt8, data: UInt32 = 0) {
    self.messageType = messageType
    self.code = code
    self.data = data
  }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    var value = value
    guard value.readableBytes == 8,
      let (_, messageType, code, data) = value.readMultipleIntegers(as: (UInt16, UInt8, UInt8, UInt32).self)
    else { throw .malformedAttribute(Self.type) }
    self.init(messageType: messageType, code: code, data: data)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    buffer.writeMultipleIntegers(0 as UInt16, messageType, code, data)
  }
}
