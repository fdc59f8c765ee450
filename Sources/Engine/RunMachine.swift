package import Journal
package import Language
package import Schema

/// Scheduling as a pure function: the plan and the events so far determine what is due.
///
/// `run`, `resume`, `plan` and rehearsal drive the same machine; resuming is replaying a journal into a new one. It
/// does no I/O and reads no clock: times come with the calls, counted from the run's start.
package struct RunMachine: Sendable {
  private var root: SequenceState
  private var ending: Ending?
  private var isFinished = false
  /// The modules and checks of the plan whose types no event has declared yet, by what `use` names.
  private var undeclared: [String: TypesDeclared] = [:]
  /// Of the whole run.
  let timeout: Duration?

  private enum Ending: Sendable {
    case signal(Int)
    case timeout(Duration)
  }

  /// - Parameter run: the run's id, from which idempotency keys are made.
  package init(plan: Plan, run: String) {
    var scope = Scope()
    scope.params = .members(plan.params)
    scope.target = plan.target
    scope.secrets = plan.secrets
    scope.runID = run
    timeout = plan.timeout
    root = SequenceState(
      steps: plan.steps, prefix: "", scope: scope, key: { path in idempotencyKey(run: run, path: path) })
    declare(plan.steps)
  }

  private mutating func declare(_ steps: [PlannedStep]) {
    for step in steps where undeclared[step.use] == nil {
      undeclared[step.use] = step.types
      if case .check(let check) = step.action { declare(check.steps) }
    }
  }

  /// Takes an event into account that the journal holds.
  ///
  /// - Parameters:
  ///   - wall: when the event was recorded; the run's start is taken from `run.started`.
  ///   - now: the event's time since the run's start.
  package mutating func apply(_ event: Event, wall: Timestamp?, at now: Duration) {
    switch event {
    case .runStarted: root.scope.runStartedAt = wall
    case .stepStarted(let event): route(.stepStarted(event), event.path, now)
    case .stepIntent(let event): route(.stepIntent(event), event.path, now)
    case .stepResult(let event): route(.stepResult(event), event.path, now)
    case .stepWaiting(let event): route(.stepWaiting(event), event.path, now)
    case .stepFinished(let event): route(.stepFinished(event), event.path, now)
    case .stepSkipped(let event): route(.stepSkipped(event), event.path, now)
    case .runSignalled(let event): ending = ending ?? .signal(event.signal)
    case .runTimedOut(let event): ending = ending ?? .timeout(event.timeout)
    case .typesDeclared(let event): undeclared[event.use] = nil
    case .runFinished: isFinished = true
    default: break
    }
  }

  private mutating func route(_ event: Event, _ path: StepPath, _ now: Duration) {
    root.apply(event, path: path.text[...], at: now)
  }

  /// What is due; nil once `run.finished` has been applied.
  package func next(at now: Duration) -> Action? {
    guard !isFinished else { return nil }
    if let action = root.next(at: now, ending: reasonOfEnding) {
      if case .record(.stepStarted(let step)) = action, let types = undeclared[step.use] {
        return .record(.typesDeclared(types))
      }
      return action
    }
    switch ending {
    case nil, .signal: return .finish(root.outcome, nil)
    case .timeout(let timeout):
      return .finish(
        Outcome.worst([root.outcome, .error]),
        Finding(
          "run.timeout", "the run did not end within its timeout of \(durationLiteral(timeout))",
          advice: "Look at the step that took longest, or raise the runbook's timeout."))
    }
  }

  private var reasonOfEnding: String? {
    switch ending {
    case nil: nil
    case .signal(let number): "the run was ended by signal \(number)"
    case .timeout: "the run's timeout had passed"
    }
  }

  /// True once a signal or the run's timeout asked the run to end.
  package var isEnding: Bool { ending != nil }
}
