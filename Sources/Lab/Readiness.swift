/// Whether a server answers on loopback.
enum Readiness {
  /// Whether somebody accepts TCP connections at the port.
  static func accepts(tcp port: UInt16) -> Bool {
    LoopbackSocket(.tcp)?.connected(to: port) ?? false
  }

  /// Whether a STUN Binding request over UDP is answered by a success within 100 ms (RFC 8489, sections 5 and 6).
  static func answersBinding(udp port: UInt16) -> Bool {
    let transaction = (0..<12).map { _ in UInt8.random(in: .min ... .max) }
    let cookie: [UInt8] = [0x21, 0x12, 0xa4, 0x42]
    let request = [0x00, 0x01, 0x00, 0x00] + cookie + transaction
    guard let socket = LoopbackSocket(.udp), socket.connected(to: port),
      let answer = socket.exchange(request, within: 100), answer.count >= 20
    else { return false }
    return answer[0..<2] == [0x01, 0x01] && Array(answer[4..<20]) == cookie + transaction
  }
}
