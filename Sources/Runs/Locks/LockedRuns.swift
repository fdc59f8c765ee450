import Engine
import Glibc
import Journal
import Language
import Schema

/// A run whose folder is in place.
struct BegunRun: Sendable {
  let journal: JournalWriter
  /// The locks that it holds for as long as this value lives; nil if it needs none.
  var locks: HeldLocks?
  /// Why it does nothing.
  var refusal: Refusal?

  struct Refusal: Sendable {
    let outcome: Outcome
    let finding: Finding
  }
}

extension RunSession {
  /// Takes the locks of a plan and puts the run's folder in place, with its first event. If a lock is taken, the run is recorded all
  /// the same: it will only tell that.
  ///
  /// - Parameters:
  ///   - id: announced to the parent before, if there is one.
  ///   - parent: the run that this one is a child of.
  func begin(
    _ plan: Plan, id: String = ULID.next(), parent: String? = nil
  ) async throws(JournalError) -> BegunRun {
    var started = facts.started(plan, parent: parent)
    let (held, refusal) = await takeLocks(plan, id)
    if held != nil { started.locks = plan.locks.sorted() }
    let journal = try await JournalWriter.begin(started, sources: plan.sources, id: id, in: state)
    return BegunRun(journal: journal, locks: held, refusal: refusal)
  }

  /// The locks of a plan, or why it cannot have them; neither if it needs none.
  func takeLocks(_ plan: Plan, _ id: String) async -> (held: HeldLocks?, refusal: BegunRun.Refusal?) {
    guard !plan.locks.isEmpty else { return (nil, nil) }
    let own = LockHolder(
      run: id, runbook: plan.name, pid: facts.host.pid, user: facts.host.user, since: Moment.now().wall)
    let attempt: LockFolder.Attempt
    do throws(LockFolder.Failure) { attempt = try await locks.take(plan.locks, for: own) } catch {
      let finding = Finding(
        "run.lockUnusable", "the locks of the run cannot be taken: \(error.message)", advice: error.advice)
      return (nil, BegunRun.Refusal(outcome: .error, finding: finding))
    }
    switch attempt {
    case .held(let locks): return (locks, nil)
    case .taken(let name, let holder):
      return (nil, BegunRun.Refusal(outcome: .skipped, finding: Self.finding(name, holder)))
    }
  }

  private static func finding(_ name: String, _ holder: LockHolder?) -> Finding {
    guard let holder else {
      return Finding(
        RunFinished.lockedOut, "skipped: the lock \"\(name)\" is held by a program that does not say which run it is",
        advice: "Run it again once the lock is free; fuser names the program that has its file open.")
    }
    return Finding(
      RunFinished.lockedOut,
      "skipped: the lock \"\(name)\" is held by the run \(holder.run) of \(holder.runbook) (pid \(holder.pid), user \(holder.user)) since \(holder.since.description)",
      advice: "Run it again once that run has ended.")
  }

  /// Records that a run does nothing, and why; tells people, if that is an alert.
  func refuse(_ plan: Plan, _ journal: JournalWriter, _ refusal: BegunRun.Refusal) async throws -> RecordedRun {
    func show(_ event: Event) {
      watch(RunNotice(run: journal.run, target: plan.target?.name, notice: .recorded(event)))
    }
    func record(_ events: [Event]) async throws {
      do throws(JournalError) { try await journal.append(events) } catch {
        throw RunFailure(run: journal.run, lastBegun: nil, leftOut: [], error: error)
      }
      events.forEach(show)
    }
    show(journal.first.event)
    let planned = Event.runPlanned(RunPlanned(steps: plan.facts))
    let finished = Event.runFinished(
      RunFinished(outcome: refusal.outcome, finding: refusal.finding, signal: nil, duration: .zero))
    guard refusal.outcome != .skipped else {
      try await record([planned, finished])
      return try RecordedRun.read(journal.folder)
    }
    try await record([planned])
    try await conclude(plan, journal, endingIn: refusal.outcome) { try await record([$0]) }
    try await record([finished])
    return try RecordedRun.read(journal.folder)
  }
}
