package import Journal
package import Language
package import Schema

/// Scheduling as a pure function: the plan and the events so far determine what is due.
///
/// `run`, `resume`, `plan` and rehearsal drive the same machine; resuming is replaying a journal into a new one. It
/// does no I/O and reads no clock: times come with the calls, counted from the run's start.
///
/// It holds the steps whose turn has come and that have not ended, and an agenda of those of which something is due. An
/// event costs what it changes, and ``next(at:)`` looks at the first entry, however many steps sleep.
package struct RunMachine: Sendable {
  private let plan: Plan
  private let run: String
  private var stage = Stage.before
  /// The steps of the stage.
  private var root: StepGroup
  private var open: [StepPath: OpenStep] = [:]
  private var agenda = Agenda<StepPath>()
  private var ending: Ending?
  /// The modules and checks of the plan whose types no event has declared yet, by what `use` names.
  private var undeclared: [String: TypesDeclared] = [:]
  /// How many entries of the agenda were looked at so far: what scheduling costs.
  private(set) var visits = 0

  private enum Ending: Sendable {
    case signal(Int)
    case timeout(Duration)
  }

  /// - Parameter run: the run's id, from which idempotency keys are made.
  package init(plan: Plan, run: String) {
    self.plan = plan
    self.run = run
    var scope = Scope()
    scope.params = .members(plan.params)
    scope.target = plan.target
    scope.secrets = plan.secrets
    scope.runID = run
    root = StepGroup(plan.steps(of: stage), scope: scope)
    declare(plan.steps)
    beginSteps(of: nil, at: .zero)
  }

  private mutating func declare(_ steps: [PlannedStep]) {
    for step in steps where undeclared[step.use] == nil {
      undeclared[step.use] = step.types
      declare(step.body.steps)
    }
  }

  /// Of the whole run.
  var timeout: Duration? { plan.timeout }

  /// True once a signal or the run's timeout asked the run to end.
  package var isEnding: Bool { ending != nil }

  // MARK: What happened

  /// Takes an event into account that the journal holds. What cannot happen now changes nothing: an event of a step whose turn
  /// has not come or that has ended, or one that was there before.
  ///
  /// - Parameters:
  ///   - wall: when the event was recorded; the run's start is taken from `run.started`.
  ///   - now: the event's time since the run's start.
  package mutating func apply(_ event: Event, wall: Timestamp?, at now: Duration) {
    switch event {
    case .runStarted: root.scope.runStartedAt = wall
    case .stepStarted(let event): start(event, at: now)
    case .stepIntent(let event): change(event.path, due: nil) { $0.begin(event) }
    case .stepResult(let event): change(event.path, due: now) { $0.end(event) }
    case .stepWaiting(let event): change(event.path, due: now + event.delay) { $0.wait(event) }
    case .stepFinished(let event) where open[event.path]?.canFinish == true:
      end(event.path, event.outcome, output: event.output, attempts: event.attempts, at: now)
    case .stepSkipped(let event) where open[event.path]?.hasBegun == false:
      end(event.path, .skipped, output: .null, attempts: 0, at: now)
    case .runSignalled(let event): ending = ending ?? .signal(event.signal)
    case .runTimedOut(let event): ending = ending ?? .timeout(event.timeout)
    case .typesDeclared(let event): undeclared[event.use] = nil
    default: break
    }
  }

  private mutating func start(_ event: StepStarted, at now: Duration) {
    guard var step = open[event.path], !step.hasBegun else { return }
    step.start(event, in: group(step.owner).scope, at: now)
    open[event.path] = step
    if step.group == nil {
      schedule(event.path, at: now)
    } else {
      schedule(event.path, at: nil)
      beginSteps(of: event.path, at: now)
    }
  }

  private mutating func change(_ path: StepPath, due: Duration?, _ change: (inout CallState) -> Bool) {
    if open[path]?.changeCall(change) == true { schedule(path, at: due) }
  }

  private mutating func end(
    _ path: StepPath, _ outcome: Outcome, output: Value, attempts: Int, at now: Duration
  ) {
    guard let (step, owner, output, branches) = close(path, output) else { return }
    let result = Scope.EndedStep(outcome: outcome, output: output, attempts: attempts)
    changeGroup(owner) { $0.end(step, path, result, branches: branches) }
    beginSteps(of: owner, at: now)
  }

  /// Takes a step out with all that it holds: a scope that somebody else holds would be copied when it changes.
  private mutating func close(
    _ path: StepPath, _ output: Value
  ) -> (PlannedStep, owner: StepPath?, output: Value?, branches: [String: Scope.EndedStep])? {
    guard let step = open.removeValue(forKey: path) else { return nil }
    return (step.step, step.owner, step.output(recorded: output), step.group?.branches ?? [:])
  }

  /// Gives their turn to the steps of a group that it now has room for; a group whose steps have ended is due itself.
  private mutating func beginSteps(of owner: StepPath?, at now: Duration) {
    var next: ArraySlice<PlannedStep> = []
    changeGroup(owner) { next = $0.begin() }
    for step in next {
      let path = owner?.appending(StepPath.Part(step.id)) ?? StepPath(step.id, in: stage)
      open[path] = OpenStep(step, at: path, in: owner)
      schedule(path, at: now)
    }
    guard group(owner).hasEnded else { return }
    if let owner { schedule(owner, at: now) } else { beginNextStage(at: now) }
  }

  private mutating func beginNextStage(at now: Duration) {
    guard let next = stage.next else { return }
    stage = next
    let (scope, outcome) = (root.scope, root.outcome)
    root = StepGroup(plan.steps(of: stage), scope: scope, outcome: outcome)
    beginSteps(of: nil, at: now)
  }

  /// - Parameter time: when something of the step is due; nil where it waits for something to happen.
  private mutating func schedule(_ path: StepPath, at time: Duration?) {
    let entry = time.map { agenda.add(path, due: $0) }
    open[path]?.entry = entry
  }

  private func group(_ owner: StepPath?) -> StepGroup { owner.flatMap { open[$0]?.group } ?? root }

  private mutating func changeGroup(_ owner: StepPath?, _ change: (inout StepGroup) -> Void) {
    if let owner { open[owner]?.changeGroup(change) } else { change(&root) }
  }

  // MARK: What is due

  /// What is due. Asking changes nothing but what is remembered, so that nothing is evaluated or looked at twice.
  package mutating func next(at now: Duration) -> Action {
    while let entry = agenda.first {
      visits += 1
      guard let step = open[entry.item], step.entry == entry.number else {
        agenda.removeFirst()
        continue
      }
      guard entry.due <= now || isEnding else { return .wait(until: entry.due) }
      return action(of: step, at: now)
    }
    return open.isEmpty ? finish : .wait(until: nil)
  }

  private mutating func action(of step: OpenStep, at now: Duration) -> Action {
    var step = step
    let group = group(step.owner)
    let action = step.next(
      in: group.scope, stopped: group.stopReason, ending: reasonOfEnding, of: run, at: now)
    open[step.path] = step
    if case .record(.stepStarted(let step)) = action, let types = undeclared[step.use] {
      return .record(.typesDeclared(types))
    }
    return action
  }

  private var reasonOfEnding: String? {
    switch ending {
    case nil: nil
    case .signal(let number): "the run was ended by signal \(number)"
    case .timeout: "the run's timeout had passed"
    }
  }

  private var finish: Action {
    switch ending {
    case nil, .signal: .finish(root.outcome, nil)
    case .timeout(let timeout):
      .finish(
        Outcome.worst([root.outcome, .error]),
        Finding(
          "run.timeout", "the run did not end within its timeout of \(durationLiteral(timeout))",
          advice: "Look at the step that took longest, or raise the runbook's timeout."))
    }
  }
}

extension Stage {
  /// The one that comes after; nil after the last.
  fileprivate var next: Stage? { Self.allCases.drop { $0 != self }.dropFirst().first }
}
