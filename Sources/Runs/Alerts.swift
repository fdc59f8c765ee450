import Journal
import Language
import Schedules
import Steps

extension RunSession {
  /// How many past runs are looked at.
  private static let depth = 1000

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
