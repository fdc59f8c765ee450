package import Addresses
package import NIOCore

/// ALTERNATE-SERVER: where a 300 (Try Alternate) sends the client (RFC 8489, section 14.15).
package struct AlternateServer: Attribute, Hashable {
  package static let type = AttributeType.alternateServer
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    address = try AddressCoding.read(value, of: Self.type, mask: .none)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: .none)
  }
}
