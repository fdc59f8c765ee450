import Addresses
import Glibc
import Lab
import STUN
import TestSupport
import Testing

@testable import Probe

extension Coturn {
  /// What `LongTermCredentials` calls the user's credential.
  static var password: String { credential }
  static let secret = "shared-secret"

  /// How clients prove themselves to it.
  enum Authentication {
    case longTerm
    case sharedSecret
    case none
  }

  /// Starts it, uses it, and ends it.
  ///
  /// - Parameters:
  ///   - host: an address of this machine by which the test reaches it.
  ///   - port: any free one where nil.
  ///   - arguments: further options, as coturn's command line has them. With `--cert` there are TLS and DTLS.
  static func with<Value>(
    host: String = "127.0.0.1", port: UInt16? = nil, authentication: Authentication = .longTerm,
    allowsLoopbackPeers: Bool = true, _ arguments: [String] = [], _ body: (Coturn) async throws -> Value
  ) async throws -> Value {
    let directives = directives(arguments)
    let coturn = try await start(host: host) { settings in
      if let port { settings.port = port }
      if !arguments.contains("--cert") { settings.tls = nil }
      switch authentication {
      case .longTerm: break
      case .sharedSecret: settings.authentication = .sharedSecret(secret)
      case .none: settings.authentication = .none
      }
      settings.allowsLoopbackPeers = allowsLoopbackPeers
      settings.listensOnUDP = !directives.contains("no-udp")
      settings.directives += directives
    }
    defer { coturn.stop() }
    return try await body(coturn)
  }

  /// Options of the command line as the configuration has them: `--a b` and `--a=b` are `a=b`.
  private static func directives(_ arguments: [String]) -> [String] {
    arguments.reduce(into: []) { lines, word in
      if word.hasPrefix("--") {
        lines.append(String(word.dropFirst(2)))
      } else if let option = lines.popLast() {
        lines.append("\(option)=\(word)")
      }
    }
  }

  func uri(_ scheme: ServerURI.Scheme = .turn, _ transport: ServerURI.URITransport? = nil) -> ServerURI {
    ServerURI(scheme: scheme, host: host, port: scheme.isSecure ? tlsPort : port, transport: transport)
  }

  func server(
    _ scheme: ServerURI.Scheme = .turn, _ transport: ServerURI.URITransport? = nil, username: String = Coturn.username,
    password: String = Coturn.password
  ) -> ProbedServer {
    ProbedServer(
      uri: uri(scheme, transport),
      credentials: .longTerm(LongTermCredentials(username: username, password: password)))
  }

  /// Stops it from answering, without ending it.
  func suspend() { signal(SIGSTOP) }

  /// Lets it answer again.
  func resume() { signal(SIGCONT) }

  /// Waits until the log says that every session of this count is gone.
  func expectNoAllocations(of count: Int) async throws {
    try await expectSessions { made, deleted in made == count && deleted == count }
  }

  /// Waits until the log says that every session is gone, of which there was one at least.
  func expectNoAllocationsLeft() async throws {
    try await expectSessions { made, deleted in made > 0 && made == deleted }
  }

  private func expectSessions(_ condition: (_ made: Int, _ deleted: Int) -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(5)
    while ContinuousClock.now < end {
      let log = log
      if condition(
        log.split(separator: ": new, realm").count - 1, log.split(separator: ": delete: realm").count - 1)
      {
        return
      }
      await Task.yield()
    }
    Issue.record("allocations are left:\n\(log)")
  }
}
