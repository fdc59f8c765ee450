import Engine
import Journal
import Language
import Schema

/// Runs one runbook for several targets: a child run for each, with its own journal, under a parent run.
struct FleetSession: Sendable {
  /// How many children run at a time, unless the run says otherwise.
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
  /// - Throws: as ``RunSession/drive(_:_:)``, once every child that was begun has ended.
  func drive(_ plans: [Plan], _ journal: JournalWriter, rolling: Rolling?) async throws -> RecordedRun {
    let parent = Parent(journal: journal, watch: session.watch)
    return try await recording(parent) {
      parent.tell(journal.first.event)
      let targets = plans.map { $0.target?.name ?? "" }
      try await parent.record(.runPlanned(RunPlanned(steps: plans[0].facts, targets: targets, rolling: rolling)))
      let work = plans.map { TargetWork(plan: $0, start: .begin(id: nil)) }
      try await runChildren(work, FleetCourse(rolling: rolling), parent)
    }
  }

  /// Goes on with the children that died or failed, begins those that were not begun, and gives the parent.
  ///
  /// - Parameter events: all that the parent's journal holds.
  /// - Throws: as ``RunSession/goOn(_:_:from:)``; `UnresolvedChildren` if nobody can tell how tries of children ended. The parent
  ///   has no end then.
  func goOn(
    _ resumption: FleetResumption, _ journal: JournalWriter, from events: [RecordedEvent]
  ) async throws -> RecordedRun {
    let parent = Parent(journal: journal, watch: session.watch)
    return try await recording(parent) {
      let resumed = session.facts.resumed(drift: resumption.drift, retry: resumption.retry)
      try await journal.append(.runResumed(resumed))
      for event in [journal.first.event, .runPlanned(resumption.planned)] { parent.tell(event) }
      let course = FleetCourse(
        rolling: resumption.planned.rolling, ended: resumption.ended, elapsed: events.elapsed,
        isTold: events.contains { $0.event.type == AlertDue.type })
      try await runChildren(resumption.work, course, parent)
    }
  }

  private func recording(_ parent: Parent, _ work: () async throws -> Void) async throws -> RecordedRun {
    do { try await work() } catch let error as JournalError {
      throw RunFailure(run: parent.journal.run, lastBegun: nil, leftOut: [], error: error)
    }
    return try RecordedRun.read(parent.journal.folder)
  }

  /// Does the work of every target and records the ends of the children and of the parent.
  private func runChildren(_ work: [TargetWork], _ earlier: FleetCourse, _ parent: Parent) async throws {
    let start = ContinuousClock.now
    var course = earlier
    var waiting = work[...]
    let siblings = SiblingLocks()
    try await withThrowingTaskGroup(of: ChildEnd.self) { group in
      for _ in 0..<course.width { try await startNext(of: &waiting, course, in: &group, parent, siblings) }
      while let end = try await group.next() {
        switch end.result {
        case .success(let child):
          let ended = EndedChild(child, target: end.target)
          course.ended.append(ended)
          try await parent.record(.childFinished(ended.event))
        // Its siblings have nothing to do with it.
        case .failure(let error): course.errors.append((end.run, error))
        }
        try await startNext(of: &waiting, course, in: &group, parent, siblings)
      }
    }
    // What has no end is gone on with by `resume`, and so is what was not begun because of it.
    if let error = course.error { throw error }
    for work in waiting {
      let left = EndedChild(
        event: ChildFinished(run: "", target: work.target, outcome: .skipped, steps: []))
      course.ended.append(left)
      try await parent.record(.childFinished(left.event))
    }
    if let signal = session.signals.first {
      try await parent.record(.runSignalled(RunSignalled(signal: signal)))
    }
    let (outcome, finding) = course.result(
      notStarted: session.signals.first == nil ? waiting.map(\.target) : [], of: parent.journal.run)
    let finished = RunFinished(
      outcome: outcome, finding: finding, signal: session.signals.first,
      duration: course.elapsed + start.duration(to: .now))
    if let plan = work.first?.plan {
      try await session.conclude(plan, parent.journal, endingIn: outcome, isTold: course.isTold) {
        try await parent.record($0)
      }
    }
    try await parent.record(.runFinished(finished))
  }

  /// Starts one more child, unless a signal came or too many failed.
  private func startNext(
    of waiting: inout ArraySlice<TargetWork>, _ course: FleetCourse,
    in group: inout ThrowingTaskGroup<ChildEnd, any Error>, _ parent: Parent, _ siblings: SiblingLocks
  ) async throws {
    guard session.signals.first == nil, !course.hasTooManyFailures, let work = waiting.popFirst() else { return }
    let id = work.run ?? ULID.next()
    if case .begin(id: nil) = work.start {
      try await parent.record(.childStarted(ChildStarted(run: id, target: work.target)))
    }
    group.addTask { [self] in
      await siblings.enter(work.plan.locks)
      let result: Result<RecordedRun, any Error>
      do {
        let child = try await self.run(work, id, of: parent.journal.run)
        result = .success(child)
      } catch { result = .failure(error) }
      await siblings.leave(work.plan.locks)
      return ChildEnd(run: id, target: work.target, result: result)
    }
  }

  private func run(_ work: TargetWork, _ id: String, of parent: String) async throws -> RecordedRun {
    switch work.start {
    case .begin:
      let begun = try await session.begin(work.plan, id: id, parent: parent)
      return try await session.drive(work.plan, begun)
    case .goOn(let resumption): return try await session.reopen(resumption).goOn()
    case .ended(let run): return run
    }
  }
}

/// What is left to be done of one target.
struct TargetWork: Sendable {
  let plan: Plan
  let start: Start

  enum Start: Sendable {
    /// A child run is begun; under this id if the parent has announced it.
    case begin(id: String?)
    case goOn(RunResumption)
    /// It has ended, and its parent does not know it yet.
    case ended(RecordedRun)
  }

  var target: String { plan.target?.name ?? "" }

  /// The id of the child run; nil if it gets one.
  var run: String? {
    switch start {
    case .begin(let id): id
    case .goOn(let resumption): resumption.run.id
    case .ended(let run): run.id
    }
  }
}

/// How the task of one child ended.
private struct ChildEnd: Sendable {
  let run: String
  let target: String
  let result: Result<RecordedRun, any Error>
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
