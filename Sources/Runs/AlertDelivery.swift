import Journal
import Language
import Notices
import Notify
import Processes
import Schema
import Steps

/// Tells people that a runbook failed so often in a row, and that it passes again.
struct AlertDelivery: Sendable {
  let routes: ChannelRoutes
  let state: StateFolder
  /// The runs before this one that count, the newest first.
  private let earlier: [RunSummary]
  /// How long telling may take: the run waits for it.
  private static let patience = Duration.seconds(60)
  /// How many past runs are looked at.
  private static let depth = 1000

  /// - Parameter started: of the run of which it tells.
  init(routes: ChannelRoutes, state: StateFolder, history: any RunHistory, before started: RunStarted) {
    self.routes = routes
    self.state = state
    let runs = (try? history.runs(of: started.runbook, since: nil, limit: Self.depth)) ?? []
    earlier = runs.filter {
      $0.parent == nil && $0.only.isEmpty && !$0.goesOn && $0.target == started.target?.name && $0.outcome != .skipped
    }
  }

  /// Who was told that a runbook fails, in the row of failures that goes on.
  struct Standing {
    /// Id of the run that told.
    var run: String
    var channels: [String]
  }

  /// Tells of an alert, and gives what to record of it.
  ///
  /// - Parameter run: as its journal tells it so far.
  func deliver(_ alert: AlertDue, of run: RecordedRun, endingIn outcome: Outcome) async -> [Event] {
    let notice = firing(run, failures: alert.failures, endingIn: outcome, level: Self.level(of: run.started.severity))
    return await tell(notice, along: routes.route(notice.level), taken: run.told.firing)
  }

  private func firing(
    _ run: RecordedRun, failures count: Int, endingIn outcome: Outcome, level: NoticeLevel
  ) -> OutgoingNotice {
    let problem = run.firstProblem
    let place = run.started.target.map { " on \($0.name)" } ?? ""
    var text: [String] = []
    if let problem {
      text.append("\(problem.title): \(problem.reason)")
    }
    text.append(
      count == 1
        ? "The run did not pass (\(outcome.rawValue))."
        : "\(count) runs in a row did not pass; the last one ended in \(outcome.rawValue).")
    return OutgoingNotice(
      key: "\(run.id)-alert", level: level, status: .firing,
      title: "\(run.started.runbook) fails\(place)" + (problem.map { ": \($0.title)" } ?? ""),
      text: text.joined(separator: "\n"), look: problem?.advice,
      since: failures.last?.startedAt ?? run.events.first?.moment.wall, time: Moment.now().wall,
      origin: origin(run), stands: true)
  }

  /// Sends an alert that stands to the channels that would forget it, and gives what to record of that.
  func renew(_ alert: AlertDue, _ standing: Standing, of run: RecordedRun, endingIn outcome: Outcome) async -> [Event] {
    let level = level(of: standing, or: run)
    let channels = routes.channels.filter {
      $0.forgetsAlerts && (standing.channels.contains($0.name) || ($0.isCopy && $0.level <= level))
    }
    guard !channels.isEmpty else { return [] }
    let notice = firing(run, failures: alert.failures, endingIn: outcome, level: level)
    return await tell(notice, along: ChannelRoutes.Route(inTurn: [], copies: channels), taken: run.told.firing)
  }

  /// Whether the run before this one did not pass, so that somebody may have been told, or somebody is still to be told that it is over.
  var mayResolve: Bool { !failures.isEmpty || unresolved != nil }

  /// Tells those who were told of a failure that it is over, and gives what to record of it; nothing if nobody was told.
  func resolve(_ run: RecordedRun) async -> [Event] {
    // A run that failed, told of it, and was tried again with success is over itself.
    guard
      let standing = run.standingAlert ?? standing ?? unresolved
    else { return [] }
    let place = run.started.target.map { " on \($0.name)" } ?? ""
    let notice = OutgoingNotice(
      key: "\(run.id)-resolved", level: level(of: standing, or: run), status: .resolved,
      title: "\(run.started.runbook) passes again\(place)",
      text: failures.isEmpty
        ? (run.standingAlert == nil
          ? "It passed before, and you could not be told then." : "The run was resumed, and passed.")
        : "\(failures.count) of its runs in a row did not pass before.",
      since: failures.last?.startedAt, time: Moment.now().wall, origin: origin(run))
    let channels = standing.channels.compactMap { routes[$0] }
    // Each of them told somebody; one does not stand in for another.
    let route = ChannelRoutes.Route(inTurn: [], copies: channels)
    let resolved = Event.alertResolved(AlertResolved(firingRun: standing.run, channels: standing.channels))
    let isRecorded = run.events.contains { $0.event == resolved }
    return (isRecorded ? [] : [resolved]) + (await tell(notice, along: route, taken: run.told.resolved))
  }

  /// The level of the notice that told of the failure: what ends it has the same.
  private func level(of standing: Standing, or run: RecordedRun) -> NoticeLevel {
    let firing = standing.run == run.id ? run : try? RecordedRun.read(state.run(standing.run))
    return Self.level(of: (firing ?? run).started.severity)
  }

  /// Critical for P1 and for what has no severity: somebody asked to be told of it. Info for P4, warning for what is between.
  private static func level(of severity: String?) -> NoticeLevel {
    switch severity {
    case "P4": .info
    case "P2", "P3": .warning
    default: .critical
    }
  }

  private func origin(_ run: RecordedRun) -> OutgoingNotice.Provenance {
    OutgoingNotice.Provenance(
      run: run.id, runbook: run.started.runbook, target: run.started.target?.name, host: hostName(),
      project: routes.project)
  }

  private func tell(_ notice: OutgoingNotice, along route: ChannelRoutes.Route, taken: Set<String>) async -> [Event] {
    guard !route.isEmpty else {
      let finding = Finding(
        "notify.noChannel", "no channel takes notices of the level \(notice.level.rawValue): nobody was told",
        advice: "Lower the `level` of a channel in runbook.yaml.")
      return [.notifyFailed(NotifyFailed(path: nil, attempt: 1, channel: "", finding: finding, answer: nil))]
    }
    let deliveries = await Dispatcher().deliver(notice, along: route, taken: taken, by: .now + Self.patience)
    return deliveries.map { delivery in
      guard let finding = delivery.finding else {
        return .notifyDelivered(
          NotifyDelivered(
            path: nil, attempt: 1, channel: delivery.channel, receipt: delivery.receipt, answer: delivery.answer))
      }
      return .notifyFailed(
        NotifyFailed(path: nil, attempt: 1, channel: delivery.channel, finding: finding, answer: delivery.answer))
    }
  }

  /// The runs right before this one that did not pass, the newest first.
  private var failures: ArraySlice<RunSummary> { earlier.prefix { $0.outcome?.isGood != true } }

  /// Whom the latest run that passed could not tell that it is over; nil if it told everybody.
  private var unresolved: Standing? {
    guard let good = earlier.first(where: { $0.outcome?.isGood == true }),
      var left = (try? RecordedRun.read(state.run(good.id)))?.unresolvedAlert
    else { return nil }
    left.channels.removeAll { routes[$0] == nil }
    return left.channels.isEmpty ? nil : left
  }

  /// Who was told in the row of failures right before this run; nil if nobody was.
  var standing: Standing? {
    for failure in failures {
      if let run = try? RecordedRun.read(state.run(failure.id)), let standing = run.standingAlert { return standing }
    }
    return nil
  }
}

extension RecordedRun {
  /// Who was told that the runbook fails, by this run or as it found it recorded; nil if it knows of nobody.
  fileprivate var standingAlert: AlertDelivery.Standing? {
    var standing: AlertDelivery.Standing?
    for case .alertStanding(let event) in events.map(\.event) {
      standing = AlertDelivery.Standing(run: event.firingRun, channels: event.channels)
    }
    let own = told.firing.subtracting(standing?.channels ?? []).sorted()
    guard !own.isEmpty else { return standing }
    return AlertDelivery.Standing(run: standing?.run ?? id, channels: (standing?.channels ?? []) + own)
  }

  /// Whom the run was to tell that the runbook passes, and could not; nil if there is nobody.
  fileprivate var unresolvedAlert: AlertDelivery.Standing? {
    var standing: AlertDelivery.Standing?
    for case .alertResolved(let event) in events.map(\.event) {
      standing = AlertDelivery.Standing(run: event.firingRun, channels: event.channels)
    }
    standing?.channels.removeAll(where: told.resolved.contains)
    return standing
  }

  /// The channels that took the run's own notices: that it fails, and that it is over.
  fileprivate var told: (firing: Set<String>, resolved: Set<String>) {
    var told = (firing: Set<String>(), resolved: Set<String>())
    var isOver = false
    for recorded in events {
      switch recorded.event {
      case .alertDue: isOver = false
      case .alertResolved: isOver = true
      case .notifyDelivered(let delivered) where delivered.path == nil:
        if isOver { told.resolved.insert(delivered.channel) } else { told.firing.insert(delivered.channel) }
      default: continue
      }
    }
    return told
  }

  /// The first step that did not pass, in the order of their ends: what a person looks at first. Of several targets the first that did
  /// not pass.
  fileprivate var firstProblem: (title: String, reason: String, advice: String?)? {
    var titles: [StepPath: String] = [:]
    var diagnostics: Set<StepPath> = []
    for recorded in events {
      switch recorded.event {
      case .stepStarted(let step):
        titles[step.path] = step.title
        if step.diagnostic { diagnostics.insert(step.path) }
      case .stepFinished(let step) where !step.outcome.isGood && step.outcome != .skipped:
        guard !diagnostics.contains(step.path) else { continue }
        return (titles[step.path] ?? step.path.text, step.reason, step.finding?.advice)
      case .childFinished(let child) where !child.outcome.isGood && child.outcome != .skipped:
        return (child.target, "the run \(child.run) ended in \(child.outcome.rawValue)", "runbook report \(child.run)")
      default: continue
      }
    }
    return nil
  }
}

extension StepFinished {
  /// Why it did not pass, in one line.
  fileprivate var reason: String {
    if let finding { return finding.message }
    guard let broken = expectations.first(where: { $0.verdict != .holds }) else { return outcome.rawValue }
    if let error = broken.error { return "\(broken.that): \(error)" }
    let actual = broken.actual.map { "\($0.expression) is \($0.value.plainText)" }.joined(separator: ", ")
    return (broken.message ?? "expected \(broken.that)") + (actual.isEmpty ? "" : " (\(actual))")
  }
}
