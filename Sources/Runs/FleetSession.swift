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
  func begin(_ plans: [Plan]) async throws(JournalError) -> BegunRun {
    var started = session.facts.started(plans[0])
    started.target = nil
    // A title that speaks of its target is none for all of them.
    if plans.contains(where: { $0.title != started.title }) { started.title = started.runbook }
    // Each child takes its own locks.
    let journal = try await JournalWriter.begin(started, sources: plans[0].sources, in: session.state)
    return BegunRun(journal: journal)
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
    var ended: [EndedChild] = []
    let siblings = SiblingLocks()
    try await withThrowingTaskGroup(of: EndedChild.self) { group in
      var waiting = plans[...]
      for _ in 0..<Self.width { try await startNext(of: &waiting, in: &group, parent, siblings) }
      while let child = try await group.next() {
        ended.append(child)
        try await parent.record(.childFinished(child.event))
        try await startNext(of: &waiting, in: &group, parent, siblings)
      }
    }
    if let signal = session.signals.first {
      try await parent.record(.runSignalled(RunSignalled(signal: signal)))
    }
    let (outcome, finding) = ended.result
    let finished = RunFinished(
      outcome: outcome, finding: finding, signal: session.signals.first, duration: start.duration(to: .now))
    if let alert = session.alert(plans[0], parent.journal.first.event, endingIn: outcome) {
      try await parent.record(.alertDue(alert))
    }
    try await parent.record(.runFinished(finished))
  }

  /// Starts one more child. After a signal it is recorded as skipped instead, and the rest with it.
  private func startNext(
    of waiting: inout ArraySlice<Plan>, in group: inout ThrowingTaskGroup<EndedChild, any Error>, _ parent: Parent,
    _ siblings: SiblingLocks
  ) async throws {
    guard let plan = waiting.popFirst() else { return }
    let target = plan.target?.name ?? ""
    guard session.signals.first == nil else {
      group.addTask { EndedChild(event: ChildFinished(run: "", target: target, outcome: .skipped, steps: [])) }
      return
    }
    let id = ULID.next()
    try await parent.record(.childStarted(ChildStarted(run: id, target: target)))
    group.addTask { [session] in
      await siblings.enter(plan.locks)
      let result: Result<RecordedRun, any Error>
      do {
        let begun = try await session.begin(plan, id: id, parent: parent.journal.run)
        let child = try await session.drive(plan, begun)
        result = .success(child)
      } catch { result = .failure(error) }
      await siblings.leave(plan.locks)
      let child = try result.get()
      return EndedChild(
        event: ChildFinished(
          run: id, target: target, outcome: child.finished?.outcome ?? .indeterminate, steps: child.childSteps),
        wasLockedOut: child.finished?.finding?.code == RunFinished.lockedOut)
    }
  }
}

/// A child that came to its end.
private struct EndedChild: Sendable {
  var event: ChildFinished
  var wasLockedOut = false
}

extension [EndedChild] {
  /// What the children come to together. One that did nothing because of a lock was not looked at: that is no pass.
  fileprivate var result: (outcome: Outcome, finding: Finding?) {
    let outcome = Outcome.worst(map(\.event.outcome))
    let lockedOut = filter(\.wasLockedOut)
    guard !lockedOut.isEmpty else { return (outcome, nil) }
    let targets = lockedOut.map(\.event.target).sorted().joined(separator: ", ")
    guard lockedOut.count < count else {
      return (
        outcome,
        Finding(
          RunFinished.lockedOut, "skipped: other runs hold the locks of all targets: \(targets)",
          advice: "Run it again once those runs have ended.")
      )
    }
    return (
      Outcome.worst([outcome, .error]),
      Finding(
        "run.targetsLocked", "\(targets) \(lockedOut.count == 1 ? "was" : "were") skipped: another run holds the lock",
        advice: "Run it again for \(lockedOut.count == 1 ? "it" : "them") once that run has ended.")
    )
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
