package import Addresses
package import NIOCore

/// What an allocation's server hands to its client outside of responses.
package enum RelayedData: Sendable, Hashable {
  /// A peer's datagram over a channel.
  case channel(ChannelNumber, ByteBuffer)
  /// A peer's datagram in a Data indication.
  case indication(from: TransportAddress, ByteBuffer)
  /// An ICMP message that came back for what was relayed to this peer (RFC 8656, section 11.5).
  case icmp(ICMP, peer: TransportAddress)

  /// What a peer sent; nil for an ICMP message.
  package var payload: ByteBuffer? {
    switch self {
    case .channel(_, let bytes), .indication(_, let bytes): bytes
    case .icmp: nil
    }
  }

  /// nil unless the message is a well-formed Data indication.
  init?(indication message: Message) {
    guard message.type.method == .data, message.unknownRequiredAttributes.isEmpty,
      let peer = try? message.attribute(XORPeerAddress.self)
    else { return nil }
    if let icmp = try? message.attribute(ICMP.self) {
      self = .icmp(icmp, peer: peer.address)
    } else if let data = try? message.attribute(PeerData.self) {
      self = .indication(from: peer.address, data.bytes)
    } else {
      return nil
    }
  }
}
