/// What a TLS or DTLS client brings along.
package struct TLSOptions: Sendable, Hashable {
  /// The name for SNI and for the name check; nil takes the URI's host.
  package var serverName: String?
  /// A PEM file of certificates that are trusted in place of the system's.
  package var trustFile: String?
  /// Whether a certificate that does not convince ends the connection.
  package var verifiesCertificate = true
  /// Whether ``TLSHandshake/verification`` is told where ``verifiesCertificate`` does not need it: the trusted certificates
  /// are read for it, and those of the system take some tens of milliseconds.
  package var reportsVerification = false
  /// PEM files of the chain and the private key to show, where the server asks for a certificate.
  package var clientCertificate: ClientCertificate?
  /// What to offer as ALPN; TURN's is `stun.turn` (RFC 7443). Empty offers none, as browsers do for TURN.
  package var applicationProtocols: [String] = []
  /// The key exchange groups to offer, as OpenSSL writes them; the default is a browser's. nil leaves it to the library.
  package var groups: String? = TLSOptions.browserGroups

  /// What Chromium, Firefox and Safari all offer.
  package static let browserGroups = "X25519:P-256:P-384"

  /// How TLS is begun on a connection that starts in clear text; nil if TLS comes first.
  package var startTLS: StartTLS?

  package enum StartTLS: String, Sendable, Hashable, CaseIterable {
    /// RFC 3207.
    case smtp
  }

  /// The versions to offer; nil leaves it to the library's defaults.
  package var versions: ClosedRange<TLSVersion>?
  /// A cipher list as OpenSSL writes it, for versions before TLS 1.3; nil leaves it to the library.
  package var cipherList: String?
  /// The cipher suites of TLS 1.3 as OpenSSL writes them; nil leaves it to the library.
  package var cipherSuites: String?

  package struct ClientCertificate: Sendable, Hashable {
    package let chainFile: String
    package let keyFile: String

    package init(chainFile: String, keyFile: String) {
      self.chainFile = chainFile
      self.keyFile = keyFile
    }
  }

  package init() {}
}

/// The versions of TLS and DTLS, from the oldest. DTLS has no counterpart to TLS 1.0.
package enum TLSVersion: String, Sendable, Hashable, CaseIterable, Comparable {
  case tls10 = "TLSv1"
  case tls11 = "TLSv1.1"
  case tls12 = "TLSv1.2"
  case tls13 = "TLSv1.3"
  case dtls10 = "DTLSv1"
  case dtls12 = "DTLSv1.2"

  package var isDatagram: Bool { self == .dtls10 || self == .dtls12 }

  /// Deprecated by RFC 8996.
  package var isLegacy: Bool { [.tls10, .tls11, .dtls10].contains(self) }

  package static func < (left: TLSVersion, right: TLSVersion) -> Bool {
    let order = Self.allCases
    return (order.firstIndex(of: left) ?? 0) < (order.firstIndex(of: right) ?? 0)
  }
}
