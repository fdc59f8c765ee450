package import ArgumentParser
import Journal
import Language
import Processes
import Runs
import Schema

/// `runbook cancel`.
package struct CancelCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "End a run: ask one that goes on to end in order; record of one that died that it is over.",
    discussion: """
      A run that goes on gets a TERM signal: it begins no further step, takes back what its runbook says, and does `finally`. \
      This command waits until the run has taken note, not until it has ended.

      A run that died is recorded as ended, with an unknown result (indeterminate). Nothing is taken back and nothing is done: \
      `runbook resume` would. It can never be gone on with after that.

        runbook cancel 12
        runbook cancel last --reason "the host is replaced"

      Exit codes: 0 the run was asked to end, or is recorded as ended; 2 there is nothing to end; 3 it did not take note.
      """)

  @Argument(
    help: ArgumentHelp("The run's number, its id or a unique beginning of that, or last.", valueName: "run"),
    completion: ProjectCompletion.runs)
  var reference: String

  @Option(help: ArgumentHelp("Why, for the record of a run that died.", valueName: "text")) var reason: String?
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() async throws {
    let project = try options.load()
    let run = try project.run(named: reference)
    guard !run.isFinished else {
      throw CommandFailure(.invalid, "\(run.title) has ended", advice: "runbook report \(run.reference)")
    }
    if run.isBeingWritten { return try await signal(run) }
    let runs = run.childRuns().runs.filter { !$0.isFinished } + [run]
    do {
      for run in runs {
        let look = DeadRunLook(run, called: run.reference)
        try look.checkDied()
        try look.checkNothingRuns()
      }
      for run in runs { try await end(run, in: project) }
    } catch let refusal as ResumeRefusal {
      throw CommandFailure(refusal)
    } catch let error as JournalError {
      throw error.code == .busy
        ? CommandFailure(.invalid, error.message, advice: error.advice) : CommandFailure(error)
    }
    var text = "\(run.title) is over; its result is unknown\n"
    let acted = runs.flatMap(\.openTries).filter(\.mayHaveActed).map(\.path.description)
    if !acted.isEmpty { text += "it is not known whether these took effect: \(acted.joined(separator: ", "))\n" }
    Terminal.standardOutput.write(text)
  }

  // MARK: A run that goes on

  /// How long the run has to take note.
  private static let patience = Duration.seconds(10)

  private func signal(_ run: RecordedRun) async throws {
    let writer = run.writer
    guard let pid = Int32(exactly: writer.pid), let start = writer.startTime.flatMap(UInt64.init(exactly:)) else {
      throw CommandFailure(
        .invalid, "\(run.title) goes on, and its journal does not tell which process drives it",
        advice: "find it (pid \(writer.pid)?) and end it with: kill PID")
    }
    guard ProcessIdentity(pid: pid, startTime: start, boot: writer.boot).signal(15) else {
      throw CommandFailure(
        .error,
        "\(run.title) could not be asked to end: its process (pid \(pid)) is another user's, or lies in another container",
        advice: "end it as its user, \(run.started.user)")
    }
    let deadline = ContinuousClock.now + Self.patience
    while ContinuousClock.now < deadline {
      let now = try? RecordedRun.read(run.folder)
      if let now, now.isFinished || now.events.contains(where: { $0.event.type == RunSignalled.type }) {
        Terminal.standardOutput.write("\(run.title) was asked to end\nto see how: runbook report \(run.reference)\n")
        return
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw CommandFailure(
      .error, "\(run.title) was asked to end, and has not taken note within 10s",
      advice: "look at its process: ps -o pid,stat,wchan,args -p \(pid)")
  }

  // MARK: A run that died

  private func end(_ run: RecordedRun, in project: Project) async throws {
    let (journal, known) = try await JournalWriter.reopen(run, access: project.state(of: run).access)
    var events = known.standing
    // A parent tells of its children what they have come to by now.
    for case .childStarted(let started) in known.standing.map(\.event)
    where !events.contains(where: { $0.isEnd(of: started) }) {
      let child = run.childRuns().runs.first { $0.id == started.run }
      let finished = ChildFinished(
        run: started.run, target: started.target, outcome: child?.finished?.outcome ?? .indeterminate,
        steps: child?.childSteps ?? [])
      events.append(try await journal.append(.childFinished(finished)))
    }
    // What was not begun never will be.
    for case .runPlanned(let planned) in known.map(\.event) {
      let told = Set(events.compactMap { $0.event.childTarget })
      for target in planned.targets where !told.contains(target) {
        let left = ChildFinished(run: "", target: target, outcome: .skipped, steps: [])
        events.append(try await journal.append(.childFinished(left)))
      }
    }
    try await journal.append(.runFinished(events.cancelled(because: reason)))
  }
}

extension Event {
  fileprivate var childTarget: String? { if case .childFinished(let child) = self { child.target } else { nil } }
}

extension RecordedEvent {
  fileprivate func isEnd(of child: ChildStarted) -> Bool {
    if case .childFinished(let finished) = event {
      finished.run == child.run && finished.target == child.target
    } else {
      false
    }
  }
}

extension [RecordedEvent] {
  /// The end of a run that died and is not gone on with.
  fileprivate func cancelled(because reason: String?) -> RunFinished {
    let why = reason.map { ": \($0)" } ?? ""
    let signals = compactMap { recorded in
      if case .runSignalled(let signalled) = recorded.event { signalled.signal } else { nil }
    }
    return RunFinished(
      outcome: .indeterminate,
      finding: Finding(
        "run.cancelled", "the run died and was not gone on with\(why)",
        advice: "Look at the service: what its last steps did is not known."),
      signal: signals.first, duration: elapsed)
  }
}
