import Engine
import Journal
import Language
import Schema

/// Runs one runbook for several targets: a child run for each, with its own journal, under a parent run.
struct FleetSession: Sendable {
  /// How many children run at a time.
  static let width = 8

  let session: RunSession

  /// Puts the parent's folder in place, with its first event.
  ///
  /// - Parameter plans: one for each target, of the same runbook; not empty.
  func begin(_ plans: [Plan]) async throws(JournalError) -> JournalWriter {
    var started = session.facts.started(plans[0])
    started.target = nil
    // A title that speaks of its target is none for all of them.
    if plans.contains(where: { $0.title != started.title }) { started.title = started.runbook }
    return try await JournalWriter.begin(started, sources: plans[0].sources, in: session.state)
  }

  /// Runs a child for each plan, and gives the parent.
  ///
  /// - Throws: as ``RunSession/drive(_:_:)``.
  func drive(_ plans: [Plan], _ journal: JournalWriter) async throws -> RecordedRun {
    let parent = Parent(journal: journal, watch: session.watch)
    do {
      parent.tell(journal.first.event)
      let targets = plans.map { $0.target?.name ?? "" }
      try await parent.record(.runPlanned(RunPlanned(steps: plans[0].facts, targets: targets)))
      try await runChildren(plans, parent)
    } catch let error as JournalError {
      throw RunFailure(run: journal.run, lastBegun: nil, leftOut: [], error: error)
    }
    return try RecordedRun.read(journal.folder)
  }

  /// Runs a child for each plan and records their ends and its own.
  private func runChildren(_ plans: [Plan], _ parent: Parent) async throws {
    let start = ContinuousClock.now
    var outcomes: [Outcome] = []
    try await withThrowingTaskGroup(of: ChildFinished.self) { group in
      var waiting = plans[...]
      for _ in 0..<Self.width { try await startNext(of: &waiting, in: &group, parent) }
      while let child = try await group.next() {
        outcomes.append(child.outcome)
        try await parent.record(.childFinished(child))
        try await startNext(of: &waiting, in: &group, parent)
      }
    }
    if let signal = session.signals.first {
      try await parent.record(.runSignalled(RunSignalled(signal: signal)))
    }
    let finished = RunFinished(
      outcome: Outcome.worst(outcomes), finding: nil, signal: session.signals.first,
      duration: start.duration(to: .now))
    try await parent.record(.runFinished(finished))
  }

  /// Starts one more child. After a signal it is recorded as skipped instead, and the rest with it.
  private func startNext(
    of waiting: inout ArraySlice<Plan>, in group: inout ThrowingTaskGroup<ChildFinished, any Error>, _ parent: Parent
  ) async throws {
    guard let plan = waiting.popFirst() else { return }
    let target = plan.target?.name ?? ""
    guard session.signals.first == nil else {
      group.addTask { ChildFinished(run: "", target: target, outcome: .skipped, steps: []) }
      return
    }
    let id = ULID.next()
    try await parent.record(.childStarted(ChildStarted(run: id, target: target)))
    group.addTask { [session] in
      let child = try await session.drive(plan, try await session.begin(plan, id: id, parent: parent.journal.run))
      return ChildFinished(
        run: id, target: target, outcome: child.finished?.outcome ?? .indeterminate, steps: child.childSteps)
    }
  }
}

/// The parent's journal, and who watches it.
private struct Parent: Sendable {
  let journal: JournalWriter
  let watch: @Sendable (RunNotice) -> Void

  func record(_ event: Event) async throws(JournalError) {
    try await journal.append(event)
    tell(event)
  }

  func tell(_ event: Event) { watch(RunNotice(run: journal.run, target: nil, notice: .recorded(event))) }
}
