import Addresses

/// A UDP or TCP socket that is bound to a port, as the kernel tells it.
struct BoundSocket: Hashable, Sendable {
  let transport: SocketTransport
  let address: IPAddress
  let port: UInt16
  /// Its state, as TCP numbers it; UDP sockets are connected or closed.
  let state: UInt8
  let user: UInt32
  /// 0 if the kernel itself made it.
  let inode: UInt64
  /// Whether an IPv6 socket takes no IPv4. False if the kernel does not tell.
  let isIPv6Only: Bool
  /// How much was received that its owner has not read yet, in bytes; of a listening TCP socket, connections not accepted yet.
  let waiting: Int

  /// Whether it takes packets, or connections, of whoever sends them.
  var isListening: Bool { state == (transport == .udp ? 7 : 10) }
  /// Whether it belongs to one peer.
  var isConnected: Bool { !isListening && (transport == .tcp || state == 1) }

  private var isWildcard: Bool { address == .v4(0) || address == .v6(high: 0, low: 0) }

  /// How near it is to what comes in at an address: the kernel gives it to the nearest; nil if it never gets it.
  func nearness(to wanted: IPAddress) -> Int? {
    if address.unmapped == wanted.unmapped { return 2 }
    guard isWildcard else { return nil }
    if address.family == wanted.unmapped.family { return 1 }
    return address.family == .ipv6 && !isIPv6Only ? 0 : nil
  }
}

package enum SocketTransport: String, CaseIterable, Hashable, Sendable {
  case udp
  case tcp

  /// As IP numbers it.
  var number: UInt8 { self == .udp ? 17 : 6 }
}
