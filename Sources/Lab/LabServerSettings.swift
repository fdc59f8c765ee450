/// What one coturn server on loopback is to be like.
package struct LabServerSettings: Hashable, Sendable {
  /// How its clients prove themselves. coturn knows one or the other: with a shared secret it passes over its users.
  package enum Authentication: Hashable, Sendable {
    /// One user of the long-term credential mechanism (RFC 8489, section 9.2).
    case longTerm(username: String, credential: String)
    /// Time-limited credentials derived from a secret that server and issuer share (draft-uberti-behave-turn-rest-00).
    case sharedSecret(String)
    /// Not at all: everyone gets an allocation.
    case none
  }

  /// The names of a certificate and its key, as files in the server's folder.
  package struct Certificate: Hashable, Sendable {
    package let chain: String
    package let key: String

    package init(chain: String, key: String) {
      self.chain = chain
      self.key = key
    }
  }

  package var realm: String
  package var authentication: Authentication
  /// For UDP and TCP.
  package var port: UInt16
  /// For TLS over TCP and DTLS over UDP; without it there is neither.
  package var tls: (port: UInt16, certificate: Certificate)? {
    get { tlsPort.flatMap { port in certificate.map { (port, $0) } } }
    set { (tlsPort, certificate) = (newValue?.port, newValue?.certificate) }
  }
  /// Whether it has a listener for UDP.
  package var listensOnUDP = true
  /// Whether it relays to addresses of its own machine. A lab needs it, since both ends of a relayed flow are there; never
  /// outside of one: it opens the machine to the server's clients.
  package var allowsLoopbackPeers = true
  /// How many seconds a nonce is good for, after which requests get 438; for ever when nil.
  package var nonceSeconds: Int?
  /// How many allocations a user may have at a time; any number when nil.
  package var userQuota: Int?
  /// Further lines of the configuration.
  package var directives: [String] = []
  /// A whole configuration in place of what these settings say. Its ports, and whether it listens on UDP, must be theirs.
  package var text: String?

  private var tlsPort: UInt16?
  private var certificate: Certificate?

  package init(realm: String, authentication: Authentication, port: UInt16) {
    self.realm = realm
    self.authentication = authentication
    self.port = port
  }

  /// The text of a `turnserver.conf` that says so. Its file names are relative to the server's working directory.
  package var configuration: String {
    if let text { return text }
    var lines = [
      "listening-ip=127.0.0.1",
      "relay-ip=127.0.0.1",
      "listening-port=\(port)",
      "realm=\(realm)",
      // Without, it listens on a port of its own; and with an empty password and loopback peers it refuses to start.
      "no-cli",
      // Not the machine's: its users would be the lab's too.
      "userdb=turndb",
      "pidfile=turnserver.pid",
      "log-file=turnserver.log",
      "simple-log",
      "no-stdout-log",
      "verbose",
      "relay-threads=1",
    ]
    if allowsLoopbackPeers { lines.append("allow-loopback-peers") }
    if !listensOnUDP { lines.append("no-udp") }
    switch authentication {
    case .longTerm(let username, let credential): lines += ["lt-cred-mech", "user=\(username):\(credential)"]
    case .sharedSecret(let secret): lines += ["use-auth-secret", "static-auth-secret=\(secret)"]
    case .none: lines.append("no-auth")
    }
    if let tls {
      lines += [
        "tls-listening-port=\(tls.port)", "cert=\(tls.certificate.chain)", "pkey=\(tls.certificate.key)", "no-tlsv1",
        "no-tlsv1_1",
      ]
    } else {
      lines += ["no-tls", "no-dtls"]
    }
    if let nonceSeconds { lines.append("stale-nonce=\(nonceSeconds)") }
    if let userQuota { lines.append("user-quota=\(userQuota)") }
    return (lines + directives).map { $0 + "\n" }.joined()
  }
}
