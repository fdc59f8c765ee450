package import Addresses
package import NIOCore

/// REQUESTED-ADDRESS-FAMILY: the family of the relayed address (RFC 8656, section 18.9).
package struct RequestedAddressFamily: Attribute, Hashable {
  package static let type = AttributeType.requestedAddressFamily
  package let family: AddressFamily

  package init(_ family: AddressFamily) { self.family = family }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    family = try readFamily(value, of: Self.type)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { writeFamily(family, into: &buffer) }
}

/// ADDITIONAL-ADDRESS-FAMILY: asks for a second relayed address, of IPv6 (RFC 8656, section 18.11).
package struct AdditionalAddressFamily: Attribute, Hashable {
  package static let type = AttributeType.additionalAddressFamily
  package let family: AddressFamily

  package init(_ family: AddressFamily) { self.family = family }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    family = try readFamily(value, of: Self.type)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { writeFamily(family, into: &buffer) }
}

private func readFamily(_ value: ByteBuffer, of type: AttributeType) throws(DecodingError) -> AddressFamily {
  guard value.readableBytes == 4, let number: UInt8 = value.getInteger(at: value.readerIndex),
    let family = AddressFamily(rawValue: number)
  else { throw .malformedAttribute(type) }
  return family
}

private func writeFamily(_ family: AddressFamily, into buffer: inout ByteBuffer) {
  buffer.writeMultipleIntegers(family.rawValue, 0 as UInt8, 0 as UInt16)
}
