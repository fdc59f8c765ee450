import Addresses
import NIOCore
import STUN

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
