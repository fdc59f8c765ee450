import Journal
import Language
import Notices
import Schedules
import Steps

extension RunSession {
  /// How many past runs are looked at.
  private static let depth = 1000

  /// Before the end of a run is recorded: records the alert if one is due, and tells people of it, or that the runbook passes again.
  ///
  /// An alert that no channel took is due with every later failure, until one takes it; so is one of which copies alone have heard, and one on a target
  /// that nobody was told of.
  ///
  /// - Parameters:
  ///   - journal: of the run, which holds all but its end.
  ///   - isTold: whether the run has recorded its alert before, in a process that died, or before it was tried again.
  ///   - record: records one event more, and shows it to those who watch.
  func conclude(
    _ plan: Plan, _ journal: JournalWriter, endingIn outcome: Outcome, isTold: Bool = false,
    record: (Event) async throws -> Void
  ) async throws {
    guard let rule = plan.alert, case .runStarted(let started) = journal.first.event, started.isAlertable else {
      return
    }
    guard let routes = services.channels else {
      if !isTold, let due = alert(plan, journal.first.event, endingIn: outcome) { try await record(.alertDue(due)) }
      return
    }
    let earlier = earlier(started)
    let delivery = AlertDelivery(routes: routes, state: state, outages: outages(routes), earlier: earlier ?? [])
    if outcome.isGood {
      guard isTold || delivery.mayResolve else { return }
      return try await delivery.resolve(try RecordedRun.read(journal.folder), record: record)
    }
    guard let due = row(rule, earlier, endingIn: outcome) else { return }
    var taken: [String] = []
    if let standing = delivery.standing {
      let run = try RecordedRun.read(journal.folder)
      let event = Event.alertStanding(
        AlertStanding(
          firingRun: standing.run, channels: standing.channels, targets: standing.targets.map { $0.sorted() }))
      if !run.events.contains(where: { $0.event == event }) { try await record(event) }
      let level = delivery.level(of: standing, or: run)
      if !isTold { try await delivery.renew(due, standing, level, of: run, endingIn: outcome, record: record) }
      if !delivery.hasNewTarget(standing, run) {
        guard !routes.reached(standing.channels, level) else { return }
        taken = standing.channels
      }
    }
    if !isTold { try await record(.alertDue(due)) }
    try await delivery.deliver(
      due, of: try RecordedRun.read(journal.folder), endingIn: outcome, taken: taken, isRepetition: isTold,
      record: record)
  }

  /// The row of failures that this run ends in, once it is long enough that somebody is to know of it; nil before.
  ///
  /// - Parameter earlier: the runs before it; nil if they cannot be read.
  private func row(_ rule: AlertRule, _ earlier: [RunSummary]?, endingIn outcome: Outcome) -> AlertDue? {
    guard outcome != .skipped else { return nil }
    guard let earlier else { return AlertDue(failures: 1, after: rule.after) }
    let failures = rule.row(with: outcome, after: earlier.map(\.end))
    return failures >= rule.after ? AlertDue(failures: failures, after: rule.after) : nil
  }

  /// The alert that is due with the end of a run; nil if none is. Children, and runs of some steps only, raise none.
  ///
  /// If the past runs cannot be read, a failure is an alert: nobody knows that it is the first one.
  func alert(_ plan: Plan, _ first: Event, endingIn outcome: Outcome) -> AlertDue? {
    guard let rule = plan.alert, case .runStarted(let started) = first, started.isAlertable, !outcome.isGood,
      outcome != .skipped
    else { return nil }
    guard let earlier = earlier(started) else { return AlertDue(failures: 1, after: rule.after) }
    return rule.failures(with: outcome, after: earlier.map(\.end)).map { AlertDue(failures: $0, after: rule.after) }
  }

  /// The runs before this one that count for its alert, the newest first; nil if they cannot be read.
  private func earlier(_ started: RunStarted) -> [RunSummary]? {
    try? services.history.runs(of: started.runbook, since: nil, limit: Self.depth).filter {
      $0.parent == nil && $0.only.isEmpty && !$0.goesOn && $0.target == started.target?.name
    }
  }

  /// What of severity P1 people were told of.
  func outages(_ routes: ChannelRoutes) -> PastOutages {
    PastOutages(history: services.history, state: state, routes: routes)
  }
}

extension RunSummary {
  fileprivate var end: AlertRule.Earlier { outcome.map(AlertRule.Earlier.ended) ?? .died }
}

extension RunStarted {
  /// Whether the run counts for alerts: it is no child, and no run of some steps only.
  fileprivate var isAlertable: Bool { parent == nil && only.isEmpty }
}
