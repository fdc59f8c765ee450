package import Journal
package import Probe
package import Schema
package import Steps

/// Tries good credentials and bad ones.
package struct TURNCredentials: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
  }

  package struct CredentialsTry: Sendable {
    package var trial: CredentialsProbe.CredentialsKind
    package var accepted: Bool
    package var errorCode: Int?
    package var asExpected: Bool
  }

  package struct Output: Sendable {
    package var trials: [CredentialsTry]
    package var violations: [CredentialsProbe.CredentialsKind]
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "turn.credentials", "Tries good credentials, which must work, and bad ones, which must be refused.",
    discussion: """
      Besides the good ones: with a password, an unknown user; with a shared secret, an expired user and another secret;
      with both, a nonce of chance and one that was given to another socket. Deliberate failures use the user name
      `runbook-probe`, so that log reviews can subtract them: the known user with a wrong password is not tried, since the
      log could not tell that from an attack, and whatever bans attackers could ban the user or this host. A server that
      asks for no credentials at all fails the step with `turn.anonymousAccess`. One that accepts another socket's nonce and
      nothing else that is bad is worth a warning, `turn.foreignNonceAccepted`: many servers do.
      """,
    effect: .observe, judges: true, deadline: .seconds(30),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to try, with good credentials or shared secret.")
    ),
    output: Record(
      Output.init,
      Field(
        "trials", \.trials,
        .list(
          .record(
            Record(
              CredentialsTry.init,
              Field("trial", \.trial, .enumeration(CredentialsProbe.CredentialsKind.self), "What was tried."),
              Field("accepted", \.accepted, .bool, "Whether the server accepted it."),
              Field("errorCode", \.errorCode, .optional(.int), "The number of the refusal."),
              Field("asExpected", \.asExpected, .bool, "Whether it ended as it must.")
            ))), "What was tried, in order."),
      Field(
        "violations", \.violations, .list(.enumeration(CredentialsProbe.CredentialsKind.self)),
        "What did not end as it must."),
      PassedOver.field(\.passedOver)
    ),
    examples: [.init("Only good credentials work", with: "server: ${target}")])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    objection(input.server, within: timeout) { server, _ throws(ProbeFailure) in
      try CredentialsProbe(server: server).checkInput()
    }
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await CredentialsProbe(server: server).run(deadline: deadline, progress: context.progress)
    }
    let output = Output(
      trials: report.outcomes.map {
        CredentialsTry(trial: $0.trial, accepted: $0.isAccepted, errorCode: $0.errorCode, asExpected: $0.isAsExpected)
      }, violations: report.violations, passedOver: server.passedOverAddresses)
    guard let violation = report.violations.first else { return .done(output) }
    if violation == .good {
      return .failed(
        output,
        Finding(
          ProbeFailure.Code.unauthorized.rawValue, "\(server.uri) refuses the credentials that should work.",
          advice: "Look at user name, password, secret and realm, and at the server's clock."))
    }
    if report.violations == [.reusedNonce] {
      return .warned(output, Self.foreignNonce(at: server, ServerProgram(software: report.software)))
    }
    return .failed(
      output,
      Finding(
        "turn.badCredentialsAccepted",
        "\(server.uri) accepts what it must refuse: \(report.violations.map(\.rawValue).joined(separator: ", ")).",
        advice: ServerProgram(software: report.software).mayBeCoturn
          ? "Look at the server's authentication options, and at stale-nonce for nonces."
          : "Look at the server's authentication options."))
  }

  private static func foreignNonce(at server: ProbedServer, _ program: ServerProgram) -> Finding {
    let advice =
      program == .coturn
      ? "Look at stale-nonce in the server's configuration."
      : "Servers that keep their nonces for all clients do so (pion/turn, node-turn, ejabberd and eturnal), and can mostly not "
        + "be told otherwise. Whoever overhears a request can repeat it from elsewhere until its nonce expires: have clients "
        + "use TLS (turns:) if that counts."
    return Finding(
      "turn.foreignNonceAccepted", "\(server.uri) accepts a nonce that it gave to another client.", advice: advice)
  }
}
