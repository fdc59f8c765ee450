import Addresses
import Foundation
import STUN

@testable import Probe

/// A real coturn on loopback, for as long as a test uses it.
struct Coturn: Sendable {
  static let username = "alice"
  static let password = "correct horse"
  static let secret = "shared-secret"
  static let realm = "r.example"

  /// How clients prove themselves to it.
  enum Authentication {
    case longTerm
    case sharedSecret
    case none
  }

  let port: UInt16
  let tlsPort: UInt16
  let process: Process
  private let directory: URL
  private let host: String

  private var listensOnUDP: Bool { process.arguments?.contains("--no-udp") != true }

  var pid: Int32 { process.processIdentifier }

  /// What it has logged so far.
  var log: String { (try? String(contentsOf: directory.appending(path: "log"), encoding: .utf8)) ?? "" }

  func uri(_ scheme: ServerURI.Scheme = .turn, _ transport: ServerURI.Transport? = nil) -> ServerURI {
    ServerURI(scheme: scheme, host: host, port: scheme.isSecure ? tlsPort : port, transport: transport)
  }

  func server(
    _ scheme: ServerURI.Scheme = .turn, _ transport: ServerURI.Transport? = nil, username: String = Coturn.username,
    password: String = Coturn.password
  ) -> Server {
    Server(
      uri: uri(scheme, transport), credentials: .longTerm(LongTermCredentials(username: username, password: password)))
  }

  /// Stops it from answering, without ending it.
  func suspend() { kill(pid, SIGSTOP) }
  func resume() { kill(pid, SIGCONT) }

  func stop() {
    kill(pid, SIGCONT)
    kill(pid, SIGKILL)
    process.waitUntilExit()
  }

  /// Starts it, waits until it answers, and ends it after use.
  static func with<Value>(
    host: String = "127.0.0.1", port: UInt16? = nil, authentication: Authentication = .longTerm,
    allowsLoopbackPeers: Bool = true,
    _ arguments: [String] = [], _ body: (Coturn) async throws -> Value
  ) async throws -> Value {
    let server = try start(
      host: host, port: port, authentication: authentication, allowsLoopbackPeers: allowsLoopbackPeers, arguments)
    defer {
      server.stop()
      try? FileManager.default.removeItem(at: server.directory)
    }
    try await server.waitUntilReady()
    return try await body(server)
  }

  private static func start(
    host: String, port: UInt16?, authentication: Authentication, allowsLoopbackPeers: Bool, _ arguments: [String]
  ) throws -> Coturn {
    let directory = URL.temporaryDirectory.appending(path: "coturn-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let (port, tlsPort) = (try port ?? FreePort.take(host), try FreePort.take(host))
    let process = Process()
    // The kernel ends it when the tests are killed.
    process.executableURL = URL(filePath: "/usr/bin/setpriv")
    process.arguments =
      [
        "--pdeathsig", "KILL", "--", "turnserver", "-n", "--listening-ip", host, "--relay-ip", host,
        "--listening-port", "\(port)", "--tls-listening-port", "\(tlsPort)", "--no-cli",
        "--userdb", directory.appending(path: "db").path, "--pidfile", directory.appending(path: "pid").path,
        "--log-file", "stdout", "--simple-log", "-v", "--realm", realm,
      ] + arguments + (allowsLoopbackPeers ? ["--allow-loopback-peers"] : [])
    switch authentication {
    case .longTerm: process.arguments? += ["--lt-cred-mech", "--user", "\(username):\(password)"]
    case .sharedSecret: process.arguments? += ["--use-auth-secret", "--static-auth-secret", secret]
    case .none: process.arguments? += ["--no-auth"]
    }
    if !arguments.contains("--cert") { process.arguments? += ["--no-tls", "--no-dtls"] }
    let log = directory.appending(path: "log")
    try Data().write(to: log)
    process.standardOutput = try FileHandle(forWritingTo: log)
    process.standardError = process.standardOutput
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return Coturn(port: port, tlsPort: tlsPort, process: process, directory: directory, host: host)
  }

  private func waitUntilReady() async throws {
    let end = ContinuousClock.now + .seconds(15)
    while ContinuousClock.now < end {
      do {
        _ = try await BindingProbe(server: Server(uri: uri(.turn, listensOnUDP ? .udp : .tcp)), requests: 1).run(
          deadline: .milliseconds(500))
        return
      } catch {
        guard process.isRunning, [.portUnreachable, .connectionRefused, .stunTimeout].contains(error.code) else {
          break
        }
        await Task.yield()
      }
    }
    throw StartFailure(log: log)
  }

  struct StartFailure: Error, CustomStringConvertible {
    let log: String
    var description: String { "coturn did not start:\n\(log)" }
  }
}

/// Ports that nobody listens on at the moment.
enum FreePort {
  /// A port that is free for UDP and TCP on this address, below those that the kernel gives to clients.
  static func take(_ host: String) throws -> UInt16 {
    for _ in 0..<100 {
      guard let udp = try? bound(host, SOCK_DGRAM, port: .random(in: 10_000...20_000)) else { continue }
      defer { close(udp.descriptor) }
      if let tcp = try? bound(host, SOCK_STREAM, port: udp.port) {
        close(tcp.descriptor)
        return udp.port
      }
    }
    throw POSIXError(.EADDRINUSE)
  }

  private static func bound(
    _ host: String, _ type: __socket_type, port: UInt16
  ) throws -> (descriptor: Int32, port: UInt16) {
    let isIPv6 = host.contains(":")
    let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(type.rawValue), 0)
    var storage = sockaddr_storage()
    let size = socklen_t(isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return try withUnsafeMutablePointer(to: &storage) { pointer in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let raw = UnsafeMutableRawPointer(pointer)
        raw.storeBytes(of: sa_family_t(isIPv6 ? AF_INET6 : AF_INET), as: sa_family_t.self)
        raw.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
        inet_pton(isIPv6 ? AF_INET6 : AF_INET, host, raw + (isIPv6 ? 8 : 4))
        guard bind(descriptor, address, size) == 0, getsockname(descriptor, address, &length) == 0 else {
          close(descriptor)
          throw POSIXError(.EADDRINUSE)
        }
        return (descriptor, UInt16(bigEndian: raw.load(fromByteOffset: 2, as: UInt16.self)))
      }
    }
  }
}
