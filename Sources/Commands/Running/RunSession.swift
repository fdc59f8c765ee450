import Engine
import Journal
import Language
import Schema
import Steps
import Synchronization

/// Runs one plan to its end, its journal in the state folder.
struct RunSession: Sendable {
  let state: StateFolder
  let services: Services
  let signals: EndingSignals
  /// Ids of the steps that were asked for; empty for all.
  let only: [String]
  let facts = HostFacts.current()
  let tool: ToolFacts

  init(state: StateFolder, services: Services, signals: EndingSignals, only: [String] = []) {
    self.state = state
    self.services = services
    self.signals = signals
    self.only = only
    tool = ToolFacts(version: runbookVersion, sha256: ToolDigest(state: state).value())
  }

  /// - Parameters:
  ///   - id: announced to the parent before, where there is one.
  ///   - parent: the run that this one is a child of.
  /// - Throws: `JournalError` if the run cannot be begun, `CommandFailure` if something cannot be recorded later; nothing more
  ///   is done then.
  func run(
    _ plan: Plan, id: String = ULID.next(), parent: String? = nil, display: LiveDisplay
  ) async throws -> RecordedRun {
    let journal = try await JournalWriter.begin(
      started(plan, parent: parent), sources: plan.sources, id: id, in: state)
    let begun = Mutex<StepPath?>(nil)
    let driver = RunDriver(
      plan: plan, run: journal.run, services: services, append: { try await journal.append($0) },
      notify: { notice in
        if case .trying(let path, _) = notice { begun.withLock { $0 = path } }
        display.show(notice)
      })
    do {
      try await journal.append(.runPlanned(RunPlanned(steps: plan.facts)))
      _ = try await display.whileShown {
        try await driver.drive(from: journal.first, signals: signals.subscribe())
      }
    } catch let error as JournalError {
      throw CommandFailure(error, of: journal.run, lastBegun: begun.withLock { $0 })
    }
    return try RecordedRun.read(journal.folder)
  }

  /// The first event of a run; the journal fills in number, sources and what it knows of its folder.
  func started(_ plan: Plan, parent: String?) -> RunStarted {
    RunStarted(
      runbook: plan.name, title: plan.title, number: 0, severity: plan.severity,
      target: plan.target.map(TargetFacts.init),
      parent: parent, params: .members(plan.params), paramTypes: plan.paramTypes, tool: tool, host: facts.host,
      machineIdHash: facts.machineIDHash, user: facts.user, actor: facts.actor,
      trigger: parent == nil ? "command" : "parent", pid: facts.pid, only: only, sources: [], volatile: false)
  }
}
