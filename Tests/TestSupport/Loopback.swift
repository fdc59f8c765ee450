package import Glibc

/// Whether a port of 127.0.0.1 can be taken, for UDP and for TCP.
package func isFree(_ port: UInt16) -> Bool {
  [SOCK_DGRAM, SOCK_STREAM].allSatisfy { type in
    let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
    defer { close(descriptor) }
    // TCP connections of before that are still being forgotten do not count.
    var on: Int32 = type == SOCK_STREAM ? 1 : 0
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    return withLoopbackAddress(port) { bind(descriptor, $0, $1) } == 0
  }
}

/// A port of 127.0.0.1 that can be taken, for UDP and for TCP. The kernel gives it to nobody who asks for any, and the lab reserves
/// none as low.
package func freePort(besides other: UInt16? = nil) throws -> UInt16 {
  for _ in 0..<200 {
    let port = UInt16.random(in: 10_000..<20_000)
    if port != other, isFree(port) { return port }
  }
  throw NoFreePort()
}

private struct NoFreePort: Error {}

/// Whether something answers a STUN Binding request over UDP at a port of 127.0.0.1 within a second.
package func stunBinding(port: UInt16) -> Bool {
  let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
  defer { close(descriptor) }
  let request: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + (1...12)
  guard withLoopbackAddress(port, { connect(descriptor, $0, $1) }) == 0,
    send(descriptor, request, request.count, 0) == request.count
  else { return false }
  var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
  var answer = [UInt8](repeating: 0, count: 1500)
  guard poll(&event, 1, 1000) == 1, recv(descriptor, &answer, answer.count, 0) >= 20 else { return false }
  return answer[0..<2] == [1, 1] && answer[4..<20] == request[4..<20]
}

/// Whether something answers a STUN Binding request at a port of 127.0.0.1 before the time is over. Asks again until then.
package func stunBinding(port: UInt16, within time: Duration) -> Bool {
  let end = ContinuousClock.now + time
  repeat {
    if stunBinding(port: port) { return true }
    usleep(20_000)
  } while .now < end
  return false
}

/// Calls `body` with the address of a port of 127.0.0.1.
package func withLoopbackAddress<R>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return withUnsafePointer(to: address) { address in
    address.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
  }
}
