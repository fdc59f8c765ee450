import Addresses
import Journal
package import Probe
import STUN
package import Schema
package import Steps

/// Makes one allocation on a TURN server, and deletes it.
package struct TURNAllocate: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
  }

  package struct Output: Sendable {
    /// `address:port` that gave the allocation.
    package var server: String
    package var transport: Transport
    package var relayedAddress: String
    package var relayedPort: Int
    package var reflexiveAddress: String?
    package var lifetime: Duration
    package var realm: String?
    package var software: String?
    package var elapsed: Duration
    package var challenges: Int
    package var newSourcePorts: Int
    package var deleted: Bool
  }

  package static let declaration = ModuleDeclaration(
    "turn.allocate", "Makes one allocation on a TURN server with the given credentials, and deletes it.",
    discussion: """
      Refused credentials, a reached quota, a server that is silent or answers wrongly fail the step, with the reason as
      a code such as `turn.unauthorized`, `turn.quotaReached` or `turn.timeout`. The allocation is deleted in any case.
      """,
    effect: .observe, judges: true, deadline: .seconds(15),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to ask, with credentials or shared secret.")
    ),
    output: Record(
      Output.init,
      Field("server", \.server, .string, "Address and port that gave the allocation."),
      Field("transport", \.transport, .enumeration(Transport.self), "What it was asked over."),
      Field("relayedAddress", \.relayedAddress, .ip, "The address that peers send to."),
      Field("relayedPort", \.relayedPort, .int, "The port that peers send to."),
      Field("reflexiveAddress", \.reflexiveAddress, .optional(.ip), "Our address as the server sees it."),
      Field("lifetime", \.lifetime, .duration, "How long the server keeps the allocation without a refresh."),
      Field("realm", \.realm, .optional(.string), "The realm of the server's challenge."),
      Field("software", \.software, .optional(.string), "What the server calls itself."),
      Field("elapsed", \.elapsed, .duration, "From the first request to the grant, challenge included."),
      Field("challenges", \.challenges, .int, "How often the server asked for credentials."),
      Field("newSourcePorts", \.newSourcePorts, .int, "How often another source port was needed (437)."),
      Field("deleted", \.deleted, .bool, "Whether the server confirmed that the allocation is gone.")
    ),
    examples: [
      .init(
        "The credentials work", with: "server: ${target}",
        expect: ["output.elapsed < duration('1s')", "output.lifetime >= duration('600s')"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try Server(input.server)
    let report = try await context.probing { (deadline) async throws(ProbeFailure) in
      try await AllocateProbe(server: server).run(deadline: deadline)
    }
    return .done(
      Output(
        server: "\(report.server)", transport: report.transport, relayedAddress: "\(report.relayedAddress.ip)",
        relayedPort: Int(report.relayedAddress.port), reflexiveAddress: report.reflexiveAddress?.ip.description,
        lifetime: report.lifetime, realm: report.realm, software: report.software, elapsed: report.elapsed,
        challenges: report.effort.challenges, newSourcePorts: report.newSourcePorts,
        deleted: report.deletion.isConfirmed))
  }
}
