import Glibc
import Synchronization

/// A TCP server, or one at a unix socket, that says to each connection what a test wants, be it no HTTP at all.
package final class ScriptedServer: Sendable {
  /// One connection, for the script.
  package struct Connection {
    /// What the client sent, to the end of its header fields.
    package let request: String
    fileprivate let descriptor: Int32

    /// The first line: `GET /path HTTP/1.1`.
    package var requestLine: String { request.split(separator: "\r\n").first.map(String.init) ?? "" }

    /// False if the client has gone.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
      var rest = bytes[...]
      while !rest.isEmpty {
        let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard sent > 0 else { return false }
        rest = rest.dropFirst(sent)
      }
      return true
    }

    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Waits until the client closes the connection; at most 30 seconds.
    package func waitUntilClosed() {
      var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      var byte: UInt8 = 0
      while poll(&event, 1, 30_000) > 0, recv(descriptor, &byte, 1, 0) > 0 {}
    }
  }

  private let listener: Int32
  private let requested = Mutex<[String]>([])
  package let port: UInt16

  /// The requests of all connections so far, in their order.
  package var requests: [String] { requested.withLock(\.self) }

  package struct NotStarted: Error {}

  /// - Parameters:
  ///   - path: of a unix socket to listen at; nil listens at a free port of 127.0.0.1.
  ///   - readsBody: true waits for the body too, as long as Content-Length says that it is.
  ///   - readsRequest: false lets the script begin as soon as there is a connection.
  ///   - script: runs on a thread of each connection, which is closed behind it.
  package init(
    at path: String? = nil, readsRequest: Bool = true, readsBody: Bool = false,
    _ script: @escaping @Sendable (Connection) -> Void
  ) throws {
    let listener = socket(
      path == nil ? AF_INET : AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = [UInt8](repeating: 0, count: 16)
    address.withUnsafeMutableBytes {
      $0.storeBytes(of: sa_family_t(path == nil ? AF_INET : AF_UNIX), as: sa_family_t.self)
    }
    if let path {
      address = Array(address.prefix(2)) + Array(path.utf8) + [0]
    } else {
      (address[4], address[7]) = (127, 1)
    }
    var size = socklen_t(address.count)
    let port = address.withUnsafeMutableBytes { bytes -> UInt16? in
      bytes.withMemoryRebound(to: sockaddr.self) { bound -> UInt16? in
        guard bind(listener, bound.baseAddress, size) == 0, listen(listener, 64) == 0 else { return nil }
        guard path == nil else { return 0 }
        guard getsockname(listener, bound.baseAddress, &size) == 0 else { return nil }
        return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
      }
    }
    guard let port else { throw NotStarted() }
    self.listener = listener
    self.port = port
    startThread { [weak self] in
      // Closed here alone: elsewhere the number could be another's while this thread is about to accept.
      defer { close(listener) }
      while true {
        let descriptor = accept(listener, nil, nil)
        guard descriptor >= 0 else { return }
        startThread { [weak self] in
          defer { close(descriptor) }
          let request = readsRequest ? Self.head(descriptor, withBody: readsBody) : ""
          self?.requested.withLock { $0.append(request) }
          script(Connection(request: request, descriptor: descriptor))
        }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
  }

  package var url: String { "http://127.0.0.1:\(port)" }

  private static func head(_ descriptor: Int32, withBody: Bool) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    func isWhole() -> Bool {
      let text = String(decoding: bytes, as: UTF8.self)
      guard let end = text.firstRange(of: "\r\n\r\n") else { return false }
      let length = text.firstMatch(of: /(?i)content-length: *(\d+)/).flatMap { Int($0.1) } ?? 0
      return !withBody || text[end.upperBound...].utf8.count >= length
    }
    while !isWhole() {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

private func startThread(_ body: @escaping @Sendable () -> Void) {
  final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let work = Unmanaged.passRetained(Work(body)).toOpaque()
  guard
    pthread_create(
      &thread, nil,
      { work in
        if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body() }
        return nil
      }, work) == 0
  else { return Unmanaged<Work>.fromOpaque(work).release() }
  pthread_detach(thread)
}

/// A response of HTTP/1.1 with its length.
package func httpResponse(_ status: String = "200 OK", _ headers: [String] = [], body: String = "") -> String {
  (["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers).joined(separator: "\r\n") + "\r\n\r\n" + body
}
