package import Addresses
package import NIOCore

/// RESPONSE-ORIGIN: the address that the response was sent from, as the server sees it (RFC 5780, section 7.3).
package struct ResponseOrigin: Attribute, Hashable {
  package static let type = AttributeType.responseOrigin
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    address = try AddressCoding.read(value, of: Self.type, mask: .none)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: .none)
  }
}
