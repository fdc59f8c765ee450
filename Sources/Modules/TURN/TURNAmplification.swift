import Journal
import Probe
package import Schema
package import Steps

/// Measures how much larger answers are than requests.
package struct TURNAmplification: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
  }

  package struct Exchange: Sendable {
    package var method: String
    package var request: Int
    package var responses: Int
    package var response: Int
    package var factor: Double
  }

  package struct Output: Sendable {
    package var exchanges: [Exchange]
    package var factor: Double
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "turn.amplification", "Measures how much larger a server's answers are than what a stranger sends.",
    discussion: """
      Sends the smallest Binding and Allocate requests without credentials. Over UDP a sender can forge his address: what
      comes back then hits a victim, larger by this factor. All answers to one request count, up to half a second after
      the first.
      """,
    effect: .observe, judges: false, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to measure; credentials are not used.")
    ),
    output: Record(
      Output.init,
      Field(
        "exchanges", \.exchanges,
        .list(
          .record(
            Record(
              Exchange.init,
              Field("method", \.method, .string, "What was asked."),
              Field("request", \.request, .byteSize, "The request's size."),
              Field("responses", \.responses, .int, "How many answers came."),
              Field("response", \.response, .byteSize, "The size of all answers."),
              Field("factor", \.factor, .double, "Answers over request.")
            ))), "Requests and their answers."),
      Field("factor", \.factor, .double, "The largest factor."),
      PassedOver.field(\.passedOver)
    ),
    examples: [.init("The server is no amplifier", with: "server: ${target}", expect: ["output.factor < 6.0"])])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await AmplificationProbe(server: server).run(deadline: deadline)
    }
    return .done(
      Output(
        exchanges: report.exchanges.map {
          Exchange(
            method: $0.method, request: $0.requestBytes, responses: $0.responses, response: $0.responseBytes,
            factor: $0.factor)
        }, factor: report.factor, passedOver: server.passedOverAddresses))
  }
}
