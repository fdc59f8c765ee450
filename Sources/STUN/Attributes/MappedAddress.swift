package import Addresses
package import NIOCore

/// MAPPED-ADDRESS: the client's reflexive address, in plain (RFC 8489, section 14.1).
package struct MappedAddress: Attribute, Hashable {
  package static let type = AttributeType.mappedAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    address = try AddressCoding.read(value, of: Self.type, mask: .none)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: .none)
  }
}
