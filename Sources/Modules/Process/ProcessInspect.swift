import Journal
import Processes
import Schema
package import Steps

/// How a service that is one process is, without judging it.
package struct ProcessInspect: StepModule {
  package struct Input: Hashable, Sendable {
    package var pidFile: String
    package var program: String
    package var window: Duration
  }

  package struct Other: Hashable, Sendable {
    package var pid: Int
    package var user: String
    package var age: Duration
    package var stopped: Bool
  }

  package struct Output: Hashable, Sendable {
    package var state: State
    package var pid: Int?
    package var user: String?
    package var age: Duration?
    package var replaced: Bool
    package var starts: Int
    package var reason: String?
    package var others: [Other]
  }

  package enum State: String, CaseIterable, Hashable, Sendable {
    case running
    case stopped
    case notRunning
    /// It was another process, or none, at another time of the window.
    case flapping
  }

  private static let other = Record(
    Other.init,
    Field("pid", \.pid, .int, "Its number."),
    Field("user", \.user, .string, "By whose rights it acts."),
    Field("age", \.age, .duration, "How long ago it was started."),
    Field("stopped", \.stopped, .bool, "Whether a signal or a debugger holds it.")
  )

  package static let declaration = ModuleDeclaration(
    "process.inspect", "How a service that is one process is: running, stopped, flapping or not running.",
    discussion: """
      The process is the one that the PID file names, if it runs the program. A number that has passed to another program is
      told in `reason`, and the service does not run then. `process.running` judges; this step only says what is there. It looks
      several times in the `window`: a service that ends and is started again is `flapping`, however often a single look finds it running.
      """,
    effect: .observe, judges: false, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("pidFile", \.pidFile, .path, "The file in which it writes its number."),
      Field(
        "program", \.program, .string, default: "turnserver", "Its program: a path, or a name to look for in PATH."),
      Field(
        "window", \.window, .duration.within(.zero ... .seconds(50)), default: .zero,
        "How long it is looked at; one look, if it is 0s.")
    ),
    output: Record(
      Output.init,
      Field("state", \.state, .enumeration(State.self), "How it is."),
      Field("pid", \.pid, .optional(.int), "Its number; absent: it does not run."),
      Field("user", \.user, .optional(.string), "By whose rights it acts."),
      Field("age", \.age, .optional(.duration), "How long ago it was started."),
      Field("replaced", \.replaced, .bool, "Whether the program's file was replaced since: a restart is due."),
      Field("starts", \.starts, .int, "How many processes it was in the window, one after the other."),
      Field("reason", \.reason, .optional(.string), "Why no process is the service's; absent: one is."),
      Field("others", \.others, .list(.record(other)), "Processes of the same program that the file does not name.")
    ),
    examples: [
      .init(
        "The server stays up", with: "pidFile: /run/turnserver/turnserver.pid\nwindow: 10s",
        expect: ["output.state == 'running'"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let service = try ManagedProcess(pidFile: input.pidFile, program: input.program)
    var look = try service.look()
    var seen = Set([look.process?.identity].compactMap(\.self))
    var hasChanged = false
    let limit = ContinuousClock.now + input.window
    while ContinuousClock.now < limit {
      do { try await Task.sleep(for: .milliseconds(100)) } catch {
        throw StepError(
          .interrupted,
          Finding(
            "process.interrupted", "the look at the process was ended early",
            advice: "Nothing was changed. Give the step a timeout above its `window`."))
      }
      let before = look.process?.entry.startTime
      look = try service.look()
      if look.process?.entry.startTime != before { hasChanged = true }
      if let identity = look.process?.identity { seen.insert(identity) }
    }
    let others = service.others(besides: look.process)
    return .done(
      Output(
        state: hasChanged ? .flapping : State(look.state), pid: look.process?.pid,
        user: look.process.map { ProcessFacts.userName($0.user) }, age: look.process?.age,
        replaced: look.process?.isReplaced ?? false, starts: seen.count, reason: look.reason?.text,
        others: others.map { Other($0) }))
  }
}

extension ProcessInspect.State {
  fileprivate init(_ state: ManagedProcess.State) {
    self =
      switch state {
      case .running: .running
      case .stopped: .stopped
      case .notRunning: .notRunning
      }
  }
}

extension ProcessInspect.Other {
  fileprivate init(_ process: ProcessFacts) {
    self.init(
      pid: process.pid, user: ProcessFacts.userName(process.user), age: process.age, stopped: process.isStopped)
  }
}
