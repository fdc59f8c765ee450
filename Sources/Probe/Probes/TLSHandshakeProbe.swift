import Addresses
import STUN

/// Tries which versions and ciphers of TLS or DTLS a server accepts.
package struct TLSHandshakeProbe: Sendable {
  package var server: Server
  /// Whether each cipher is tried on its own, too: one connection each.
  package var triesCiphers = true

  package init(server: Server, triesCiphers: Bool = true) {
    self.server = server
    self.triesCiphers = triesCiphers
  }

  package enum Verdict: Sendable, Hashable {
    case accepted
    /// The server refused, in the library's words.
    case refused(String)
    /// OpenSSL here cannot offer it: nothing is known of the server.
    case untestable(String)
  }

  package struct VersionResult: Sendable, Hashable {
    package let version: TLSVersion
    package let verdict: Verdict
  }

  package struct CipherResult: Sendable, Hashable {
    package let version: TLSVersion
    /// As OpenSSL names it.
    package let cipher: String
    package let verdict: Verdict
    /// No forward secrecy, no authenticated encryption, or broken: RFC 9325, section 4.
    package let isLegacy: Bool
  }

  package struct Report: Sendable {
    /// What a modern client agrees on with the server.
    package let handshake: TLSHandshake
    package let versions: [VersionResult]
    package let ciphers: [CipherResult]
    /// Versions that are accepted and deprecated by RFC 8996.
    package var legacyVersions: [TLSVersion] {
      versions.filter { $0.verdict == .accepted && $0.version.isLegacy }.map(\.version)
    }
    /// Ciphers that are accepted and should not be.
    package var legacyCiphers: [String] {
      var names: [String] = []
      for result in ciphers where result.verdict == .accepted && result.isLegacy && !names.contains(result.cipher) {
        names.append(result.cipher)
      }
      return names
    }
  }

  /// Runs the probe.
  ///
  /// - Throws: `ProbeFailure` where the server is no `stuns:` or `turns:` one, or where not even a handshake with all
  ///   defaults comes about. Whether the certificate convinces is in the report.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    let transport = server.transport
    let address = try await server.preferredAddress(by: end)
    var options = server.connectionOptions()
    options.tls.verifiesCertificate = false
    let start = Instant.now
    let handshake = try await CertificateProbe(server: server).run(deadline: deadline)
    // Some servers refuse by silence: how long that is waited for follows from how long a success takes.
    let patience = max(.milliseconds(500), (.now - start) * 4)
    var versions: [VersionResult] = []
    var ciphers: [CipherResult] = []
    for version in TLSVersion.allCases where version.isDatagram == (transport == .dtls) {
      progress(version.rawValue)
      let verdict = try await verdict(
        on: version, cipher: nil, options, at: address, patience: patience, by: end)
      versions.append(VersionResult(version: version, verdict: verdict))
      guard triesCiphers, verdict == .accepted else { continue }
      ciphers += try await results(
        on: version, options, at: address, patience: patience, by: end, progress)
    }
    return Report(handshake: handshake, versions: versions, ciphers: ciphers)
  }

  /// How many connections are tried at the same time.
  private static let concurrency = 8

  /// Tries every cipher of a version on its own.
  private func results(
    on version: TLSVersion, _ options: ServerConnection.Options, at address: TransportAddress, patience: Duration,
    by end: Instant, _ progress: @escaping ProbeProgress
  ) async throws(ProbeFailure) -> [CipherResult] {
    let names = CipherSuites.known(for: version)
    let verdicts = await withTaskGroup(of: (Int, Result<Verdict, ProbeFailure>).self) { group in
      var verdicts: [Int: Result<Verdict, ProbeFailure>] = [:]
      for (index, cipher) in names.enumerated() {
        if index >= Self.concurrency, let (done, verdict) = await group.next() { verdicts[done] = verdict }
        progress("\(version.rawValue): cipher \(index + 1) of \(names.count), \(cipher)")
        group.addTask {
          do throws(ProbeFailure) {
            let verdict = try await verdict(
              on: version, cipher: cipher, options, at: address, patience: patience, by: end)
            return (index, .success(verdict))
          } catch {
            return (index, .failure(error))
          }
        }
      }
      for await (done, verdict) in group { verdicts[done] = verdict }
      return verdicts
    }
    var results: [CipherResult] = []
    for (index, cipher) in names.enumerated() {
      guard let verdict = try verdicts[index]?.get() else { continue }
      results.append(
        CipherResult(version: version, cipher: cipher, verdict: verdict, isLegacy: CipherSuites.isLegacy(cipher)))
    }
    return results
  }

  private func verdict(
    on version: TLSVersion, cipher: String?, _ options: ServerConnection.Options, at address: TransportAddress,
    patience: Duration, by end: Instant
  ) async throws(ProbeFailure) -> Verdict {
    var options = options
    options.tls.versions = version...version
    // Level 0 lets the library offer what it still has.
    let isModern = version == .tls13
    options.tls.cipherList = isModern ? nil : (cipher ?? "ALL:COMPLEMENTOFALL") + ":@SECLEVEL=0"
    options.tls.cipherSuites = isModern ? cipher : nil
    options.handshakeLimit = patience
    do throws(TransportFailure) {
      let connection = try await ServerConnection.open(
        to: address, over: server.transport, options: options, by: end)
      await connection.close()
      return .accepted
    } catch {
      switch error {
      case .tls(let failure) where failure.kind == .configuration: return .untestable(failure.detail)
      case .tls(let failure) where failure.detail.contains("no protocols available"): return .untestable(failure.detail)
      // A refusal may be silence: the handshake with all defaults has just worked.
      case .tls(let failure) where failure.kind == .timedOut && .now < end: return .refused("silence")
      case .tls(let failure) where failure.kind == .timedOut:
        throw ProbeFailure(error, server: address, transport: server.transport)
      case .tls(let failure): return .refused(failure.detail)
      case .closedByServer, .connectionReset: return .refused("closed")
      default: throw ProbeFailure(error, server: address, transport: server.transport)
      }
    }
  }
}
