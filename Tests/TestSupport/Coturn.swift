import Foundation
package import Lab
import Processes

/// A real coturn server of one test's own, on free ports of 127.0.0.1; ended, and its folder removed, with the last
/// reference to it.
package final class Coturn: Sendable {
  private let folder: TemporaryFolder
  private let server: LabServer
  /// The address by which tests reach it.
  package let host: String
  /// Of the one user there is; with a shared secret it has no meaning.
  package static let username = "alice"
  package static let credential = "correct-horse"
  package static let realm = "r.example"

  /// For UDP and TCP.
  package var port: UInt16 { server.port }
  /// For TLS and DTLS.
  package var tlsPort: UInt16? { server.tlsPort }
  /// The certificate to trust, as a PEM file.
  package var authority: String { folder.path + "/ca.pem" }
  package var logFile: String { folder.path + "/turnserver.log" }
  package var pid: Int32 { server.process.pid }
  /// Where it runs; its `turnserver.conf`, `turnserver.pid`, `server.pem` and `server-key.pem` lie there.
  package var directory: String { folder.path }
  /// What it has logged so far.
  package var log: String { folder.read("turnserver.log") }

  /// Starts one with a long-term user, with TLS and DTLS; `adjust` changes what it likes.
  ///
  /// - Parameter host: an address of this machine; another than 127.0.0.1 is listened on, and relayed from, besides it.
  package static func start(
    host: String = "127.0.0.1", _ adjust: @escaping @Sendable (inout LabServerSettings) -> Void = { _ in }
  ) async throws -> Coturn {
    let folder = try TemporaryFolder()
    let certificate = try ServerCertificate.issue()
    try folder.write(certificate.authority, to: "ca.pem")
    try folder.write(certificate.certificate, to: "server.pem")
    try folder.write(certificate.key, to: "server-key.pem", mode: 0o600)
    let server = try await onBlockingThread { () throws(LabError) in
      // Long for a machine that is busy with other tests: one that ends as it starts is told at once all the same.
      try LabServer.start(in: folder.path, patience: .seconds(120)) { port, tlsPort in
        var settings = LabServerSettings(
          realm: realm, authentication: .longTerm(username: username, credential: credential), port: port)
        settings.tls = (tlsPort, .init(chain: "server.pem", key: "server-key.pem"))
        if host != "127.0.0.1" { settings.directives += ["listening-ip=\(host)", "relay-ip=\(host)"] }
        adjust(&settings)
        return settings
      }
    }
    return Coturn(in: folder, server, host: host)
  }

  private init(in folder: TemporaryFolder, _ server: LabServer, host: String) {
    self.folder = folder
    self.host = host
    self.server = server
  }

  deinit {
    stop()
  }

  /// Rewrites its configuration, which no running server reads again.
  package func configure(_ change: (String) -> String) throws {
    try folder.write(change(folder.read("turnserver.conf")), to: "turnserver.conf", mode: 0o600)
  }

  /// Sends the server a signal: SIGSTOP makes it silent, SIGCONT lets it go on.
  package func signal(_ signal: Int32) {
    server.process.signal(signal)
    // The kernel stops one thread after the other, and those that run answer meanwhile.
    while signal == SIGSTOP, threadStates.contains(where: "RSD".contains) { sched_yield() }
  }

  /// What each of its threads does: R, S and D for those that run or wait, T for those that are stopped (proc(5)).
  private var threadStates: [Character] {
    let folder = "/proc/\(server.process.pid)/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return threads.compactMap { thread in
      let line = try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8)
      // The name of the program stands in parentheses, and may hold any character.
      return line?.split(separator: ")").last?.first { $0 != " " }
    }
  }

  /// Ends it, by force: what it does in ending is nobody's subject here. Blocks until it is gone.
  package func stop() {
    server.process.signal(SIGKILL)
    _ = server.end()
    // What a test started in its place.
    for process in ProcessIdentity.running("turnserver", in: folder.path) {
      process.signal(SIGKILL)
      _ = process.end(grace: .zero)
    }
  }
}
