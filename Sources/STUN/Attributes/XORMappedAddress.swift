package import Addresses
package import NIOCore

/// XOR-MAPPED-ADDRESS: the client's reflexive address (RFC 8489, section 14.2).
package struct XORMappedAddress: Attribute, Hashable {
  package static let type = AttributeType.xorMappedAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    address = try AddressCoding.read(value, of: Self.type, mask: transactionID.addressMask)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: transactionID.addressMask)
  }
}
