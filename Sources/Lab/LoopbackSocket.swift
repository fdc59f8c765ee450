import Glibc

/// A socket of 127.0.0.1 with one owner.
struct LoopbackSocket: ~Copyable {
  enum SocketKind {
    case udp
    case tcp
  }

  private let descriptor: Int32

  /// Nil if the system has none to give.
  init?(_ transport: SocketKind) {
    let type = Int32((transport == .udp ? SOCK_DGRAM : SOCK_STREAM).rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    descriptor = socket(AF_INET, type, 0)
    if descriptor < 0 { return nil }
  }

  deinit {
    close(descriptor)
  }

  /// Takes a port for it, any free one for 0; nil if that port is taken.
  borrowing func bound(to port: UInt16 = 0) -> UInt16? {
    guard Self.withAddress(port: port, { bind(descriptor, $0, $1) }) == 0 else { return nil }
    var own = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let found = withUnsafeMutablePointer(to: &own) { own in
      own.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return found == 0 ? UInt16(bigEndian: own.sin_port) : nil
  }

  /// From now on another socket of the same user that does the same may take the same port.
  borrowing func share() {
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Gives the port back that it took as any free one (udp(7): by connecting it to no address). Over UDP only.
  ///
  /// Closing is not enough where it has to be free at once: a child of ours between fork and exec holds a copy.
  borrowing func unbind() {
    var nowhere = sockaddr()
    nowhere.sa_family = sa_family_t(AF_UNSPEC)
    connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
  }

  /// Whether there is somebody to connect to at the port: over TCP a listener; over UDP always.
  borrowing func connected(to port: UInt16) -> Bool {
    Self.withAddress(port: port) { connect(descriptor, $0, $1) } == 0
  }

  /// Sends the bytes to where it is connected, and gives the answer that comes in time.
  borrowing func exchange(_ request: [UInt8], within milliseconds: Int32) -> [UInt8]? {
    guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return nil }
    var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&event, 1, milliseconds) == 1 else { return nil }
    var answer = [UInt8](repeating: 0, count: 2048)
    let count = recv(descriptor, &answer, answer.count, 0)
    return count < 0 ? nil : Array(answer.prefix(count))
  }

  private static func withAddress<R>(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}

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
