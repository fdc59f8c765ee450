import Journal
import Processes
import Schema
package import Steps

/// Ends what `drill.boot` has booted.
package struct DrillStop: StepModule {
  package struct Input: Hashable, Sendable {
    package var drill: String?
  }

  package struct Output: Hashable, Sendable {
    package var stopped: Int
    package var log: [String]
  }

  package static let declaration = ModuleDeclaration(
    "drill.stop", "Ends the servers that `drill.boot` has booted, with their isolated hosts.",
    discussion: """
      Its processes, its network and all that was written on it are gone then. If the run booted none, or it has ended before, there is nothing to do.
      Without it, the isolated hosts end with the run.
      """,
    effect: .change, repetition: .idempotent, judges: true, deadline: .seconds(30),
    input: Record(
      Input.init,
      Field("drill", \.drill, .optional(.string), "Its name, as `drill.boot` gives it; all of this run, if not given.")),
    output: Record(
      Output.init,
      Field("stopped", \.stopped, .int, "How many were ended."),
      Field("log", \.log, .list(.string), "The last lines that their servers logged to their output.")),
    examples: [.init("Nothing of the drill is left", with: "{}")])

  package init() {}

  /// How many lines are kept of each.
  private static let lines = 20

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let drills = RunningDrill.all(of: context.run, named: input.drill)
    return try await onBlockingThread { () throws(StepError) in
      var output = Output(stopped: 0, log: [])
      var stuck: [String] = []
      for drill in drills {
        output.log += RunningDrill.lastLines(of: drill.host, Self.lines)
        if drill.end() { output.stopped += 1 } else { stuck.append(drill.name) }
      }
      guard stuck.isEmpty else {
        return .failed(
          output,
          Finding(
            "drill.notEnded", "processes of the isolated host cannot be ended: \(stuck.joined(separator: ", "))",
            advice: "They wait inside the kernel: look at its log (`dmesg`)."))
      }
      return .done(output)
    }
  }
}
