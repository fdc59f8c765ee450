import Addresses
package import Journal
package import Probe
package import Schema
package import Steps

/// Tries versions and ciphers.
package struct TLSHandshakeModule: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var ciphers: Bool
  }

  /// How one version or cipher was taken.
  package enum Acceptance: String, Sendable, CaseIterable {
    case accepted
    case refused
    case untestable
  }

  /// How a client fares that offers `stun.turn` as ALPN.
  package enum ALPN: String, Sendable, CaseIterable {
    case selected
    case ignored
    case refused
    case untestable
  }

  package struct OfferResult: Sendable {
    package var version: TLSVersion
    package var cipher: String?
    package var verdict: Acceptance
    package var legacy: Bool
    package var detail: String?
  }

  package struct Output: Sendable {
    package var version: String
    package var cipher: String
    package var group: String?
    package var alpn: ALPN
    package var versions: [OfferResult]
    package var ciphers: [OfferResult]?
    package var legacyVersions: [String]
    package var legacyCiphers: [String]?
    package var passedOver: [PassedOver] = []
  }

  private static let trial = Record(
    OfferResult.init,
    Field("version", \.version, .enumeration(TLSVersion.self), "The version that was offered."),
    Field("cipher", \.cipher, .optional(.string), "The only cipher that was offered; absent: all."),
    Field("verdict", \.verdict, .enumeration(Acceptance.self).foremost(.accepted), "How the server took it."),
    Field("legacy", \.legacy, .bool, "Whether a server should no longer accept it."),
    Field("detail", \.detail, .optional(.string), "Why it was refused or cannot be offered.")
  )

  package static let declaration = ModuleDeclaration(
    "tls.handshake", "Tries which versions and ciphers of TLS or DTLS a server accepts.",
    discussion: """
      One connection for each. What the TLS library here can no longer offer is `untestable`, never `refused`: of the
      server nothing is known then. Some servers refuse by silence: it counts as `refused` if it was met each
      time and the server answers modern clients right before and after it, otherwise as `untestable`, and fails the step
      with `tls.inconclusive`. It warns of what is legacy and accepted (`tls.legacyAccepted`): versions before 1.2
      (RFC 8996), and ciphers without forward secrecy or without authenticated encryption (RFC 9325). A server that a
      modern client gets no handshake with fails the step, with the reason as its code, and is tried all the same with
      whatever is left in the library. Without `ciphers`, the outputs on ciphers are absent.
      """,
    effect: .observe, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to try; its tlsURI, or else uri, must be turns: or stuns:."),
      Field("ciphers", \.ciphers, .bool, default: true, "Whether to try each cipher on its own.")
    ),
    output: Record(
      Output.init,
      Field("version", \.version, .string, "The version that both prefer."),
      Field("cipher", \.cipher, .string, "The cipher that both prefer."),
      Field(
        "group", \.group, .optional(.string),
        "The group that keys are agreed with, such as X25519; absent: a cipher without one."),
      Field(
        "alpn", \.alpn, .enumeration(ALPN.self),
        "How a client fares that offers stun.turn as ALPN (RFC 7443). All else is tried without, as browsers do."),
      Field("versions", \.versions, .list(.record(trial)), "Every version."),
      Field(
        "ciphers", \.ciphers, .optional(.list(.record(trial))),
        "Every cipher with every version that is accepted; absent: not tried."),
      Field("legacyVersions", \.legacyVersions, .list(.string), "Accepted versions that are deprecated."),
      Field(
        "legacyCiphers", \.legacyCiphers, .optional(.list(.string)),
        "Accepted ciphers that are out of date; absent: not tried."),
      PassedOver.field(\.passedOver)
    ),
    examples: [
      .init(
        "Nothing out of date is accepted", with: "server: ${target}",
        expect: [
          "output.legacyVersions.size() == 0", "has(output.legacyCiphers) && output.legacyCiphers.size() == 0",
        ])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    objection(input.server.overTLS, within: timeout) { server, _ throws(ProbeFailure) in
      try CertificateProbe(server: server).checkInput()
    }
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server.overTLS)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await TLSHandshakeProbe(server: server, triesCiphers: input.ciphers).run(
        deadline: deadline, progress: context.progress)
    }
    let output = Output(
      version: report.handshake.version, cipher: report.handshake.cipher, group: report.handshake.group,
      alpn: Self.alpn(report.applicationProtocol),
      versions: report.versions.map { Self.trial($0.version, nil, $0.verdict, $0.version.isLegacy) },
      ciphers: report.ciphers?.map { Self.trial($0.version, $0.cipher, $0.verdict, $0.isLegacy) },
      legacyVersions: report.legacyVersions.map(\.rawValue), legacyCiphers: report.legacyCiphers,
      passedOver: server.passedOverAddresses)
    if let objection = report.objection {
      let remarks = [objection.message, Self.legacy(output), Self.unanswered(report)].compactMap(\.self)
      return .failed(
        output,
        Finding(objection.code.rawValue, remarks.joined(separator: " "), advice: objection.advice))
    }
    guard let unanswered = Self.unanswered(report) else {
      return Self.result(output, alpn: report.applicationProtocol, of: server.uri)
    }
    return .failed(
      output,
      Finding(
        "tls.inconclusive", "\(server.uri): \(unanswered)",
        advice:
          "Nothing is known of these. Look at the server's load, and at what stands between: a proxy or a firewall "
          + "that swallows connections."))
  }

  private static func alpn(_ answer: TLSHandshakeProbe.ALPNAnswer) -> ALPN {
    switch answer {
    case .selected: .selected
    case .ignored: .ignored
    case .refused: .refused
    case .unanswered: .untestable
    }
  }

  private static func unanswered(_ report: TLSHandshakeProbe.Report) -> String? {
    guard report.unanswered > 0 else { return nil }
    let offers = report.unanswered == 1 ? "One offer was" : "\(report.unanswered) offers were"
    return "\(offers) left unanswered, and one that was accepted before as well."
  }

  /// What is out of date still works, and browsers get through where ALPN is refused: warnings.
  static func result(_ output: Output, alpn: TLSHandshakeProbe.ALPNAnswer, of uri: ServerURI) -> StepResult<Output> {
    let legacy = legacy(output)
    if case .refused(let reason) = alpn {
      let remarks = ["It refuses a client that offers ALPN stun.turn (\(reason)).", legacy].compactMap(\.self)
      return .warned(
        output,
        Finding(
          "tls.applicationProtocolRefused", "\(uri): \(remarks.joined(separator: " "))",
          advice:
            "Browsers offer no ALPN and get through; clients that do (RFC 7443) do not. Look at the proxy in front "
            + "of the server."))
    }
    guard let legacy else { return .done(output) }
    return .warned(
      output,
      Finding(
        "tls.legacyAccepted", "\(uri): \(legacy)",
        advice: "Look at the server's versions and ciphers (coturn: no-tlsv1, no-tlsv1_1, cipher-list)."))
  }

  private static func legacy(_ output: Output) -> String? {
    var legacy = output.legacyVersions
    if let ciphers = output.legacyCiphers, let first = ciphers.first {
      legacy.append(ciphers.count == 1 ? first : "\(ciphers.count) ciphers, such as \(first)")
    }
    return legacy.isEmpty ? nil : "It accepts what is out of date: \(legacy.joined(separator: ", "))."
  }

  private static func trial(
    _ version: TLSVersion, _ cipher: String?, _ verdict: TLSHandshakeProbe.OfferVerdict, _ legacy: Bool
  ) -> OfferResult {
    let (name, detail): (Acceptance, String?) =
      switch verdict {
      case .accepted: (.accepted, nil)
      case .refused(let reason): (.refused, reason)
      case .untestable(let reason): (.untestable, reason)
      case .unanswered: (.untestable, "silence, also to what was accepted before")
      }
    return OfferResult(version: version, cipher: cipher, verdict: name, legacy: legacy, detail: detail)
  }
}
