import Engine
import Journal
import Language
import Schema
import Steps

/// Runs one runbook for several targets: a child run for each, with its own journal, under a parent run.
struct FleetSession: Sendable {
  /// How many children run at a time.
  static let width = 8

  let session: RunSession
  let verbosity: LiveDisplay.Verbosity
  let terminal: Terminal

  /// - Parameter plans: one for each target, of the same runbook; not empty.
  func run(_ plans: [Plan]) async throws -> RecordedRun {
    let start = ContinuousClock.now
    var started = session.started(plans[0], parent: nil)
    started.target = nil
    // A title that speaks of its target is none for all of them.
    if plans.contains(where: { $0.title != started.title }) { started.title = started.runbook }
    let journal = try await JournalWriter.begin(started, sources: plans[0].sources, in: session.state)
    do {
      let targets = plans.map { $0.target?.name ?? "" }
      try await journal.append(.runPlanned(RunPlanned(steps: plans[0].facts, targets: targets)))
      try await runChildren(plans, journal, since: start)
    } catch let error as JournalError {
      throw CommandFailure(error, of: journal.run, lastBegun: nil)
    }
    return try RecordedRun.read(journal.folder)
  }

  /// Runs a child for each plan and records their ends and its own.
  private func runChildren(
    _ plans: [Plan], _ journal: JournalWriter, since start: ContinuousClock.Instant
  ) async throws {
    var outcomes: [Outcome] = []
    try await withThrowingTaskGroup(of: ChildFinished.self) { group in
      var waiting = plans[...]
      for _ in 0..<Self.width { try await startNext(of: &waiting, in: &group, journal) }
      while let child = try await group.next() {
        outcomes.append(child.outcome)
        try await journal.append(.childFinished(child))
        try await startNext(of: &waiting, in: &group, journal)
      }
    }
    if let signal = session.signals.first {
      try await journal.append(.runSignalled(RunSignalled(signal: signal)))
    }
    let finished = RunFinished(
      outcome: Outcome.worst(outcomes), finding: nil, signal: session.signals.first,
      duration: start.duration(to: .now))
    try await journal.append(.runFinished(finished))
  }

  /// Starts one more child. After a signal it is recorded as skipped instead, and the rest with it.
  private func startNext(
    of waiting: inout ArraySlice<Plan>, in group: inout ThrowingTaskGroup<ChildFinished, any Error>,
    _ journal: JournalWriter
  ) async throws {
    guard let plan = waiting.popFirst() else { return }
    let target = plan.target?.name ?? ""
    guard session.signals.first == nil else {
      group.addTask { ChildFinished(run: "", target: target, outcome: .skipped, steps: []) }
      return
    }
    let id = ULID.next()
    try await journal.append(.childStarted(ChildStarted(run: id, target: target)))
    let display = LiveDisplay(terminal, verbosity, label: target, isAlone: false)
    group.addTask {
      let child = try await session.run(plan, id: id, parent: journal.run, display: display)
      return ChildFinished(
        run: id, target: target, outcome: child.finished?.outcome ?? .indeterminate, steps: child.childSteps)
    }
  }
}
