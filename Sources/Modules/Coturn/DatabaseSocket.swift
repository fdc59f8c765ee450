import CLinux
import Coturn
import Foundation
import Glibc
import Synchronization

/// A stream connection to a database, whose every operation ends by a deadline. It blocks: for a thread of its own.
final class DatabaseSocket {
  enum Failure: Error, Hashable {
    /// The host has no address.
    case unresolved(String)
    case unreachable(String)
    case outOfTime
    /// The database closed the connection.
    case closed
  }

  private let descriptor: CInt
  /// When every operation ends.
  var end: ContinuousClock.Instant

  /// Connects to the first address that lets it.
  init(_ endpoint: ConnectionString.Endpoint, until end: ContinuousClock.Instant) throws(Failure) {
    self.end = end
    switch endpoint {
    case .socket(let path): descriptor = try Self.connect(toSocket: path, until: end)
    case .host(let host, let port): descriptor = try Self.connect(to: host, port, until: end)
    }
  }

  deinit { close(descriptor) }

  private static func connect(toSocket path: String, until end: ContinuousClock.Instant) throws(Failure) -> CInt {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw .unreachable("the path of the socket is too long")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return try withUnsafePointer(to: &address) { (pointer) throws(Failure) in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { (pointer) throws(Failure) in
        try connect(to: pointer, socklen_t(MemoryLayout<sockaddr_un>.size), family: AF_UNIX, until: end)
      }
    }
  }

  private static func connect(
    to host: String, _ port: UInt16, until end: ContinuousClock.Instant
  ) throws(Failure) -> CInt {
    let found = try resolve(host, port, until: end)
    defer { freeaddrinfo(found.first) }
    var failure = Failure.unresolved("it has no address")
    var next = found.first
    while let entry = next?.pointee {
      do throws(Failure) {
        guard let address = entry.ai_addr else { throw .unresolved("it has no address") }
        return try connect(to: address, entry.ai_addrlen, family: entry.ai_family, until: end)
      } catch {
        failure = error
      }
      next = entry.ai_next
    }
    throw failure
  }

  /// A list of addresses, to be freed by whoever takes it.
  private struct Addresses: @unchecked Sendable {
    var first: UnsafeMutablePointer<addrinfo>?
  }

  private final class Answer: Sendable {
    let value = Mutex<(status: CInt, addresses: Addresses)?>(nil)
  }

  /// The system's resolver knows no deadline: it is left alone with its question once that has passed.
  private static func resolve(
    _ host: String, _ port: UInt16, until end: ContinuousClock.Instant
  ) throws(Failure) -> Addresses {
    let answer = Answer()
    let done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      var hints = addrinfo()
      hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
      var found: UnsafeMutablePointer<addrinfo>?
      let status = getaddrinfo(host, "\(port)", &hints, &found)
      let addresses = Addresses(first: found)
      answer.value.withLock { $0 = (status, addresses) }
      done.signal()
    }
    let left = max(.zero, ContinuousClock.now.duration(to: end))
    let (seconds, attoseconds) = left.components
    let limit = DispatchTime.now() + .seconds(Int(clamping: seconds)) + .nanoseconds(Int(attoseconds / 1_000_000_000))
    guard done.wait(timeout: limit) == .success, let (status, addresses) = answer.value.withLock({ $0 }) else {
      throw .unresolved("no answer in time")
    }
    guard status == 0 else { throw .unresolved(String(cString: gai_strerror(status))) }
    return addresses
  }

  private static func connect(
    to address: UnsafePointer<sockaddr>, _ length: socklen_t, family: CInt, until end: ContinuousClock.Instant
  ) throws(Failure) -> CInt {
    let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(family, type, 0)
    guard descriptor >= 0 else { throw .unreachable(reason(errno)) }
    do throws(Failure) {
      if Glibc.connect(descriptor, address, length) != 0 {
        guard errno == EINPROGRESS else { throw .unreachable(reason(errno)) }
        try wait(for: Int16(POLLOUT), on: descriptor, until: end)
        var failure: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size)
        guard failure == 0 else { throw .unreachable(reason(failure)) }
      }
      return descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }

  private static func reason(_ number: CInt) -> String { String(cString: strerror(number)).lowercased() }

  private static func wait(
    for events: Int16, on descriptor: CInt, until end: ContinuousClock.Instant
  ) throws(Failure) {
    while true {
      let left = ContinuousClock.now.duration(to: end)
      guard left > .zero else { throw .outOfTime }
      let (seconds, attoseconds) = left.components
      let milliseconds = seconds > 3600 ? 3_600_000 : seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1
      var event = pollfd(fd: descriptor, events: events, revents: 0)
      if poll(&event, 1, CInt(milliseconds)) > 0 { return }
    }
  }

  func send(_ bytes: [UInt8]) throws(Failure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
      if sent > 0 {
        rest = rest.dropFirst(sent)
      } else if errno == EAGAIN {
        try Self.wait(for: Int16(POLLOUT), on: descriptor, until: end)
      } else if errno != EINTR {
        throw .closed
      }
    }
  }

  /// What came, at most 64 KiB. Throws `closed` at the end.
  func receive() throws(Failure) -> [UInt8] {
    while true {
      var count = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, filled in
        count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        filled = max(count, 0)
      }
      if count > 0 { return bytes }
      if count == 0 { throw .closed }
      if errno == EAGAIN {
        try Self.wait(for: Int16(POLLIN), on: descriptor, until: end)
      } else if errno != EINTR {
        throw .closed
      }
    }
  }
}
