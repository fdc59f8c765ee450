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

  static func make() throws(LabError) -> PortReservation {
    // A port free for UDP may be in use for TCP; one of a few is free for both.
    for _ in 0..<64 {
      guard let udp = LoopbackSocket(.udp), let tcp = LoopbackSocket(.tcp) else { break }
      guard let port = udp.bound(), tcp.bound(to: port) != nil else { continue }
      udp.share()
      tcp.share()
      return PortReservation(port: port, udp: udp, tcp: tcp)
    }
    throw LabError(.system, "no port of 127.0.0.1 is free for both UDP and TCP")
  }
}
