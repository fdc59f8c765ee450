import CLinux
import Glibc
import NIOCore

/// The network in which a probe opens its sockets. A socket stays in it, whichever thread uses the socket later.
package enum ProbeNetwork: Hashable, Sendable {
  /// This host's own.
  case ofHost
  /// Another network namespace, by a file that stands for it: `/run/netns/NAME` or `/proc/PID/ns/net`.
  case namespace(String)

  /// Does `body`, which opens a socket and does not wait, in this network.
  ///
  /// A thread that has entered another network never comes back: it is one made for this, which ends.
  /// - Throws: ``NetworkRefusal``, and what `body` throws.
  func opening<Value>(_ body: () throws -> Value) throws -> Value {
    guard case .namespace(let path) = self else { return try body() }
    return try withoutActuallyEscaping(body) { body in
      let visit = NetworkVisit(path, body)
      try visit.make()
      guard let result = visit.result else { throw NetworkRefusal(path, "nothing was done in it") }
      return try result.get()
    }
  }
}

/// Why no socket was opened in another network.
struct NetworkRefusal: Error, CustomStringConvertible {
  let description: String

  init(_ path: String, _ reason: String) {
    description = "the network namespace \(path) cannot be used: \(reason)"
  }
}

/// One thread's work in another network.
private final class NetworkVisit<Value> {
  private let path: String
  private let body: () throws -> Value
  private(set) var result: Result<Value, any Error>?

  init(_ path: String, _ body: @escaping () throws -> Value) {
    self.path = path
    self.body = body
  }

  /// Returns when the thread has ended.
  func make() throws {
    let visit = Visit { self.result = Result { try self.enterAndRun() } }
    var thread = pthread_t()
    let failure = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument { unsafe Unmanaged<Visit>.fromOpaque(argument).takeUnretainedValue().run() }
        return nil
      }, Unmanaged.passUnretained(visit).toOpaque())
    guard failure == 0 else { throw IOError(errnoCode: failure, reason: "thread for another network") }
    pthread_join(thread, nil)
    withExtendedLifetime(visit) {}
  }

  private func enterAndRun() throws -> Value {
    let namespace = open(path, O_RDONLY | O_CLOEXEC)
    guard namespace >= 0 else { throw NetworkRefusal(path, reason(errno)) }
    defer { close(namespace) }
    // A number of a process that ended may belong to one of this host by now, whose network is production's.
    var (own, other) = (stat(), stat())
    guard unsafe stat("/proc/thread-self/ns/net", &own) == 0, unsafe fstat(namespace, &other) == 0 else {
      throw NetworkRefusal(path, reason(errno))
    }
    guard own.st_ino != other.st_ino || own.st_dev != other.st_dev else {
      throw NetworkRefusal(path, "it is this host's own network")
    }
    guard runbook_enter_network(namespace) == 0 else { throw NetworkRefusal(path, reason(errno)) }
    return try body()
  }

  private func reason(_ code: CInt) -> String { unsafe String(cString: strerror(code)) }
}

/// What a thread does, without its type.
private final class Visit {
  let run: () -> Void

  init(_ run: @escaping () -> Void) { self.run = run }
}
