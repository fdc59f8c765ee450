import Addresses
import STUN
import Schema

/// Offers one version or cipher at a time to a server that has just agreed on a version and a cipher.
struct TLSTrials: Sendable {
  let server: ProbedServer
  let address: TransportAddress
  /// What a client with the options of ``server`` agreed on with it: accepted beyond doubt.
  let agreed: TLSHandshake
  /// How long one handshake is waited for.
  let patience: Duration
  let end: Instant

  struct Offer: Sendable {
    let version: TLSVersion
    /// nil offers all that the library has.
    var cipher: String?
  }

  /// Every group that the library may have.
  static let everyGroup = "X25519:P-256:P-384:P-521:X448:ffdhe2048:ffdhe3072:ffdhe4096:ffdhe6144:ffdhe8192"

  /// Lets the library offer what it still has.
  private static let lowestLevel = ":@SECLEVEL=0"
  /// Every cipher before TLS 1.3, as OpenSSL writes it.
  static let everyCipher = "ALL:COMPLEMENTOFALL" + lowestLevel

  /// How the server takes an offer.
  func verdict(on offer: Offer) async throws(ProbeFailure) -> TLSHandshakeProbe.OfferVerdict {
    if let answer = try await answer(to: offer) { return answer }
    return try await meaningOfSilence(to: offer)
  }

  /// What the server answers in at most two tries; nil if it is silent both times.
  func answer(to offer: Offer) async throws(ProbeFailure) -> TLSHandshakeProbe.OfferVerdict? {
    if offer.version.rawValue == agreed.version, offer.cipher == nil || offer.cipher == agreed.cipher {
      return .accepted
    }
    if let answer = try await answerAtOnce(to: offer) { return answer }
    return try await answerAtOnce(to: offer)
  }

  /// Silence refuses only if the server answers everybody else: a client that offers what it agreed on just before the
  /// offer is made once more, and two right after it.
  func meaningOfSilence(to offer: Offer) async throws(ProbeFailure) -> TLSHandshakeProbe.OfferVerdict {
    let answeredBefore = try await answersWhatItAgreedOn()
    if let answer = try await answerAtOnce(to: offer) { return answer }
    guard answeredBefore else { return .unanswered }
    for _ in 0..<2 where try await !answersWhatItAgreedOn() { return .unanswered }
    return .refused("silence")
  }

  /// How the server takes what it agreed on once more, now with ALPN `stun.turn`.
  func answerToALPN() async throws(ProbeFailure) -> TLSHandshakeProbe.ALPNAnswer {
    var options = tls
    options.applicationProtocols = ["stun.turn"]
    for _ in 0..<2 {
      do throws(TransportFailure) {
        return try await open(options)?.applicationProtocol == "stun.turn" ? .selected : .ignored
      } catch {
        switch error {
        case .tls(let failure) where isSilence(failure) && .now < end: continue
        case .tls(let failure) where !isSilence(failure): return .refused(failure.detail)
        case .closedByServer, .connectionReset: return .refused("closed")
        default: throw ProbeFailure(error, server: address, transport: server.transport)
        }
      }
    }
    return .unanswered
  }

  private func answersWhatItAgreedOn() async throws(ProbeFailure) -> Bool {
    do throws(TransportFailure) {
      try await open(tls)
      return true
    } catch {
      let isRefusal = if case .cancelled = error { false } else { .now < end }
      if isRefusal { return false }
      throw ProbeFailure(error, server: address, transport: server.transport)
    }
  }

  private func answerAtOnce(to offer: Offer) async throws(ProbeFailure) -> TLSHandshakeProbe.OfferVerdict? {
    var options = tls
    options.versions = offer.version...offer.version
    let isModern = offer.version == .tls13
    options.cipherList = isModern ? nil : offer.cipher.map { $0 + Self.lowestLevel } ?? Self.everyCipher
    options.cipherSuites = isModern ? offer.cipher : nil
    do throws(TransportFailure) {
      try await open(options)
      return .accepted
    } catch {
      switch error {
      case .tls(let failure) where failure.kind == .configuration: return .untestable(failure.detail)
      case .tls(let failure) where isSilence(failure) && .now < end: return nil
      case .tls(let failure) where isSilence(failure):
        throw ProbeFailure(error, server: address, transport: server.transport)
      case .tls(let failure): return .refused(failure.detail)
      case .closedByServer, .connectionReset: return .refused("closed")
      default: throw ProbeFailure(error, server: address, transport: server.transport)
      }
    }
  }

  /// Over DTLS, strangers' datagrams do not break it.
  private func isSilence(_ failure: TLSFailure) -> Bool {
    failure.kind == .timedOut || failure.kind == .notTLS && server.transport == .dtls
  }

  private var tls: TLSOptions {
    var options = server.connectionOptions().tls
    options.verifiesCertificate = false
    return options
  }

  @discardableResult
  private func open(_ tls: TLSOptions) async throws(TransportFailure) -> TLSHandshake? {
    var options = server.connectionOptions()
    options.tls = tls
    options.handshakeLimit = patience
    let connection = try await ServerConnection.open(
      to: address, over: server.transport, options: options, by: end)
    await connection.close()
    return connection.handshake
  }
}
