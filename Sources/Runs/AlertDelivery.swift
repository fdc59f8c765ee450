import Journal
import Language
import Notices
import Notify
import Processes
import Schema
import Steps

/// Tells people that a runbook failed so often in a row, and that it passes again. What became of that is recorded at once, channel by
/// channel, so that a run that dies meanwhile tells nobody twice.
struct AlertDelivery: Sendable {
  let routes: ChannelRoutes
  let state: StateFolder
  private let outages: any ToldOutages
  /// The runs before this one that did not just do nothing, the newest first.
  private let earlier: [RunSummary]
  /// How long telling may take: the run waits for it.
  private static let patience = Duration.seconds(60)
  /// How many problems of a run a notice names.
  private static let namedProblems = 5

  /// What records an event.
  typealias Recording = (Event) async throws -> Void

  /// - Parameter earlier: the runs before the one of which it tells that count for its alert, the newest first.
  init(routes: ChannelRoutes, state: StateFolder, outages: any ToldOutages, earlier: [RunSummary]) {
    self.routes = routes
    self.state = state
    self.outages = outages
    self.earlier = earlier.filter { $0.outcome != .skipped }
  }

  /// Who was told that a runbook fails, in the row of failures that goes on.
  struct Standing {
    /// Id of the run that told.
    var run: String
    var channels: [String]
    /// The targets of a run over several that they were told of; nil if nobody knows.
    var targets: Set<String>?
  }

  /// Tells of an alert, unless it is held back: the next run that fails tells then.
  ///
  /// - Parameters:
  ///   - run: as its journal tells it so far.
  ///   - taken: channels that know of it, besides those that the run itself told.
  ///   - isRepetition: whether the run may have told before, in a process that died.
  func deliver(
    _ alert: AlertDue, of run: RecordedRun, endingIn outcome: Outcome, taken: [String], isRepetition: Bool,
    record: Recording
  ) async throws {
    let notice = firing(run, failures: alert.failures, endingIn: outcome, level: Self.level(of: run.started.severity))
    let taken = run.told.firing.union(taken)
    let (route, suppressed) = routes.suppressing(
      notice, along: routes.route(notice.level), taken: taken, outage: outage(holdingBack: notice, of: run))
    var failure: (any Error)?
    for held in suppressed {
      let event = Event.notifySuppressed(
        NotifySuppressed(path: nil, attempt: 1, channels: held.channels, finding: held.finding))
      guard !run.events.contains(where: { $0.event == event }) else { continue }
      // Whether it can be recorded or not, the others are told.
      do { try await record(event) } catch { failure = failure ?? error }
    }
    if suppressed.isEmpty || !route.isEmpty {
      try await tell(notice, along: route, taken: taken, isRepetition: isRepetition, limitsIn: state, record: record)
    }
    if let failure { throw failure }
  }

  /// Whether a target failed of which the alert that stands did not tell.
  func hasNewTarget(_ standing: Standing, _ run: RecordedRun) -> Bool {
    standing.targets.map { !Set(run.failedTargets.map(\.target)).isSubset(of: $0) } ?? false
  }

  /// What of severity P1 fails on each target on which this run failed, if the runbook is less severe and the notice not critical.
  private func outage(holdingBack notice: OutgoingNotice, of run: RecordedRun) -> String? {
    guard let severity = run.started.severity, severity != "P1", notice.level < .critical else { return nil }
    let targets = run.started.target.map { [$0.name] } ?? run.failedTargets.map(\.target)
    let found = targets.compactMap { target in
      outages.outage(on: target, besides: run.started.runbook).map { "\($0) fails on \(target)" }
    }
    return targets.isEmpty || found.count < targets.count ? nil : found.joined(separator: ", ")
  }

  private func firing(
    _ run: RecordedRun, failures count: Int, endingIn outcome: Outcome, level: NoticeLevel
  ) -> OutgoingNotice {
    let problems = run.problems
    let problem = problems.first
    var text = problems.prefix(Self.namedProblems).map { "\($0.title): \($0.reason)" }
    if problems.count > text.count { text.append("and \(problems.count - text.count) more") }
    text.append(
      count == 1
        ? "The run did not pass (\(outcome.rawValue))."
        : "\(count) runs in a row did not pass; the last one ended in \(outcome.rawValue).")
    return OutgoingNotice(
      key: "\(run.id)-alert", level: level, status: .firing,
      title: "\(run.started.runbook) fails\(run.place)"
        + (run.isOverTargets ? "" : problem.map { ": \($0.title)" } ?? ""),
      text: text.joined(separator: "\n"), look: problem?.advice,
      since: failures.last?.startedAt ?? run.events.first?.moment.wall, time: Moment.now().wall,
      origin: origin(run), stands: true)
  }

  /// Sends an alert that stands to the channels that would forget it.
  ///
  /// - Parameter level: of the notice that told of it.
  func renew(
    _ alert: AlertDue, _ standing: Standing, _ level: NoticeLevel, of run: RecordedRun, endingIn outcome: Outcome,
    record: Recording
  ) async throws {
    var channels = routes.channels.filter {
      $0.forgetsAlerts && (standing.channels.contains($0.name) || ($0.isCopy && $0.level <= level))
    }
    guard !channels.isEmpty else { return }
    let notice = firing(run, failures: alert.failures, endingIn: outcome, level: level)
    channels.removeAll { channel in
      !standing.channels.contains(channel.name) && routes.silences.contains { $0.holdsBack(notice, from: channel.name) }
    }
    guard !channels.isEmpty else { return }
    try await tell(
      notice, along: ChannelRoutes.Route(inTurn: [], copies: channels), taken: run.told.firing, record: record)
  }

  /// Whether the run before this one did not pass, so that somebody may have been told, or somebody is still to be told that it is over.
  var mayResolve: Bool { !failures.isEmpty || unresolved != nil }

  /// Tells those who were told of a failure that it is over; nobody if nobody was told.
  func resolve(_ run: RecordedRun, record: Recording) async throws {
    // A run that failed, told of it, and was tried again with success is over itself.
    guard let standing = run.standingAlert ?? standing ?? unresolved else { return }
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
    if !isRecorded { try await record(resolved) }
    try await tell(notice, along: route, taken: run.told.resolved, isRepetition: isRecorded, record: record)
  }

  /// The level of the notice that told of the failure: what ends it has the same.
  func level(of standing: Standing, or run: RecordedRun) -> NoticeLevel {
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

  /// - Parameter counting: the state in which notices count for the limits of the channels; nil if limits do not matter.
  private func tell(
    _ notice: OutgoingNotice, along route: ChannelRoutes.Route, taken: Set<String>, isRepetition: Bool = false,
    limitsIn counting: StateFolder? = nil, record: Recording
  ) async throws {
    guard !route.isEmpty else {
      let finding = Finding(
        "notify.noChannel", "no channel takes notices of the level \(notice.level.rawValue): nobody was told",
        advice: "Lower the `level` of a channel in runbook.yaml.")
      try await record(.notifyFailed(NotifyFailed(path: nil, attempt: 1, channel: "", finding: finding, answer: nil)))
      return
    }
    var failure: (any Error)?
    _ = await Dispatcher(state: counting).deliver(
      notice, along: route, taken: taken, isRepetition: isRepetition, by: .now + Self.patience
    ) { delivery in
      let answer = ChannelAnswer(
        channel: delivery.channel, receipt: delivery.receipt, answer: delivery.answer, finding: delivery.finding,
        isSuppressed: delivery.isSuppressed)
      // Whether it can be recorded or not, the others are told.
      do { try await record(answer.event(of: nil)) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
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
  var standingAlert: AlertDelivery.Standing? {
    var standing: AlertDelivery.Standing?
    for case .alertStanding(let event) in events.map(\.event) {
      standing = AlertDelivery.Standing(
        run: event.firingRun, channels: event.channels, targets: event.targets.map(Set.init))
    }
    let told = told.firing
    guard !told.isEmpty else { return standing }
    let own = Set(failedTargets.map(\.target))
    return AlertDelivery.Standing(
      run: standing?.run ?? id,
      channels: (standing?.channels ?? []) + told.subtracting(standing?.channels ?? []).sorted(),
      targets: standing.map { $0.targets?.union(own) } ?? own)
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

  /// Whether it is one over several targets.
  fileprivate var isOverTargets: Bool { !failedTargets.isEmpty }

  /// The targets that did not pass, in the order in which they were begun, and the last word on each; empty for a run on one target.
  var failedTargets: [ChildFinished] {
    var order: [String] = []
    var children: [String: ChildFinished] = [:]
    for recorded in events {
      switch recorded.event {
      case .childStarted(let child): if !order.contains(child.target) { order.append(child.target) }
      case .childFinished(let child): children[child.target] = child
      default: continue
      }
    }
    return order.compactMap { children[$0] }.filter { !$0.outcome.isGood && $0.outcome != .skipped }
  }

  /// The targets on which it failed, as a title names them: ` on eu`, ` on eu, us and 3 more targets`; empty if it has no target.
  fileprivate var place: String {
    if let target = started.target { return " on \(target.name)" }
    let names = failedTargets.map(\.target)
    guard names.count > 4 else { return names.isEmpty ? "" : " on \(names.joined(separator: ", "))" }
    return " on \(names.prefix(3).joined(separator: ", ")) and \(names.count - 3) more targets"
  }

  /// What did not pass, in the order of the ends: the first is what a person looks at first. Of several targets each that did not pass.
  fileprivate var problems: [(title: String, reason: String, advice: String?)] {
    let targets = failedTargets
    guard targets.isEmpty else {
      return targets.map { child in
        let step = child.steps.first { !$0.outcome.isGood && $0.outcome != .skipped }
        let found =
          step.map { "\($0.title): \(reason($0.finding, $0.expectation, $0.outcome))" }
          ?? "the run ended in \(child.outcome.rawValue)"
        return (child.target, found, "runbook report \(child.run)")
      }
    }
    var titles: [StepPath: String] = [:]
    var diagnostics: Set<StepPath> = []
    var ends: [StepPath: StepFinished] = [:]
    var order: [StepPath] = []
    for recorded in events {
      switch recorded.event {
      case .stepStarted(let step):
        titles[step.path] = step.title
        if step.diagnostic { diagnostics.insert(step.path) }
      case .stepFinished(let step):
        // What was done anew counts as it ended last.
        if ends.updateValue(step, forKey: step.path) == nil { order.append(step.path) }
      default: continue
      }
    }
    // A check that fails by a step inside it says nothing that the step does not say.
    let bad = order.compactMap { ends[$0] }.filter {
      !$0.outcome.isGood && $0.outcome != .skipped && !diagnostics.contains($0.path)
    }
    let owners = Set(bad.compactMap { $0.path.owner })
    return bad.filter {
      $0.finding != nil || !$0.expectations.allSatisfy { $0.verdict == .holds } || !owners.contains($0.path)
    }
    .map {
      let broken = $0.expectations.first { $0.verdict != .holds }
      return (titles[$0.path] ?? $0.path.text, reason($0.finding, broken, $0.outcome), $0.finding?.advice)
    }
  }
}

/// Why a step did not pass, in one line.
private func reason(_ finding: Finding?, _ broken: JudgedExpectation?, _ outcome: Outcome) -> String {
  if let finding { return finding.message }
  guard let broken else { return outcome.rawValue }
  if let error = broken.error { return "\(broken.that): \(error)" }
  let actual = broken.actual.map { "\($0.expression) is \($0.value.plainText)" }.joined(separator: ", ")
  return (broken.message ?? "expected \(broken.that)") + (actual.isEmpty ? "" : " (\(actual))")
}
