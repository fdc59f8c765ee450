import STUN

/// Tries which versions and ciphers of TLS or DTLS a server accepts.
package struct TLSHandshakeProbe: Sendable {
  package var server: ProbedServer
  /// Whether each cipher is tried on its own, too: one connection each.
  package var triesCiphers = true

  package init(server: ProbedServer, triesCiphers: Bool = true) {
    self.server = server
    self.triesCiphers = triesCiphers
  }

  package enum OfferVerdict: Sendable, Hashable {
    case accepted
    /// The server refused, in the library's words; or was silent each time, and answered others right before and after.
    case refused(String)
    /// OpenSSL here cannot offer it: nothing is known of the server.
    case untestable(String)
    /// The server was silent, and not only to this: nothing is known.
    case unanswered
  }

  /// How a server takes ALPN `stun.turn` (RFC 7443).
  package enum ALPNAnswer: Sendable, Hashable {
    case selected
    /// It goes on without: it knows nothing of ALPN.
    case ignored
    /// In the library's words.
    case refused(String)
    case unanswered
  }

  package struct VersionResult: Sendable, Hashable {
    package let version: TLSVersion
    package let verdict: OfferVerdict
  }

  package struct CipherResult: Sendable, Hashable {
    package let version: TLSVersion
    /// As OpenSSL names it.
    package let cipher: String
    package let verdict: OfferVerdict
    /// No forward secrecy, no authenticated encryption, or broken: RFC 9325, section 4.
    package let isLegacy: Bool
  }

  package struct Report: Sendable {
    /// What a modern client agrees on with the server; where there is an objection, one that offers all that is left in
    /// the library.
    package let handshake: TLSHandshake
    /// Why a modern client gets no handshake, or no STUN behind it.
    package let objection: ProbeFailure?
    /// How the server takes a client that offers `stun.turn` as ALPN; what else is told here was found without.
    package let applicationProtocol: ALPNAnswer
    package let versions: [VersionResult]
    /// nil if ciphers were not tried.
    package let ciphers: [CipherResult]?
    /// Versions that are accepted and deprecated by RFC 8996.
    package var legacyVersions: [TLSVersion] {
      versions.filter { $0.verdict == .accepted && $0.version.isLegacy }.map(\.version)
    }
    /// Ciphers that are accepted and should not be; nil if ciphers were not tried.
    package var legacyCiphers: [String]? {
      guard let ciphers else { return nil }
      var names: [String] = []
      for result in ciphers where result.verdict == .accepted && result.isLegacy && !names.contains(result.cipher) {
        names.append(result.cipher)
      }
      return names
    }
    /// How many offers the server left without an answer at a time when it answered nobody.
    package var unanswered: Int {
      (versions.map(\.verdict) + (ciphers ?? []).map(\.verdict)).count { $0 == .unanswered }
    }
  }

  /// Runs the probe.
  ///
  /// - Throws: `ProbeFailure` if the server is no `stuns:` or `turns:` one, or where not even a handshake with
  ///   all that the library has comes about. Whether the certificate convinces is in the report.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    let address = try await server.preferredAddress(by: end)
    let agreement = try await agree(by: end)
    let handshake = agreement.handshake
    progress("what speaks behind TLS, and ALPN")
    let stranger = await PortService.stranger(on: agreement.client, by: min(end, .now + .seconds(3)))
    // Some servers refuse by silence: how long that is waited for follows from how long a success takes.
    let trials = TLSTrials(
      server: agreement.client, address: address, agreed: handshake,
      patience: max(.milliseconds(500), agreement.elapsed * 4), end: end)
    let alpn = try await trials.answerToALPN()
    var versions: [VersionResult] = []
    var ciphers: [CipherResult] = []
    for version in TLSVersion.allCases where version.isDatagram == (server.transport == .dtls) {
      progress(version.rawValue)
      let verdict = try await trials.verdict(on: .init(version: version))
      versions.append(VersionResult(version: version, verdict: verdict))
      guard triesCiphers, verdict == .accepted else { continue }
      ciphers += try await results(on: version, trials, progress)
    }
    return Report(
      handshake: handshake, objection: agreement.objection ?? stranger, applicationProtocol: alpn, versions: versions,
      ciphers: triesCiphers ? ciphers : nil)
  }

  /// A handshake as a modern client makes it; where it gets none twice, as one does that offers whatever there is.
  private func agree(by end: Instant) async throws(ProbeFailure) -> TLSAgreement {
    do throws(ProbeFailure) {
      return try await TLSAgreement(server, by: end)
    } catch {
      guard error.isTLSRefusal,
        var agreement = try? await TLSAgreement(TLSConcession.everything.client(of: server), by: end)
      else { throw error }
      // A server that failed once is not one that refuses.
      if let modern = try? await TLSAgreement(server, by: end) { return modern }
      agreement.objection = await TLSConcession.objection(to: error, server, by: end) ?? error
      return agreement
    }
  }

  /// How many connections are tried at the same time.
  private static let concurrency = 8

  /// Tries every cipher of a version on its own.
  private func results(
    on version: TLSVersion, _ trials: TLSTrials, _ progress: @escaping ProbeProgress
  ) async throws(ProbeFailure) -> [CipherResult] {
    let names = CipherSuites.known(for: version)
    let verdicts = await withTaskGroup(of: (Int, Result<OfferVerdict?, ProbeFailure>).self) { group in
      var verdicts: [Int: Result<OfferVerdict?, ProbeFailure>] = [:]
      for (index, cipher) in names.enumerated() {
        if index >= Self.concurrency, let (done, verdict) = await group.next() { verdicts[done] = verdict }
        progress("\(version.rawValue): cipher \(index + 1) of \(names.count), \(cipher)")
        group.addTask {
          do throws(ProbeFailure) {
            // A variable first: awaited inside the tuple, Swift 6.3.1 loses `index` at -O (MiscompileTests).
            let verdict = try await trials.answer(to: .init(version: version, cipher: cipher))
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
      guard let result = verdicts[index] else { continue }
      let answer = try result.get()
      // One after the other: what others ask at the same time must not change what silence means.
      let verdict: OfferVerdict
      if let answer {
        verdict = answer
      } else {
        verdict = try await trials.meaningOfSilence(to: .init(version: version, cipher: cipher))
      }
      results.append(
        CipherResult(version: version, cipher: cipher, verdict: verdict, isLegacy: CipherSuites.isLegacy(cipher)))
    }
    return results
  }
}
