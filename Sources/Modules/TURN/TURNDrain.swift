import Journal
import Probe
package import Schema
package import Steps

/// Finds out whether a server is draining.
package struct TURNDrain: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
  }

  package struct Output: Sendable {
    package var draining: Bool
    package var detail: String?
    package var software: String?
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "turn.drain", "Finds out whether a TURN server is draining: it answers, and gives no new allocations.",
    discussion: """
      A 403 to Allocate with good credentials, while Binding is answered, is taken for draining if the server may be
      coturn, by its SOFTWARE; another's 403 fails the step with `turn.forbidden`.
      """,
    effect: .observe, judges: false, deadline: .seconds(15),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to try, with credentials or shared secret.")
    ),
    output: Record(
      Output.init,
      Field("draining", \.draining, .bool, "Whether it gives no new allocations."),
      Field("detail", \.detail, .optional(.string), "How it refused, in words; absent if it did not."),
      Field("software", \.software, .optional(.string), "What the server calls itself."),
      PassedOver.field(\.passedOver)
    ),
    examples: [.init("The server takes new sessions", with: "server: ${target}", expect: ["output.draining == false"])])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await DrainProbe(server: server).run(deadline: deadline, progress: context.progress)
    }
    return .done(
      Output(
        draining: report.isDraining, detail: report.refusal?.message, software: report.software,
        passedOver: server.passedOverAddresses))
  }
}
