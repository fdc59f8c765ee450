package import Addresses
package import NIOCore

/// OTHER-ADDRESS: the server's second address and port, for behaviour discovery (RFC 5780, section 7.4).
package struct OtherAddress: Attribute, Hashable {
  package static let type = AttributeType.otherAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    address = try AddressCoding.read(value, of: Self.type, mask: .none)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: .none)
  }
}
