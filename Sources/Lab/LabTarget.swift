/// One server of the lab, as runbooks and people name it.
package struct LabTarget: Hashable, Sendable, Codable, CustomStringConvertible {
  /// `lab` or `lab-rest`.
  package let name: String
  package let server: LabServer
  package let realm: String
  /// Of its one long-term user; nil if credentials derive from `secret`.
  package let username: String?
  package let credential: String?
  /// What time-limited credentials derive from; nil if there is a user.
  package let secret: String?
  /// The certificate, as a PEM file, that clients have to trust.
  package let authority: String

  /// Always 127.0.0.1.
  package var host: String { "127.0.0.1" }

  /// The transports between client and server.
  package enum LabTransport: String, CaseIterable, Sendable {
    case udp
    case tcp
    case tls
    case dtls
  }

  /// The server's URI (RFC 7065), such as `turns:127.0.0.1:40001?transport=tcp` for TLS.
  package func uri(_ transport: LabTransport) -> String {
    switch transport {
    case .udp: "turn:\(host):\(server.port)?transport=udp"
    case .tcp: "turn:\(host):\(server.port)?transport=tcp"
    case .tls: "turns:\(host):\(server.tlsPort ?? server.port)?transport=tcp"
    case .dtls: "turns:\(host):\(server.tlsPort ?? server.port)?transport=udp"
    }
  }

  /// Its name and address, without what is secret.
  package var description: String { "\(name) \(uri(.udp))" }
}
