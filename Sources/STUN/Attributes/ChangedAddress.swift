package import Addresses
package import NIOCore

/// CHANGED-ADDRESS: the server's second address and port, as servers of RFC 3489 call it (section 11.2.3); now OTHER-ADDRESS.
package struct ChangedAddress: Attribute, Hashable {
  package static let type = AttributeType.changedAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    address = try AddressCoding.read(value, of: Self.type, mask: .none)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: .none)
  }
}
