package import Addresses
package import NIOCore

/// XOR-PEER-ADDRESS: a peer as the server sees it (RFC 8656, section 18.3).
package struct XORPeerAddress: Attribute, Hashable {
  package static let type = AttributeType.xorPeerAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    address = try AddressCoding.read(value, of: Self.type, mask: transactionID.addressMask)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: transactionID.addressMask)
  }
}
