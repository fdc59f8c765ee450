import STUN

/// Looks at the certificate that a server shows over TLS or DTLS.
package struct CertificateProbe: Sendable {
  package var server: Server

  package init(server: Server) { self.server = server }

  /// Throws `probe.invalidInput` where the server is no `stuns:` or `turns:` one.
  package func checkInput() throws(ProbeFailure) {
    guard server.transport.isSecure else {
      throw ProbeFailure(
        .invalidInput, "\(server.uri) is not encrypted.",
        advice: "Name the TLS port as turns: or stuns:, in the target's tlsServer or TURN_TLS_SERVER.")
    }
  }

  /// Makes one handshake. Whether the certificate convinces is in what comes back, not thrown.
  ///
  /// - Throws: `ProbeFailure` where no handshake comes about.
  package func run(deadline: Duration) async throws(ProbeFailure) -> TLSHandshake {
    try checkInput()
    let end = Instant.now + deadline
    let address = try await server.preferredAddress(by: end)
    var options = server.connectionOptions()
    options.tls.verifiesCertificate = false
    options.tls.reportsVerification = true
    let handshake = try await ServerConnection.withConnection(
      to: address, over: server.transport, options: options, by: end
    ) { connection throws(ProbeFailure) in connection.handshake }
    guard let handshake, !handshake.certificates.isEmpty else {
      throw ProbeFailure(
        .tls(TLSFailure(.other, "the server showed no certificate")), server: address, transport: server.transport)
    }
    return handshake
  }
}
