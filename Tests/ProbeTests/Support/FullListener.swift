import Glibc
import TestSupport
import Testing

/// A TCP port on loopback whose queue of connections is full: the system answers nobody else.
enum FullListener {
  static func with(_ body: (UInt16) async throws -> Void) async throws {
    let port = try freePort()
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    try #require(withLoopback(port) { bind(listener, $0, $1) } == 0)
    try #require(listen(listener, 0) == 0)
    let waiting = (0..<4).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0) }
    defer { for client in waiting { close(client) } }
    for client in waiting { _ = withLoopback(port) { connect(client, $0, $1) } }
    try await body(port)
  }

  private static func withLoopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
