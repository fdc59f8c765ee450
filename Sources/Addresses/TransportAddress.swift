/// An IP address with a port: where a datagram comes from or goes to (RFC 8489, section 4).
package struct TransportAddress: Sendable, Hashable {
  package var ip: IPAddress
  package var port: UInt16

  package init(ip: IPAddress, port: UInt16) {
    self.ip = ip
    self.port = port
  }

  /// The same address with an IPv4-mapped IPv6 address shown as IPv4, for comparison.
  package var unmapped: TransportAddress { TransportAddress(ip: ip.unmapped, port: port) }
}

extension TransportAddress: CustomStringConvertible, LosslessStringConvertible {
  /// Reads `192.0.2.1:3478` or `[2001:db8::1]:3478`.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    var host = text[..<colon]
    if host.first == "[" {
      guard host.last == "]" else { return nil }
      host = host.dropFirst().dropLast()
      guard host.contains(":") else { return nil }
    } else if host.contains(":") {
      return nil
    }
    guard let ip = IPAddress(host) else { return nil }
    self.init(ip: ip, port: port)
  }

  /// `192.0.2.1:3478` or `[2001:db8::1]:3478`.
  package var description: String {
    switch ip {
    case .v4: "\(ip):\(port)"
    case .v6: "[\(ip)]:\(port)"
    }
  }
}
