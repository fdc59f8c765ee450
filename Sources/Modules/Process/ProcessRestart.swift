package import Journal
import Schema
package import Steps

/// Ends a service that is one process, and starts it anew.
package struct ProcessRestart: StepModule {
  package struct Input: Hashable, Sendable {
    package var start: ProcessStart.Input
    package var grace: Duration
  }

  package struct Output: Hashable, Sendable {
    package var pid: Int
    package var user: String
    package var executable: String?
    package var before: Int?
    package var by: ProcessEnding?
    package var elapsed: Duration
  }

  package static let declaration = ModuleDeclaration(
    "process.restart", "End a service that is one process and start it anew, and see that it stays.",
    discussion: """
      The command is looked at before the service is ended: nothing is ended for a start that cannot be. Only a process that the PID
      file names and that runs the program gets a signal; a stopped or hung one is ended by KILL after the `grace`. If the service does not run it
      is started. A new one that the PID file does not name in time goes on, and the step fails: none would be worse. Every call through the server ends with it. Whether the new one serves its clients is for a probe to say. All
      else is as with `process.start`. The process that was ended cannot be brought back: an `undo` can only put back what the
      restart was for, such as an older configuration, and restart once more.
      """,
    effect: .change, repetition: .atMostOnce, judges: true, deadline: .seconds(120),
    input: Record(
      { pidFile, command, program, directory, env, log, patience, settle, grace in
        Input(
          start: ProcessStart.Input(
            pidFile: pidFile, command: command, program: program, directory: directory, env: env, log: log,
            patience: patience, settle: settle), grace: grace)
      },
      Field("pidFile", \.start.pidFile, .path, "The file in which the service writes its number."),
      Field("command", \.start.command, .list(.string), "The program and its arguments; no shell reads them."),
      Field(
        "program", \.start.program, .optional(.string),
        "The program of the service, if the command starts it through another one (`setpriv`); the command's, if not given."
      ),
      Field(
        "directory", \.start.directory, .optional(.path), "Where it starts; where runbook was started, if not given."),
      Field(
        "env", \.start.env, .map(.string), default: [:],
        "Environment variables besides PATH, HOME, LANG and RUNBOOK_STEP."),
      Field(
        "log", \.start.log, .optional(.path), "The file to which what it prints is added; thrown away, if not given."),
      Field(
        "patience", \.start.patience, .duration.within(.milliseconds(100) ... .seconds(120)), default: .seconds(10),
        "How long it has until the PID file names it."),
      Field(
        "settle", \.start.settle, .duration.within(.zero ... .seconds(60)), default: .seconds(1),
        "How long it must have gone on before it counts as started."),
      Field(
        "grace", \.grace, .duration.within(.zero ... .seconds(50)), default: .seconds(10),
        "How long the old one has between TERM and KILL.")
    ),
    output: Record(
      Output.init,
      Field("pid", \.pid, .int, "Its number."),
      Field("user", \.user, .string, "By whose rights it acts."),
      Field("executable", \.executable, .optional(.path), "Its program's file."),
      Field("before", \.before, .optional(.int), "The number of the process that was ended; absent: none ran."),
      Field("by", \.by, .optional(.enumeration(ProcessEnding.self)), "The signal that ended it."),
      Field("elapsed", \.elapsed, .duration, "From the first signal until the new one counted as started.")
    ),
    examples: [
      .init(
        "Restart the TURN server",
        with: "pidFile: /run/turnserver/turnserver.pid\ncommand: [turnserver, -c, /etc/turnserver.conf]")
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    ProcessStart.objection(to: input.start, within: timeout)
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let start = try ServiceStart(input.start, key: context.idempotencyKey, keepsUnnamed: true)
    let old = try start.service.look().process
    try start.refuseSecond(besides: old)
    try start.refuseUnit()
    let began = ContinuousClock.now
    var ending: ProcessEnding?
    if let old {
      context.progress("ending \(old.title)")
      ending = try await old.end(grace: input.grace)
    }
    let process: ProcessFacts
    do throws(StepError) { process = try await start(context) } catch {
      guard let old else { throw error }
      var error = error
      // Something was begun: the old one is gone.
      if error.kind == .notStarted { error.kind = .failed }
      error.finding = Finding(
        error.finding.code, "\(old.title) was ended, and no new one runs: \(error.finding.sentence)",
        advice: error.finding.advisory)
      throw error
    }
    return .done(
      Output(
        pid: process.pid, user: ProcessFacts.userName(process.user), executable: process.executablePath,
        before: old?.pid, by: ending, elapsed: began.duration(to: .now)))
  }

  /// A process that bears the step's mark was started by it. Without one the restart is due: it is begun again, with the old process or
  /// without any.
  package func reconcile(_ input: Input, in context: StepContext) async throws(StepError) -> Reconciliation {
    switch try await ServiceStart(input.start, key: context.idempotencyKey).ending(context) {
    case .started(let process):
      return .done(
        Self.declaration.output.encode(
          Output(
            pid: process.pid, user: ProcessFacts.userName(process.user), executable: process.executablePath,
            before: nil,
            by: nil, elapsed: .zero)))
    case .notStarted: return .notDone
    case .unknown(let why): return .unknown(why)
    }
  }
}
