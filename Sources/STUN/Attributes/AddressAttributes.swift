package import Addresses
package import NIOCore

/// An attribute that is an address in plain: all of them share one layout (RFC 8489, section 14.1).
package protocol AddressAttribute: Attribute, Hashable {
  var address: TransportAddress { get }

  init(_ address: TransportAddress)
}

extension AddressAttribute {
  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    self.init(try AddressCoding.read(value, of: Self.type, mask: .none))
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: .none)
  }
}

/// An attribute that is an address masked with the magic cookie and the transaction ID, which middleboxes that rewrite addresses
/// do not recognise (RFC 8489, section 14.2).
package protocol XORAddressAttribute: AddressAttribute {}

extension XORAddressAttribute {
  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    self.init(try AddressCoding.read(value, of: Self.type, mask: transactionID.addressMask))
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    AddressCoding.write(address, into: &buffer, mask: transactionID.addressMask)
  }
}

/// MAPPED-ADDRESS: the client's reflexive address, in plain (RFC 8489, section 14.1).
package struct MappedAddress: AddressAttribute {
  package static let type = AttributeType.mappedAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }
}

/// XOR-MAPPED-ADDRESS: the client's reflexive address (RFC 8489, section 14.2).
package struct XORMappedAddress: XORAddressAttribute {
  package static let type = AttributeType.xorMappedAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }
}

/// XOR-PEER-ADDRESS: a peer as the server sees it (RFC 8656, section 18.3).
package struct XORPeerAddress: XORAddressAttribute {
  package static let type = AttributeType.xorPeerAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }
}

/// XOR-RELAYED-ADDRESS: the address that the server allocated to the client (RFC 8656, section 18.5).
package struct XORRelayedAddress: XORAddressAttribute {
  package static let type = AttributeType.xorRelayedAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }
}

/// ALTERNATE-SERVER: where a 300 (Try Alternate) sends the client (RFC 8489, section 14.15).
package struct AlternateServer: AddressAttribute {
  package static let type = AttributeType.alternateServer
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }
}

/// RESPONSE-ORIGIN: the address that the response was sent from, as the server sees it (RFC 5780, section 7.3).
package struct ResponseOrigin: AddressAttribute {
  package static let type = AttributeType.responseOrigin
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }
}

/// OTHER-ADDRESS: the server's second address and port, for behaviour discovery (RFC 5780, section 7.4).
package struct OtherAddress: AddressAttribute {
  package static let type = AttributeType.otherAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }
}

/// SOURCE-ADDRESS: where the response was sent from, as servers of RFC 3489 call it (section 11.2.5); now RESPONSE-ORIGIN.
package struct SourceAddress: AddressAttribute {
  package static let type = AttributeType.sourceAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }
}

/// CHANGED-ADDRESS: the server's second address and port, as servers of RFC 3489 call it (section 11.2.3); now OTHER-ADDRESS.
package struct ChangedAddress: AddressAttribute {
  package static let type = AttributeType.changedAddress
  package let address: TransportAddress

  package init(_ address: TransportAddress) { self.address = address }
}
