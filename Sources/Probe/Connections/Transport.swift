package import Addresses
import NIOCore
import STUN

/// How a client reaches its server.
package enum Transport: String, Sendable, Hashable, CaseIterable {
  case udp
  case tcp
  case tls
  case dtls

  /// Whether the transport keeps order and repeats what is lost, so that requests are sent once.
  package var isReliable: Bool { self == .tcp || self == .tls }

  /// Whether the server shows a certificate.
  package var isSecure: Bool { self == .tls || self == .dtls }

  /// The timers that requests over this transport follow.
  var schedule: RetransmissionSchedule { isReliable ? .reliable : .unreliable() }

  /// What a URI says, with what the RFCs assume where it says nothing: UDP for `stun` and `turn`, TLS over TCP for
  /// `stuns` and `turns`.
  package init(of uri: ServerURI) {
    switch (uri.scheme.isSecure, uri.transport) {
    case (false, .tcp): self = .tcp
    case (false, _): self = .udp
    case (true, .udp): self = .dtls
    case (true, _): self = .tls
    }
  }
}

extension SocketAddress {
  /// A socket address for an address and port.
  init(_ address: TransportAddress) throws {
    var octets = ByteBufferAllocator().buffer(capacity: 16)
    octets.writeBytes(address.ip.octets)
    try self.init(packedIPAddress: octets, port: Int(address.port))
  }
}

extension TransportAddress {
  /// nil for a unix socket.
  init?(_ address: SocketAddress) {
    guard let port = address.port.flatMap(UInt16.init(exactly:)), let text = address.ipAddress,
      let ip = IPAddress(text)
    else { return nil }
    self.init(ip: ip, port: port)
  }
}
