package import NIOCore

/// REQUESTED-TRANSPORT: the protocol between server and peer (RFC 8656, section 18.7).
package struct RequestedTransport: Attribute, Hashable {
  package static let type = AttributeType.requestedTransport
  /// The IP protocol number.
  package let protocolNumber: UInt8

  package static let udp = RequestedTransport(protocolNumber: 17)
  /// RFC 6062.
  package static let tcp = RequestedTransport(protocolNumber: 6)

  package init(protocolNumber: UInt8) { self.protocolNumber = protocolNumber }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes == 4, let number: UInt8 = value.getInteger(at: value.readerIndex) else {
      throw .malformedAttribute(Self.type)
    }
    protocolNumber = number
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    buffer.writeMultipleIntegers(protocolNumber, 0 as UInt8, 0 as UInt16)
  }
}

/// DONT-FRAGMENT: asks the server to set the DF bit towards the peer (RFC 8656, section 18.8).
package struct DontFragment: Attribute, Hashable {
  package static let type = AttributeType.dontFragment
  package init() {}
  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes == 0 else { throw .malformedAttribute(Self.type) }
  }
  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {}
}

/// EVEN-PORT: asks for an even relayed port, and for the next one to be reserved (RFC 8656, section 18.6).
package struct EvenPort: Attribute, Hashable {
  package static let type = AttributeType.evenPort
  package let reservesNextPort: Bool

  package init(reservesNextPort: Bool) { self.reservesNextPort = reservesNextPort }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes == 1, let flags: UInt8 = value.getInteger(at: value.readerIndex) else {
      throw .malformedAttribute(Self.type)
    }
    reservesNextPort = flags & 0x80 != 0
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    buffer.writeInteger(reservesNextPort ? 0x80 as UInt8 : 0)
  }
}

/// RESERVATION-TOKEN: names the port that an EVEN-PORT reserved (RFC 8656, section 18.10).
package struct ReservationToken: Attribute, Hashable {
  package static let type = AttributeType.reservationToken
  package let value: UInt64

  package init(_ value: UInt64) { self.value = value }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes == 8, let token: UInt64 = value.getInteger(at: value.readerIndex) else {
      throw .malformedAttribute(Self.type)
    }
    self.value = token
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { buffer.writeInteger(value) }
}

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
