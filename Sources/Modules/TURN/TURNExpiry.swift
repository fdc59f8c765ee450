package import Journal
package import Probe
package import Schema
package import Steps

/// Finds out whether a server forgets permissions and channels.
package struct TURNExpiry: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var subject: ExpiryProbe.Subject
    package var after: Duration?
  }

  package struct Output: Sendable {
    package var subject: ExpiryProbe.Subject
    package var expired: Bool
    package var after: Duration
    package var lastPassage: Duration
    package var passages: Int
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "turn.expiry", "Finds out whether a TURN server forgets a permission or a channel that is not renewed.",
    discussion: """
      A permission lasts 300 seconds, a channel 600, and traffic does not extend them (RFC 8656, sections 9 and 12). A
      server that keeps a permission for longer lets peers in that its client has long forgotten. Permits our own
      address, sends between it and the relayed address all the while, and looks whether a datagram still passes when the
      time is over; with a channel, whether it still comes over the channel. In the end the same is asked for again:
      only if datagrams pass then was it that which was missing. A server that forgets too early cuts off clients
      that renew in time; `lastPassage` shows it. Needs a deadline thirteen seconds longer than `after`.
      """,
    effect: .observe, judges: true, deadline: .seconds(660),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to try, with credentials or shared secret."),
      Field(
        "subject", \.subject, .enumeration(ExpiryProbe.Subject.self), default: .permission,
        "What must be forgotten."),
      Field(
        "after", \.after, .optional(.duration.within(.seconds(1) ... .seconds(3600))),
        "When it must be forgotten; 310s for a permission, 610s for a channel if not given. Less is for servers that "
          + "were told so.")
    ),
    output: Record(
      Output.init,
      Field("subject", \.subject, .enumeration(ExpiryProbe.Subject.self), "What had to be forgotten."),
      Field("expired", \.expired, .bool, "Whether no datagram passed any more."),
      Field("after", \.after, .duration, "How long after the grant it was looked."),
      Field("lastPassage", \.lastPassage, .duration, "How long after the grant the last datagram passed."),
      Field("passages", \.passages, .int, "Datagrams that passed before it was looked."),
      PassedOver.field(\.passedOver)
    ),
    examples: [
      .init(
        "Permissions end when they should", with: "server: ${target}",
        expect: ["output.lastPassage >= duration('280s')"]),
      .init("Channels end when they should", with: "server: ${target}\nsubject: channel"),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    objection(input.server, within: timeout) { server, deadline throws(ProbeFailure) in
      try probe(server, input).checkInput(deadline: deadline)
    }
  }

  private static func probe(_ server: ProbedServer, _ input: Input) -> ExpiryProbe {
    ExpiryProbe(server: server, subject: input.subject, after: input.after)
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server)
    let probe = Self.probe(server, input)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await probe.run(deadline: deadline, progress: context.progress)
    }
    let output = Output(
      subject: probe.subject, expired: report.isExpired, after: probe.after, lastPassage: report.lastPassage,
      passages: report.passages, passedOver: server.passedOverAddresses)
    guard !report.isExpired else { return .done(output) }
    return .failed(output, Self.notExpired(probe))
  }

  static func notExpired(_ probe: ExpiryProbe) -> Finding {
    let lasts = probe.subject.lifetime
    let isEarly = probe.after < lasts
    let allowance =
      isEarly
      ? " By RFC 8656 it lasts \(durationLiteral(lasts)): this is a fault only if the server was told to forget it "
        + "within \(durationLiteral(probe.after))." : ""
    return Finding(
      "turn.notExpired",
      "\(probe.server.uri) still knows a \(probe.subject) \(durationLiteral(probe.after)) after it was granted, though "
        + "nobody renewed it.\(allowance)",
      advice: isEarly
        ? "Look whether the server was told a shorter lifetime (coturn: \(probe.subject)-lifetime); if it was not, leave "
          + "after out."
        : "Look at the server's lifetimes of permissions and channels, and whether it checks permissions at all "
          + "(coturn: permission-lifetime, channel-lifetime, server-relay).")
  }
}
