import Journal
import Probe
package import Schema
package import Steps

/// Finds out whether a server forgets permissions.
package struct TURNExpiry: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var after: Duration
  }

  package struct Output: Sendable {
    package var permissionExpired: Bool
    package var lastPassage: Duration
    package var passages: Int
    package var after: Duration
  }

  package static let declaration = ModuleDeclaration(
    "turn.expiry", "Finds out whether a TURN server forgets a permission that is not renewed.",
    discussion: """
      A permission lasts 300 seconds, and traffic does not extend it (RFC 8656, section 9). A server that keeps it for
      longer lets peers in that its client has long forgotten. Permits our own address, sends from there to the relayed
      address all the while, and looks whether a datagram still passes when the time is over. In the end the permission
      is asked for again: only where datagrams pass then was it the permission that was missing. A server that forgets
      too early cuts off clients that renew in time; `lastPassage` shows it. Needs a deadline ten seconds longer than
      `after`.
      """,
    effect: .observe, judges: true, deadline: .seconds(345),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to try, with credentials or shared secret."),
      Field(
        "after", \.after, .duration.within(.seconds(1) ... .seconds(3600)), default: .seconds(310),
        "When the permission must be forgotten. Less than 300s is for servers that were told so.")
    ),
    output: Record(
      Output.init,
      Field("permissionExpired", \.permissionExpired, .bool, "Whether no datagram passed after that time."),
      Field(
        "lastPassage", \.lastPassage, .duration, "How old the permission was when the last datagram passed."),
      Field("passages", \.passages, .int, "Datagrams that passed before that time."),
      Field("after", \.after, .duration, "When it was looked.")
    ),
    examples: [
      .init(
        "Permissions end when they should", with: "server: ${target}",
        expect: ["output.lastPassage >= duration('280s')"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try Server(input.server)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await ExpiryProbe(server: server, after: input.after).run(deadline: deadline, progress: context.progress)
    }
    let output = Output(
      permissionExpired: report.isExpired, lastPassage: report.lastPassage, passages: report.passages,
      after: input.after)
    guard !report.isExpired else { return .done(output) }
    return .failed(
      output,
      Finding(
        "turn.permissionNotExpired",
        "\(server.uri) still relays from a peer \(durationLiteral(input.after)) after it was permitted, with no renewal.",
        advice:
          "A permission lasts 300s (RFC 8656, section 9): look at the server's permission lifetime, and whether it "
          + "checks permissions at all (coturn: permission-lifetime, server-relay)."))
  }
}
