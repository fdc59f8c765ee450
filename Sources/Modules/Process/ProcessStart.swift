package import Journal
import Schema
package import Steps

/// Starts a service that is one process.
package struct ProcessStart: StepModule {
  package struct Input: Hashable, Sendable {
    package var pidFile: String
    package var command: [String]
    package var program: String?
    package var directory: String?
    package var env: [String: String]
    package var log: String?
    package var patience: Duration
    package var settle: Duration
  }

  package struct Output: Hashable, Sendable {
    package var pid: Int
    package var user: String
    package var executable: String?
    package var elapsed: Duration
  }

  /// What `process.start` and `process.restart` are told alike.
  static let input = Record(
    Input.init,
    Field("pidFile", \.pidFile, .path, "The file in which the service writes its number."),
    Field("command", \.command, .list(.string), "The program and its arguments; no shell reads them."),
    Field(
      "program", \.program, .optional(.string),
      "The program of the service, if the command starts it through another one (`setpriv`); the command's, if not given."
    ),
    Field("directory", \.directory, .optional(.path), "Where it starts; where runbook was started, if not given."),
    Field(
      "env", \.env, .map(.string), default: [:], "Environment variables besides PATH, HOME, LANG and RUNBOOK_STEP."),
    Field("log", \.log, .optional(.path), "The file to which what it prints is added; thrown away, if not given."),
    Field(
      "patience", \.patience, .duration.within(.milliseconds(100) ... .seconds(120)), default: .seconds(10),
      "How long it has until the PID file names it."),
    Field(
      "settle", \.settle, .duration.within(.zero ... .seconds(60)), default: .seconds(1),
      "How long it must have gone on before it counts as started.")
  )

  package static let declaration = ModuleDeclaration(
    "process.start", "Start a service that is one process, and see that it stays.",
    discussion: """
      The service goes on when the run has ended, in a session of its own. It must write its number into the PID file (coturn:
      `pidfile`). Nothing is started if it runs already (`process.alreadyRunning`), or if another process runs by the same command that
      the file does not name (`process.unnamed`): coturn lets a second server share its port without an error. Nor is it if an enabled
      unit of systemd starts it by the same command (`process.ofSystemd`). Whether it serves its clients is for a probe to say, such as
      `stun.sources`.

      It is started with the variable RUNBOOK_STEP in its environment. By it a run that died finds out, when it is gone on with, whether
      the service was started. Its `undo` is `process.stop` with the output's `pid`.
      """,
    effect: .change, repetition: .atMostOnce, judges: true, deadline: .seconds(60), input: input,
    output: Record(
      Output.init,
      Field("pid", \.pid, .int, "Its number."),
      Field("user", \.user, .string, "By whose rights it acts."),
      Field("executable", \.executable, .optional(.path), "Its program's file."),
      Field("elapsed", \.elapsed, .duration, "From the start of the command until it counted as started.")
    ),
    examples: [
      .init(
        "Start the TURN server",
        with: "pidFile: /run/turnserver/turnserver.pid\ncommand: [turnserver, -c, /etc/turnserver.conf]")
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.command.first?.isEmpty != false else { return nil }
    return Finding("command.empty", "the command is empty", advice: "Give a program as the first element.")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let start = try ServiceStart(input, key: context.idempotencyKey)
    let look = try start.service.look()
    if let process = look.process {
      let stopped = look.state == .stopped
      throw .notStarted(
        stopped ? "process.stopped" : "process.alreadyRunning",
        "\(process.title) is the service's, and \(stopped ? "is stopped by a signal or a debugger" : "runs")",
        advice: stopped ? "Ask who stopped it; `process.restart` ends it and starts it anew." : "Nothing was started.")
    }
    try start.refuseSecond()
    try start.refuseUnit()
    let began = ContinuousClock.now
    let process = try await start(context)
    return .done(Output(process, elapsed: began.duration(to: .now)))
  }

  package func reconcile(_ input: Input, in context: StepContext) async throws(StepError) -> Reconciliation {
    switch try await ServiceStart(input, key: context.idempotencyKey).ending(context) {
    case .started(let process): .done(Self.declaration.output.encode(Output(process, elapsed: .zero)))
    case .notStarted: .notDone
    case .unknown(let why): .unknown(why)
    }
  }
}

extension ProcessStart.Output {
  init(_ process: ProcessFacts, elapsed: Duration) {
    self.init(
      pid: process.pid, user: ProcessFacts.userName(process.user), executable: process.executablePath,
      elapsed: elapsed)
  }
}
