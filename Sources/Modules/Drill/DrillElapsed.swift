import Journal
import Schema
package import Steps

/// How long ago a drill began.
package struct DrillElapsed: StepModule {
  package struct Input: Hashable, Sendable {
    package var drill: String
  }

  package struct Output: Hashable, Sendable {
    package var elapsed: Duration
  }

  package static let declaration = ModuleDeclaration(
    "drill.elapsed", "Tells how long ago the restore of a drill began.",
    discussion: """
      Behind the first relayed echo this is the recovery time (RTO): from the start of the restore until media flows again.
      """,
    effect: .observe, judges: true, deadline: .seconds(5),
    input: Record(Input.init, Field("drill", \.drill, .string, "Its name, as `drill.boot` gives it.")),
    output: Record(Output.init, Field("elapsed", \.elapsed, .duration, "The time since then.")),
    examples: [
      .init(
        "Media flows again within a quarter of an hour", with: "drill: \"4711\"",
        expect: ["output.elapsed <= duration('15m')"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    guard let drill = RunningDrill.all(of: context.run, named: input.drill).first, drill.isRunning else {
      throw .failed(
        "drill.gone", "the drill \(input.drill) has ended",
        advice: "It ends with `drill.stop`, and with the process of the run that booted it: start the run anew.")
    }
    return .done(Output(elapsed: ContinuousClock.now - drill.began))
  }
}
