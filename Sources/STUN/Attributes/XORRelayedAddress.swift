package import Addresses
package import NIOCore

/// XOR-RELAYED-ADDRESS: the address that the server allocated to the client (RFC 8656, section 18.5).
package struct XORRelayedAddress: Attribute, Hashable {
  package static let type = AttributeType.xorRelayedAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    address = try AddressCoding.read(value, of: Self.type, mask: transactionID.addressMask)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: transactionID.addressMask)
  }
}
