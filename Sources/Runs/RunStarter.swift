package import Journal
package import Language
package import Schema
package import Steps

/// Starts runs of one project: for the command line, and for whatever else runs runbooks.
package struct RunStarter: Sendable {
  private let project: Project
  private let catalog: Catalog
  private let services: Services
  private let locks: LockFolder
  private let state: StateFolder
  private let version: String
  private let planning: RunPlanning

  /// - Parameters:
  ///   - services: what modules may need besides their input.
  ///   - locks: where runs take their locks.
  ///   - state: where the runs are kept.
  ///   - version: of the program that runs them.
  ///   - targets: finds the servers that a selection names; nil for the project's own.
  package init(
    _ project: Project, catalog: Catalog, services: Services, locks: LockFolder = .machine, state: StateFolder,
    version: String, targets: RunPlanning.Targets? = nil
  ) {
    self.project = project
    self.catalog = catalog
    self.services = services
    self.locks = locks
    self.state = state
    self.version = version
    planning = RunPlanning(project, targets: targets)
  }

  /// Starts a run, once it is known that nothing that can be known keeps it from running.
  ///
  /// - Parameters:
  ///   - signals: ask the run to end; others may hold the same ones for several runs.
  ///   - warn: is told of what does not keep the run from starting.
  /// - Throws: `Issues` with every problem of the document, the parameters, targets and secrets, or of programs that are
  ///   missing: nothing was recorded then; `JournalError` if the run cannot be recorded.
  package func start(
    _ request: RunRequest, signals: EndingSignals = EndingSignals(ofProcess: false), warn: (Issue) -> Void = { _ in }
  ) async throws -> StartedRun {
    let plans = try planning.plans(request, of: project.document(request.runbook, catalog: catalog), warn: warn)
    if request.confirmation == nil, let text = plans.lazy.compactMap(\.confirm).first {
      throw Issues([
        Issue(
          .error, "not-confirmed", "\(request.runbook) asks before it runs, and nobody agreed: \(text)",
          at: SourceRange(file: request.runbook, line: 1, column: 1))
      ])
    }
    let problems = await ProgramLook.problems(of: plans)
    guard !problems.contains(where: { $0.severity == .error }) else { throw Issues(problems) }
    problems.forEach(warn)
    return try await start(plans, request, signals: signals)
  }

  /// Starts a run whose plans were made before, by ``RunPlanning``, and whose programs were looked for, by ``ProgramLook``.
  ///
  /// - Parameters:
  ///   - plans: those of the request; not empty.
  ///   - prompter: asks the person at the terminal, in a run that has no children; nil if there is none.
  package func start(
    _ plans: [Plan], _ request: RunRequest, signals: EndingSignals, prompter: (any Prompter)? = nil
  ) async throws(JournalError) -> StartedRun {
    let (events, feed) = AsyncStream.makeStream(of: RunNotice.self)
    let facts = RunFacts(
      asker: request.asker, only: request.only, confirmation: request.confirmation,
      tool: ToolFacts(version: version, sha256: ToolDigest(state: state).value()))
    let session = RunSession(
      state: state, services: services, locks: locks, signals: signals, facts: facts,
      prompter: plans.count > 1 ? nil : prompter, watch: { feed.yield($0) })
    let fleet = FleetSession(session: session)
    let begun = try await plans.count > 1 ? fleet.begin(plans) : session.begin(plans[0])
    let work = Task {
      defer { feed.finish() }
      return try await plans.count > 1
        ? fleet.drive(plans, begun.journal, rolling: request.rolling) : session.drive(plans[0], begun)
    }
    return StartedRun(id: begun.journal.run, events: events, signals: signals, work: work)
  }

  /// Goes on with a run that died, or does anew what failed in one that ended.
  ///
  /// - Parameters:
  ///   - resumption: of a run that is kept in this starter's state folder.
  ///   - prompter: asks the person at the terminal, in a run that has no children; nil if there is none.
  /// - Throws: `JournalError` if another process goes on with it, if another run holds one of its locks, or if that cannot be
  ///   recorded. What ``StartedRun/recorded``
  ///   throws is `UnresolvedTries` or `UnresolvedChildren` besides if nobody can tell how a try ended.
  package func resume(
    _ resumption: Resumption, signals: EndingSignals, prompter: (any Prompter)? = nil
  ) async throws(JournalError) -> StartedRun {
    let (events, feed) = AsyncStream.makeStream(of: RunNotice.self)
    let started = resumption.run.started
    let session = RunSession(
      state: state, services: services, locks: locks, signals: signals,
      facts: RunFacts(
        asker: RunAsker(trigger: started.trigger, slot: started.slot), only: started.only,
        confirmation: started.confirmation,
        tool: ToolFacts(version: version, sha256: ToolDigest(state: state).value())),
      prompter: resumption.isFleet ? nil : prompter, watch: { feed.yield($0) })
    let work: Task<RecordedRun, any Error>
    switch resumption {
    case .run(let resumption):
      let reopened = try await session.reopen(resumption)
      work = Task {
        defer { feed.finish() }
        return try await reopened.goOn()
      }
    case .fleet(let resumption):
      let (journal, recorded) = try await JournalWriter.reopen(resumption.run, access: state.access)
      work = Task {
        defer { feed.finish() }
        return try await FleetSession(session: session).goOn(resumption, journal, from: recorded)
      }
    }
    return StartedRun(id: resumption.run.id, events: events, signals: signals, work: work)
  }
}

/// A run that goes on, whether somebody waits for it or not.
package struct StartedRun: Sendable {
  /// Of the parent, for a run over several targets.
  package let id: String
  /// What happens in it and in its children, from their first events on, until all of it has ended. For one reader, who must
  /// keep up: what is not read is kept.
  package let events: AsyncStream<RunNotice>
  private let signals: EndingSignals
  private let work: Task<RecordedRun, any Error>

  fileprivate init(
    id: String, events: AsyncStream<RunNotice>, signals: EndingSignals, work: Task<RecordedRun, any Error>
  ) {
    self.id = id
    self.events = events
    self.signals = signals
    self.work = work
  }

  /// Asks it to end, and every other run that was started with the same signals.
  ///
  /// - Parameter signal: recorded as the reason; SIGTERM (15) or SIGINT (2). After the second request running steps are no
  ///   longer waited for.
  package func end(by signal: Int) { signals.send(signal) }

  /// The run as its journal tells it, once it has ended. Who stops waiting does not stop the run.
  ///
  /// - Throws: `RunFailure` if something could not be recorded, `JournalError` if the journal cannot be read back.
  package var recorded: RecordedRun { get async throws { try await work.value } }
}
