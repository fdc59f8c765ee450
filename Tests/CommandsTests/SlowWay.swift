import Foundation
import Glibc
import Synchronization
import TestSupport

/// The way to a server of loopback, over UDP: slow until a client asks for an allocation, and as fast as any from then on.
final class SlowWay: Sendable {
  let port: UInt16
  private let front: Int32

  /// - Parameter slower: how much later a datagram comes to the server.
  init(to server: UInt16, slower: Duration) throws {
    port = try freePort()
    front = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard withLoopbackAddress(port, { [front] in bind(front, $0, $1) }) == 0 else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
    Thread.detachNewThread { [front] in
      var relay = Relay(front: front, server: server, slower: slower)
      relay.serve()
    }
  }

  deinit { shutdown(front, Int32(SHUT_RDWR)) }

  private struct Relay {
    let front: Int32
    let server: UInt16
    var slower: Duration
    /// The sockets towards the server, by the client's port.
    var backs: [UInt16: Int32] = [:]
    var held: [(until: ContinuousClock.Instant, back: Int32, bytes: [UInt8])] = []

    mutating func serve() {
      defer { for descriptor in backs.values + [front] { close(descriptor) } }
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        let clients = backs.map { (port: $0.key, back: $0.value) }
        var events = ([front] + clients.map(\.back)).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        poll(&events, nfds_t(events.count), held.isEmpty ? -1 : 5)
        for (client, event) in zip(clients, events.dropFirst()) where event.revents != 0 {
          let count = recv(client.back, &buffer, buffer.count, 0)
          guard count > 0 else { continue }
          _ = withLoopbackAddress(client.port) { sendto(front, buffer, count, 0, $0, $1) }
        }
        if events[0].revents != 0 {
          guard let (client, bytes) = receive(&buffer) else { return }
          // An Allocate request (RFC 8656).
          if bytes.starts(with: [0, 3]) { slower = .zero }
          guard let back = back(of: client) else { return }
          held.append((.now + slower, back, bytes))
        }
        let now = ContinuousClock.now
        for (until, back, bytes) in held where until <= now { send(back, bytes, bytes.count, 0) }
        held.removeAll { $0.until <= now }
      }
    }

    /// Nil once the way is closed.
    private func receive(_ buffer: inout [UInt8]) -> (client: UInt16, bytes: [UInt8])? {
      var client = sockaddr_in()
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let count = withUnsafeMutablePointer(to: &client) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(front, &buffer, buffer.count, 0, $0, &size) }
      }
      return count > 0 ? (UInt16(bigEndian: client.sin_port), Array(buffer[..<count])) : nil
    }

    private mutating func back(of client: UInt16) -> Int32? {
      if let back = backs[client] { return back }
      let back = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard withLoopbackAddress(server, { connect(back, $0, $1) }) == 0 else { return nil }
      backs[client] = back
      return back
    }
  }
}
