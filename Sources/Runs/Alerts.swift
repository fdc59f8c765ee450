import Journal
import Language
import Schedules
import Steps

extension RunSession {
  /// How many past runs are looked at.
  private static let depth = 1000

  /// Before the end of a run is recorded: records the alert if one is due, and tells people of it, or that the runbook passes again.
  ///
  /// - Parameters:
  ///   - journal: of the run, which holds all but its end.
  ///   - isTold: whether the run has recorded its alert before, in a process that died, or before it was tried again.
  ///   - record: records one event more, and shows it to those who watch.
  func conclude(
    _ plan: Plan, _ journal: JournalWriter, endingIn outcome: Outcome, isTold: Bool = false,
    record: (Event) async throws -> Void
  ) async throws {
    let due = alert(plan, journal.first.event, endingIn: outcome)
    if let due, !isTold { try await record(.alertDue(due)) }
    guard plan.alert != nil, let routes = services.channels, case .runStarted(let started) = journal.first.event,
      started.parent == nil, started.only.isEmpty
    else { return }
    let delivery = AlertDelivery(routes: routes, state: state, history: services.history)
    if let due {
      for event in await delivery.deliver(due, of: try RecordedRun.read(journal.folder), endingIn: outcome) {
        try await record(event)
      }
    } else if outcome.isGood, isTold || delivery.mayResolve(started) {
      for event in await delivery.resolve(try RecordedRun.read(journal.folder)) { try await record(event) }
    }
  }

  /// The alert that is due with the end of a run; nil if none is. Children, and runs of some steps only, raise none.
  ///
  /// If the past runs cannot be read, a failure is an alert: nobody knows that it is the first one.
  func alert(_ plan: Plan, _ first: Event, endingIn outcome: Outcome) -> AlertDue? {
    guard let rule = plan.alert, case .runStarted(let started) = first, started.parent == nil, started.only.isEmpty,
      !outcome.isGood, outcome != .skipped
    else { return nil }
    let runs: [RunSummary]
    do { runs = try services.history.runs(of: plan.name, since: nil, limit: Self.depth) } catch {
      return AlertDue(failures: 1, after: rule.after)
    }
    let earlier = runs.filter {
      $0.parent == nil && $0.only.isEmpty && !$0.goesOn && $0.target == started.target?.name
    }
    .map { run in run.outcome.map(AlertRule.Earlier.ended) ?? .died }
    return rule.failures(with: outcome, after: earlier).map { AlertDue(failures: $0, after: rule.after) }
  }
}
