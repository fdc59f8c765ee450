package import Engine
import Files
import Glibc
package import Journal
import Language
import Schema
import Steps
import Synchronization

/// Runs one plan to its end, its journal in the state folder.
struct RunSession: Sendable {
  let state: StateFolder
  let services: Services
  let locks: LockFolder
  let signals: EndingSignals
  let facts: RunFacts
  /// Nil if no terminal asks: answers come through the inbox alone.
  var prompter: (any Prompter)?
  let watch: @Sendable (RunNotice) -> Void

  private var rules: AnswerRules {
    let owner = (try? FileMetadata.of(state.path, followingLinks: true)).flatMap(\.self)?.owner
    return AnswerRules(owner: Int(owner ?? geteuid()), user: Int(geteuid()))
  }

  /// Drives the plan to its end.
  ///
  /// - Throws: `RunFailure` if something cannot be recorded, `JournalError` if the journal cannot be read back.
  func drive(_ plan: Plan, _ begun: BegunRun) async throws -> RecordedRun {
    defer { withExtendedLifetime(begun) {} }
    let journal = begun.journal
    if let refusal = begun.refusal { return try await refuse(plan, journal, refusal) }
    return try await drive(plan, journal) { driver, planned in
      try await journal.append(planned)
      _ = try await driver.drive(from: journal.first, signals: signals.subscribe())
    }
  }

  /// Goes on with a run that died, or does anew what failed in it, to its end.
  ///
  /// - Parameter events: all that its journal holds.
  /// - Throws: as ``drive(_:_:)``, and `UnresolvedTries` if nobody can tell how a try ended.
  func goOn(
    _ resumption: RunResumption, _ journal: JournalWriter, from events: [RecordedEvent]
  ) async throws -> RecordedRun {
    let plan = resumption.plan
    let resumed = facts.resumed(drift: resumption.drift, retry: resumption.retry)
    // Of one run somebody is told once.
    let isTold = events.contains { $0.event.type == AlertDue.type }
    return try await drive(plan, journal, isTold: isTold) { driver, planned in
      var events = events
      if !events.contains(where: { $0.event.type == RunPlanned.type }) {
        events.append(try await journal.append(planned))
      }
      events.append(try await journal.append(.runResumed(resumed)))
      let target = plan.target?.name
      for event in [journal.first.event, planned] {
        watch(RunNotice(run: journal.run, target: target, notice: .recorded(event)))
      }
      _ = try await driver.goOn(from: events, signals: signals.subscribe())
    }
  }

  /// Takes the locks of a run that is gone on with, and opens its journal.
  func reopen(_ resumption: RunResumption) async throws(JournalError) -> ReopenedRun {
    let (held, refusal) = await takeLocks(resumption.plan, resumption.run.id)
    if let refusal {
      throw JournalError(
        .busy, refusal.finding.message, advice: refusal.finding.advice, path: resumption.run.folder.path)
    }
    let (journal, events) = try await JournalWriter.reopen(resumption.run, access: state.access)
    return ReopenedRun(session: self, resumption: resumption, journal: journal, events: events, locks: held)
  }

  private func drive(
    _ plan: Plan, _ journal: JournalWriter, isTold: Bool = false, _ work: (RunDriver, Event) async throws -> Void
  ) async throws -> RecordedRun {
    let begun = Mutex<StepPath?>(nil)
    let run = journal.run
    let target = plan.target?.name
    let planned = Event.runPlanned(RunPlanned(steps: plan.facts))
    var services = services
    services.state = state
    services.outages = services.channels.map(outages)
    let driver = RunDriver(
      plan: plan, run: run, services: services, people: RunPeople(journal.folder, rules, prompter: prompter),
      append: { events in
        guard case .runFinished(let finished)? = events.last else { return try await journal.append(events) }
        if events.count > 1 { try await journal.append(events.dropLast()) }
        try await conclude(plan, journal, endingIn: finished.outcome, isTold: isTold) { event in
          try await journal.append(event)
          watch(RunNotice(run: run, target: target, notice: .recorded(event)))
        }
        try await journal.append(events.suffix(1))
      },
      notify: { [watch] notice in
        if case .trying(let path, _) = notice { begun.withLock { $0 = path } }
        watch(RunNotice(run: run, target: target, notice: notice))
        if case .recorded(.runStarted) = notice {
          watch(RunNotice(run: run, target: target, notice: .recorded(planned)))
        }
      })
    if plan.asks {
      do throws(JournalError) { try journal.folder.makeInbox(state.access) } catch {
        throw RunFailure(run: run, lastBegun: nil, leftOut: [], error: error)
      }
    }
    do {
      try await work(driver, planned)
      // What came too late is nobody's answer.
      if plan.asks { try? Folder.remove(journal.folder.inbox) }
    } catch let error as JournalError {
      throw RunFailure(
        run: run, lastBegun: begun.withLock { $0 },
        leftOut: [plan.steps(of: .undo).isEmpty ? nil : "undo", plan.finally.isEmpty ? nil : "finally"].compactMap(
          \.self),
        error: error)
    }
    return try RecordedRun.read(journal.folder)
  }
}

/// A run that is gone on with, its journal open.
struct ReopenedRun: Sendable {
  let session: RunSession
  let resumption: RunResumption
  let journal: JournalWriter
  /// All that the journal holds.
  let events: [RecordedEvent]
  /// Held for as long as this value lives.
  let locks: HeldLocks?

  /// Drives it to its end; see ``RunSession/goOn(_:_:from:)``.
  func goOn() async throws -> RecordedRun {
    defer { withExtendedLifetime(locks) {} }
    return try await session.goOn(resumption, journal, from: events)
  }
}

/// A run that ended early because its journal could not be written: nothing more was done.
package struct RunFailure: Error, Hashable, Sendable {
  /// Id of the run.
  package let run: String
  /// The step that was begun last; what it did may not be recorded. Nil if none was, and for the parent of several runs.
  package let lastBegun: StepPath?
  /// What the runbook has for its end, and was not done: `undo`, `finally`.
  package let leftOut: [String]
  package let error: JournalError
}

/// What those who watch runs are told, and of which of them.
package struct RunNotice: Sendable {
  /// Id of the run.
  package let run: String
  /// Name of its target; nil if it has none, and for the parent of runs over several.
  package let target: String?
  package let notice: RunDriver.Notice
}
