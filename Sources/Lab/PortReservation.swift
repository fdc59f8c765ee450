import Files

/// A port of 127.0.0.1, the same for UDP and TCP, that was free and is held for a server that shares its ports (coturn
/// sets SO_REUSEPORT), until it has opened it.
///
/// A port that is merely looked for and let go of could be given to two servers at once, which then, sharing it, would
/// each get a part of both's clients. While this holds it, no other reservation can: it takes the port for itself alone
/// and only then begins to share.
struct PortReservation: ~Copyable {
  let port: UInt16
  private let udp: LoopbackSocket
  private let tcp: LoopbackSocket

  deinit {
    udp.unbind()
  }

  /// Takes one at random below the ports that the kernel gives to whoever asks for any: such a socket, of a client or of another
  /// server's relay, could otherwise take the port between the moment that this lets go of it and the one that the server opens
  /// it. It is even, since coturn opens the next one beside it for RFC 5780 where it has two addresses.
  static func make() throws(LabError) -> PortReservation {
    for _ in 0..<256 {
      guard let udp = LoopbackSocket(.udp), let tcp = LoopbackSocket(.tcp) else { break }
      guard let port = udp.bound(to: UInt16.random(in: range) & ~1), tcp.bound(to: port) != nil
      else { continue }
      udp.share()
      tcp.share()
      return PortReservation(port: port, udp: udp, tcp: tcp)
    }
    throw LabError(.system, "no port of 127.0.0.1 is free for both UDP and TCP")
  }

  /// Unprivileged, and below `net.ipv4.ip_local_port_range` unless that leaves no room.
  private static let range: ClosedRange<UInt16> = {
    let bytes = (try? File(reading: "/proc/sys/net/ipv4/ip_local_port_range").read()) ?? []
    let text = String(decoding: bytes, as: UTF8.self)
    guard let first = text.split(whereSeparator: \.isWhitespace).first.flatMap({ UInt16($0) }), first >= 24_000 else {
      return 20_000...32_766
    }
    return 20_000...first - 2
  }()
}
