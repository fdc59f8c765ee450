import Journal
import Language
import Schema

/// Where a run stands among its stages, what the stages came to, and what cut them.
struct StageWalk: Sendable {
  /// How long each of the stages behind the steps may take: undo, the hypothesis again, finally.
  static let timeBox = Duration.seconds(300)

  private let plan: Plan
  private(set) var stage = Stage.before
  private(set) var hasEnded = false
  /// Why nothing more of the stage begins.
  private(set) var cut: String?
  /// True once a second signal came.
  private(set) var isKilled = false
  /// In ``Stage/undo``, as long as modules are asked how tries ended.
  var isReconciling = false
  /// True once something happened after which the steps are taken back, if the runbook wants that.
  private(set) var rollsBack = false
  /// The worst outcome of the stages that ended, and what befell the run itself.
  private(set) var outcome = Outcome.skipped
  private var begunAt = Duration.zero
  /// For how long nothing went on, since the process had died.
  private var paused = Duration.zero
  private var ending: Ending?
  private var timedOut: RunTimedOut?
  /// Why the steps did not come to their end.
  private var stopReason: String?
  /// What expressions may use that see no step of the runbook.
  private var base: Scope
  /// What they may use after the steps.
  private var final: Scope

  /// What asked the run to end.
  private enum Ending: Sendable {
    case signal(Int)
    case timeout

    var reason: String {
      switch self {
      case .signal(let number): "the run was ended by signal \(number)"
      case .timeout: "the run's timeout had passed"
      }
    }
  }

  init(_ plan: Plan, scope: Scope) {
    self.plan = plan
    base = scope
    final = scope
  }

  mutating func setStart(_ moment: Timestamp?) {
    base.runStartedAt = moment
    final.runStartedAt = moment
  }

  /// Takes in that nothing went on for a while: neither the run's timeout nor the stage's time box counts that.
  mutating func goOn(after pause: Duration) {
    paused += pause
    begunAt += pause
  }

  // MARK: What cuts a stage

  /// When the stage is cut, and the event that says so; nil if nothing limits it any more.
  var limit: (at: Duration, event: RunTimedOut)? {
    guard cut == nil, !hasEnded else { return nil }
    if stage.hasTimeBox { return (begunAt + Self.timeBox, RunTimedOut(timeout: Self.timeBox, stage: stage)) }
    return plan.timeout.map { ($0 + paused, RunTimedOut(timeout: $0)) }
  }

  /// The first signal cuts what it finds going on, but neither undo nor finally: they are what comes after a signal. The
  /// second cuts everything.
  mutating func take(_ event: RunSignalled) {
    if case .signal = ending {
      isKilled = true
      cut = "a second signal ended the run"
      return
    }
    ending = .signal(event.signal)
    if stage != .undo, stage != .finally { cut = cut ?? ending?.reason }
  }

  /// Counts if it is about the stage that goes on.
  mutating func take(_ event: RunTimedOut) {
    guard cut == nil, !hasEnded, event.stage == (stage.hasTimeBox ? stage : nil) else { return }
    timedOut = timedOut ?? event
    outcome = Outcome.worst([outcome, .error])
    if event.stage == nil {
      ending = ending ?? .timeout
      cut = ending?.reason
    } else {
      cut = "the \(stage.title) did not end within \(durationLiteral(event.timeout))"
    }
  }

  // MARK: From stage to stage

  /// Takes in that the steps of the stage have ended, and gives those of the next; nil after the last.
  ///
  /// - Parameter rollback: how far it has come.
  mutating func end(_ group: StepGroup, _ rollback: Rollback, at now: Duration) -> StepGroup? {
    if stage.counts { outcome = Outcome.worst([outcome, group.outcome]) }
    switch stage {
    case .before: base.hypothesisBefore = group.outcome
    case .steps:
      stopReason = group.stopReason
      final = group.scope
    case .after:
      final.hypothesisAfter = group.outcome
      let isUnverified = group.outcome != .skipped && !group.outcome.isGood
      rollsBack = plan.rollback == .onFailure && (stopReason != nil || isUnverified || ending != nil)
    case .undo: if rollsBack, !rollback.remaining.isEmpty { outcome = Outcome.worst([outcome, .error]) }
    case .again: break
    case .finally: hasEnded = true
    }
    guard let next = stage.next else { return nil }
    let steps =
      switch next {
      // Only the rollback knows them.
      case .undo: [PlannedStep]()
      case .again: rollsBack && !rollback.isEmpty ? plan.steps(of: .again) : []
      case .before, .steps, .after, .finally: plan.steps(of: next)
      }
    (stage, begunAt) = (next, now)
    if !isKilled { cut = stage.hasTimeBox ? nil : ending?.reason }
    return StepGroup(
      .sequence(steps), scope: scope(of: stage), earlier: stage.counts ? outcome : .skipped,
      stopped: stage == .after ? stopReason : nil, at: now)
  }

  /// What expressions of a stage may use.
  func scope(of stage: Stage) -> Scope {
    guard stage != .before, stage != .steps else { return base }
    var scope = stage.isGate ? base : final
    scope.outcome = outcome
    return scope
  }

  // MARK: The end

  /// What befell the run itself; nil if its steps say how it ended.
  var finding: Finding? {
    guard let timedOut else { return nil }
    let timeout = durationLiteral(timedOut.timeout)
    guard let stage = timedOut.stage else {
      return Finding(
        "run.timeout", "the run did not end within its timeout of \(timeout)",
        advice: "Look at the step that took longest, or raise the runbook's timeout.")
    }
    return Finding(
      "run.timeBox", "the \(stage.title) did not end within \(timeout)",
      advice: "Look at its step that took longest: what came after it in \(stage.rawValue) was not done.")
  }
}

extension Stage {
  /// Whether it has a time box of its own: the timeout of the run ends before it.
  fileprivate var hasTimeBox: Bool { self == .undo || self == .again || self == .finally }

  /// As people call it.
  fileprivate var title: String {
    switch self {
    case .before: "hypothesis before the steps"
    case .steps: "steps"
    case .after: "hypothesis after the steps"
    case .undo: "undo"
    case .again: "hypothesis after the undo"
    case .finally: "steps of finally"
    }
  }

  /// The one that comes after; nil after the last.
  fileprivate var next: Stage? { Self.allCases.drop { $0 != self }.dropFirst().first }
}
