package import Addresses
package import NIOCore

/// SOURCE-ADDRESS: where the response was sent from, as servers of RFC 3489 call it (section 11.2.5); now RESPONSE-ORIGIN.
package struct SourceAddress: Attribute, Hashable {
  package static let type = AttributeType.sourceAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    address = try AddressCoding.read(value, of: Self.type, mask: .none)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: .none)
  }
}
