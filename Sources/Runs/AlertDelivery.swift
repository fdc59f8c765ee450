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
  let history: any RunHistory
  /// How long telling may take: the run waits for it.
  private static let patience = Duration.seconds(60)
  /// How many past runs are looked at.
  private static let depth = 1000

  /// Tells of an alert, and gives what to record of it.
  ///
  /// - Parameter run: as its journal tells it so far.
  func deliver(_ alert: AlertDue, of run: RecordedRun, endingIn outcome: Outcome) async -> [Event] {
    let failures = failures(before: run.started)
    let problem = run.firstProblem
    let place = run.started.target.map { " on \($0.name)" } ?? ""
    var text: [String] = []
    if let problem {
      text.append("\(problem.title): \(problem.reason)")
    }
    text.append(
      alert.failures == 1
        ? "The run did not pass (\(outcome.rawValue))."
        : "\(alert.failures) runs in a row did not pass; the last one ended in \(outcome.rawValue).")
    let notice = OutgoingNotice(
      key: "\(run.id)-alert", level: Self.level(of: run.started.severity), status: .firing,
      title: "\(run.started.runbook) fails\(place)" + (problem.map { ": \($0.title)" } ?? ""),
      text: text.joined(separator: "\n"), look: problem?.advice,
      since: failures.last?.startedAt ?? run.events.first?.moment.wall, time: Moment.now().wall, origin: origin(run))
    return await tell(notice, along: routes.route(notice.level), taken: run.told.firing)
  }

  /// Whether the run before this one did not pass, so that somebody may have been told.
  func mayResolve(_ started: RunStarted) -> Bool { !failures(before: started).isEmpty }

  /// Tells those who were told of a failure that it is over, and gives what to record of it; nothing if nobody was told.
  func resolve(_ run: RecordedRun) async -> [Event] {
    let failures = failures(before: run.started)
    // A run that failed, told of it, and was tried again with success is over itself.
    let own = run.told.firing.sorted()
    guard let told = own.isEmpty ? told(of: failures) : (run: run.id, channels: own) else { return [] }
    let place = run.started.target.map { " on \($0.name)" } ?? ""
    let notice = OutgoingNotice(
      key: "\(run.id)-resolved", level: Self.level(of: run.started.severity), status: .resolved,
      title: "\(run.started.runbook) passes again\(place)",
      text: failures.isEmpty
        ? "The run was gone on with, and passed." : "\(failures.count) of its runs in a row did not pass before.",
      since: failures.last?.startedAt, time: Moment.now().wall, origin: origin(run))
    let channels = told.channels.compactMap { routes[$0] }
    // Each of them told somebody; one does not stand in for another.
    let route = ChannelRoutes.Route(inTurn: [], copies: channels)
    let resolved = Event.alertResolved(AlertResolved(firingRun: told.run, channels: told.channels))
    let isRecorded = run.events.contains { $0.event == resolved }
    return (isRecorded ? [] : [resolved]) + (await tell(notice, along: route, taken: run.told.resolved))
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
  private func failures(before started: RunStarted) -> [RunSummary] {
    let runs = (try? history.runs(of: started.runbook, since: nil, limit: Self.depth)) ?? []
    let earlier = runs.filter {
      $0.parent == nil && $0.only.isEmpty && !$0.goesOn && $0.target == started.target?.name && $0.outcome != .skipped
    }
    return Array(earlier.prefix { $0.outcome?.isGood != true })
  }

  /// The run among these that told of the failure, with the channels that took its notice; nil if none did.
  private func told(of failures: [RunSummary]) -> (run: String, channels: [String])? {
    for failure in failures.reversed() {
      guard let run = try? RecordedRun.read(state.run(failure.id)),
        run.events.contains(where: { if case .alertDue = $0.event { true } else { false } })
      else { continue }
      let channels = run.told.firing.sorted()
      return channels.isEmpty ? nil : (failure.id, channels)
    }
    return nil
  }
}

extension RecordedRun {
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
