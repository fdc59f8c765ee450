package import Addresses
import STUN
import Schema

/// Looks at the certificate that a server shows over TLS or DTLS.
package struct CertificateProbe: Sendable {
  package var server: ProbedServer

  package init(server: ProbedServer) { self.server = server }

  /// Throws `probe.invalidInput` where the server is no `stuns:` or `turns:` one.
  package func checkInput() throws(ProbeFailure) {
    guard server.transport.isSecure else {
      throw ProbeFailure(
        .invalidInput, "\(server.uri) is not encrypted.",
        advice: "Name the TLS port as turns: or stuns:, in the target's tlsServer or TURN_TLS_SERVER.")
    }
  }

  /// What one address of a server showed.
  package struct Sighting: Sendable {
    package let address: TransportAddress
    package let result: Result<TLSHandshake, ProbeFailure>
  }

  /// Makes one handshake with every address of the name, all at the same time.
  ///
  /// - Throws: `ProbeFailure` if no address shows a certificate. Otherwise what comes back tells how each went.
  package func runEverywhere(deadline: Duration) async throws(ProbeFailure) -> [Sighting] {
    try checkInput()
    let end = Instant.now + deadline
    return try await look(at: try await server.usableAddresses(by: end), by: end)
  }

  /// Makes one handshake with the first address of the name that answers.
  ///
  /// - Throws: `ProbeFailure` if it shows no certificate.
  package func runOnce(deadline: Duration) async throws(ProbeFailure) -> [Sighting] {
    try checkInput()
    let end = Instant.now + deadline
    return try await look(at: [try await server.preferredAddress(by: end)], by: end)
  }

  private func look(at addresses: [TransportAddress], by end: Instant) async throws(ProbeFailure) -> [Sighting] {
    let found = await withTaskGroup(of: (Int, Sighting).self) { group in
      for (index, address) in addresses.enumerated() {
        group.addTask {
          let result: Result<TLSHandshake, ProbeFailure>
          do throws(ProbeFailure) {
            let handshake = try await handshake(with: address, by: end)
            result = .success(handshake)
          } catch {
            result = .failure(error)
          }
          return (index, Sighting(address: address, result: result))
        }
      }
      return await group.reduce(into: [Int: Sighting]()) { $0[$1.0] = $1.1 }
    }
    let sightings = found.sorted { $0.key < $1.key }.map(\.value)
    let failures = sightings.compactMap { sighting in
      if case .failure(let failure) = sighting.result { failure } else { nil }
    }
    guard failures.count == sightings.count, let first = failures.first(where: { !$0.isOwnReach }) ?? failures.first
    else {
      return sightings
    }
    throw first.besides(failures)
  }

  /// Makes one handshake. Whether the certificate convinces is in what comes back, not thrown.
  ///
  /// - Throws: `ProbeFailure` if no handshake comes about.
  package func run(deadline: Duration) async throws(ProbeFailure) -> TLSHandshake {
    try checkInput()
    let end = Instant.now + deadline
    return try await handshake(with: try await server.preferredAddress(by: end), by: end)
  }

  private func handshake(
    with address: TransportAddress, by end: Instant
  ) async throws(ProbeFailure) -> TLSHandshake {
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

extension ProbeFailure {
  /// Whether this host has no way there at all, which says nothing of the server.
  package var isOwnReach: Bool { code == .networkUnreachable }

  /// The same failure, with what else was met at other addresses.
  fileprivate func besides(_ failures: [ProbeFailure]) -> ProbeFailure {
    let others = failures.map(\.message).filter { $0 != message }
    guard !others.isEmpty else { return self }
    return ProbeFailure(
      code, ([message] + others.prefix(3)).joined(separator: " "), advice: advice,
      evidence: evidence + [Evidence("addresses", "\(failures.count)")])
  }
}
