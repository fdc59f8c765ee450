import STUN
import Schema

/// A handshake that came about.
struct TLSAgreement: Sendable {
  let client: ProbedServer
  let handshake: TLSHandshake
  let elapsed: Duration
  /// Why a modern client gets none.
  var objection: ProbeFailure?

  init(_ client: ProbedServer, by end: Instant) async throws(ProbeFailure) {
    let start = Instant.now
    self.client = client
    handshake = try await CertificateProbe(server: client).run(deadline: end - start)
    elapsed = .now - start
  }
}

/// What a client can offer beyond what a browser does, to a server that refuses the latter.
enum TLSConcession: Sendable, CaseIterable {
  /// ALPN `stun.turn` (RFC 7443).
  case applicationProtocol
  /// Every key exchange group of the library.
  case groups
  /// Every version, cipher and group, and ALPN.
  case everything

  func client(of server: ProbedServer) -> ProbedServer {
    var client = server
    if self != .groups { client.tls.applicationProtocols = ["stun.turn"] }
    if self != .applicationProtocol { client.tls.groups = TLSTrials.everyGroup }
    if self == .everything {
      client.tls.versions = server.transport == .dtls ? .dtls10 ... .dtls12 : .tls10 ... .tls13
      client.tls.cipherList = TLSTrials.everyCipher
    }
    return client
  }

  /// Why a server refuses what a browser offers, found by one offer more at a time; nil if no single one is enough.
  static func objection(to refusal: ProbeFailure, _ server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    for concession in [Self.applicationProtocol, .groups] {
      guard let agreement = try? await TLSAgreement(concession.client(of: server), by: end) else { continue }
      return concession.objection(to: refusal, server, agreement.handshake)
    }
    return nil
  }

  private func objection(to refusal: ProbeFailure, _ server: ProbedServer, _ handshake: TLSHandshake) -> ProbeFailure? {
    switch self {
    case .applicationProtocol:
      ProbeFailure(
        .applicationProtocolRequired,
        "\(server.uri) takes a client that offers ALPN stun.turn, and refuses one that offers none, as browsers do.",
        advice: "Look at the server or the proxy in front of it: it must accept clients without ALPN.",
        evidence: refusal.evidence)
    case .groups where handshake.isOfBrowserGroup:
      // TLS 1.2 knows one list of curves, for agreeing on keys and for certificates (RFC 8422, section 5.1.1).
      ProbeFailure(
        .noCommonGroup,
        "The certificate of \(server.uri) has a key on a curve that browsers do not offer; they offer P-256 and P-384.",
        advice: "Have a certificate issued for an RSA, P-256 or P-384 key.", evidence: refusal.evidence)
    case .groups:
      ProbeFailure(
        .noCommonGroup,
        "\(server.uri) agrees on keys with \(handshake.group ?? "other groups") only; browsers offer X25519, P-256 and "
          + "P-384.",
        advice: "Allow X25519 or P-256 in the server's configuration (coturn: no ec-curve-name, or "
          + "ec-curve-name=prime256v1).",
        evidence: refusal.evidence)
    case .everything: nil
    }
  }
}

extension TLSHandshake {
  /// Whether keys were agreed on with a group of ``TLSOptions/browserGroups``.
  fileprivate var isOfBrowserGroup: Bool { ["X25519", "prime256v1", "secp384r1"].contains(group) }
}

extension ProbeFailure {
  /// Whether a server took a client's TLS and did not like what it offered.
  var isTLSRefusal: Bool {
    [Code.tlsVersion, .tlsRefused, .tlsFailed, .connectionClosed, .connectionReset].contains(code)
  }
}
