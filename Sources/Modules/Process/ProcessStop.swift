import Glibc
package import Journal
import Processes
import Schema
package import Steps

/// Ends a service that is one process, or one certain process of a program.
package struct ProcessStop: StepModule {
  package struct Input: Hashable, Sendable {
    package var pidFile: String?
    package var pid: Int?
    package var program: String
    package var grace: Duration
  }

  package struct Output: Hashable, Sendable {
    package var stopped: Bool
    package var pid: Int?
    package var by: ProcessEnding?
    package var reason: String?
  }

  package static let declaration = ModuleDeclaration(
    "process.stop", "End a service that is one process, and see that it is gone.",
    discussion: """
      The process is the one that the PID file names, or the one with the number, and with both it must be the same. It gets no
      signal unless it runs the program: `process.otherProgram` says what has the number instead. It gets TERM, and KILL after the `grace`. If
      nothing runs the step passes, with `stopped: false`. Its `undo` is `process.start`.
      """,
    effect: .change, repetition: .atMostOnce, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("pidFile", \.pidFile, .optional(.path), "The file in which the service writes its number."),
      Field("pid", \.pid, .optional(.int.within(1...Int(Int32.max))), "The number of the process."),
      Field(
        "program", \.program, .string, default: "turnserver", "Its program: a path, or a name to look for in PATH."),
      Field(
        "grace", \.grace, .duration.within(.zero ... .seconds(50)), default: .seconds(10),
        "How long it has between TERM and KILL.")
    ),
    output: Record(
      Output.init,
      Field("stopped", \.stopped, .bool, "Whether a process was ended; false: none ran."),
      Field("pid", \.pid, .optional(.int), "The number that it had."),
      Field("by", \.by, .optional(.enumeration(ProcessEnding.self)), "The signal that ended it."),
      Field("reason", \.reason, .optional(.string), "Why nothing was to be ended.")
    ),
    examples: [.init("Stop the TURN server", with: "pidFile: /run/turnserver/turnserver.pid")])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.pidFile == nil, input.pid == nil else { return nil }
    return Finding(
      "process.noneNamed", "the step does not say which process is meant", advice: "Give `pidFile` or `pid`.")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    let (process, reason) = try Self.find(input)
    guard let process else {
      return .done(Output(stopped: false, pid: nil, by: nil, reason: reason?.text))
    }
    let ending = try await process.end(grace: input.grace)
    return .done(Output(stopped: true, pid: process.pid, by: ending, reason: nil))
  }

  package func reconcile(_ input: Input, in context: StepContext) async throws(StepError) -> Reconciliation {
    guard try Self.find(input).process == nil else { return .notDone }
    // Who ended it, and with which signal, nobody knows any more.
    return .done(nil)
  }

  /// - Throws: `failed` if the number is another program's.
  private static func find(_ input: Input) throws(StepError) -> (process: ProcessFacts?, reason: Sentence?) {
    let service = try ManagedProcess(pidFile: input.pidFile ?? "", program: input.program)
    guard let number = input.pid else {
      let look = try service.look()
      return (look.process, look.reason)
    }
    guard let process = ProcessEntry(pid: pid_t(clamping: number)).flatMap(ProcessFacts.init), !process.entry.isZombie
    else { return (nil, "there is no process \(number)") }
    guard process.executable != .hidden else {
      throw .notStarted(
        "process.hidden", "this user may not see what \(process.title) runs",
        advice: "Run this as root, or as its user.")
    }
    guard service.isProgram(process) else {
      let runs: Sentence = process.executablePath.map { "it runs \($0)" } ?? "it is a thread of the kernel"
      throw .failed(
        "process.otherProgram", "\(process.title) is not ended: \(runs) and not \(service.program)",
        advice:
          "The process that was meant has ended, or its program is another one: look at it with `ps -fp \(number)`.")
    }
    if input.pidFile != nil {
      let look = try service.look()
      guard look.process?.pid == process.pid else {
        let named: Sentence =
          look.process.map { "the PID file names \($0.title)" } ?? look.reason ?? "the PID file names none"
        return (nil, "\(process.title) is not the service's any more: \(named)")
      }
    }
    return (process, nil)
  }
}

extension ProcessFacts {
  /// Ends it, and no other process.
  ///
  /// - Throws: `notStarted` if this user may not send it a signal, `failed` if KILL does not end it.
  func end(grace: Duration) async throws(StepError) -> ProcessEnding? {
    guard let identity else { return nil }
    guard kill(entry.pid, 0) == 0 || errno != EPERM else {
      throw .notStarted(
        "process.notAllowed", "this user may not end \(title) of \(Self.userName(user))",
        advice: "Run this as root, or as that user.")
    }
    let ending = await Modules.end(identity, grace: grace)
    guard let ending else {
      throw .failed(
        "process.unkillable", "\(title) cannot be ended, not even by KILL: it waits inside the kernel",
        advice: "Mostly that is a file system or a disk that does not answer: look at the kernel's log (`dmesg`).")
    }
    return ending
  }
}
