package import Lab
import Processes

/// A real coturn server of one test's own, on free ports of 127.0.0.1; ended, and its folder removed, with the last
/// reference to it.
package final class Coturn: Sendable {
  private let folder: TemporaryFolder
  private let server: TurnServer
  /// Of the one user there is; with a shared secret it has no meaning.
  package static let username = "alice"
  package static let credential = "correct-horse"

  /// For UDP and TCP.
  package var port: UInt16 { server.port }
  /// For TLS and DTLS.
  package var tlsPort: UInt16? { server.tlsPort }
  /// The certificate to trust, as a PEM file.
  package var authority: String { folder.path + "/ca.pem" }

  /// Starts one with a long-term user, in the realm `r.example`, with TLS and DTLS; `adjust` changes what it likes.
  package static func start(
    _ adjust: @escaping @Sendable (inout TurnServerSettings) -> Void = { _ in }
  ) async throws -> Coturn {
    let folder = try TemporaryFolder()
    let certificate = try ServerCertificate.issue()
    try folder.write(certificate.authority, to: "ca.pem")
    try folder.write(certificate.certificate, to: "server.pem")
    try folder.write(certificate.key, to: "server-key.pem", mode: 0o600)
    let server = try await onBlockingThread { () throws(LabError) in
      try TurnServer.start(in: folder.path) { port, tlsPort in
        var settings = TurnServerSettings(
          realm: "r.example", authentication: .longTerm(username: username, credential: credential), port: port)
        settings.tls = (tlsPort, .init(chain: "server.pem", key: "server-key.pem"))
        adjust(&settings)
        return settings
      }
    }
    return Coturn(in: folder, server)
  }

  private init(in folder: TemporaryFolder, _ server: TurnServer) {
    self.folder = folder
    self.server = server
  }

  deinit {
    _ = server.end()
  }

  /// Sends the server a signal: SIGSTOP makes it silent, SIGCONT lets it go on, SIGKILL ends it.
  package func signal(_ signal: Int32) {
    server.process.signal(signal)
  }

  /// What it has logged so far.
  package func log() -> String { folder.read("turnserver.log") }
}
