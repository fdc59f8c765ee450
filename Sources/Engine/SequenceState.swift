import Journal
import Language
import Schema
import Steps

/// The state of steps that run one after the other: those of a runbook, or those of a check.
struct SequenceState: Sendable {
  let steps: [PlannedStep]
  /// The paths of its steps begin with this: empty, or `relays/`.
  let prefix: String
  /// What the next step's expressions may use.
  var scope: Scope
  /// The worst outcome that counts so far.
  private(set) var outcome = Outcome.skipped
  /// The first step that has not ended.
  private var cursor = 0
  private var current = StepState.pending
  /// Why no further step begins.
  private var stopReason: String?
  private let key: @Sendable (_ path: StepPath) -> String

  init(steps: [PlannedStep], prefix: String, scope: Scope, key: @escaping @Sendable (_ path: StepPath) -> String) {
    self.steps = steps
    self.prefix = prefix
    self.scope = scope
    self.key = key
  }

  var hasEnded: Bool { cursor == steps.count }

  /// What is due, or nil where every step has ended.
  ///
  /// - Parameters:
  ///   - now: since the run's start.
  ///   - ending: why the run ends early; running tries are cancelled by the driver, and nothing else begins.
  func next(at now: Duration, ending: String?) -> Action? {
    guard !hasEnded else { return nil }
    let step = steps[cursor]
    let path = StepPath(prefix + step.id)
    switch current {
    case .pending: return begin(step, path, ending)
    case .broken(let error, let startedAt):
      let finding = Finding(
        "expression.noValue", error.message,
        advice: "Guard the value with `steps.ID.outcome == 'pass'`, or give the missing one.")
      return finish(step, path, .error, finding, attempts: 0, since: startedAt, now)
    case .running(let running): return running.next(step, path, scope, at: now, ending: ending, key: key)
    case .inside(let inner, let startedAt):
      return inner.next(at: now, ending: ending) ?? conclude(step, path, inner, since: startedAt, now)
    }
  }

  private func begin(_ step: PlannedStep, _ path: StepPath, _ ending: String?) -> Action {
    if let reason = ending ?? stopReason { return skip(step, path, reason) }
    var input = Value.null
    switch step.prepare(in: scope) {
    case .skip(let reason): return skip(step, path, reason)
    case .run(let value): input = value
    case .broken: break
    }
    return .record(
      .stepStarted(
        StepStarted(
          path: path, title: step.title, use: step.use, effect: step.effect, input: input,
          diagnostic: step.isDiagnostic)))
  }

  private func skip(_ step: PlannedStep, _ path: StepPath, _ reason: String) -> Action {
    .record(
      .stepSkipped(
        StepSkipped(path: path, title: step.title, use: step.use, effect: step.effect, reason: reason)))
  }

  private func finish(
    _ step: PlannedStep, _ path: StepPath, _ outcome: Outcome, _ finding: Finding?, attempts: Int,
    expectations: [JudgedExpectation] = [], output: Value = .null, since startedAt: Duration, _ now: Duration
  ) -> Action {
    .record(
      .stepFinished(
        StepFinished(
          path: path, outcome: outcome, finding: finding, expectations: expectations, attempts: attempts,
          output: output, duration: now - startedAt)))
  }

  /// A check whose steps have ended: its outputs, and the caller's expectations of them.
  private func conclude(
    _ step: PlannedStep, _ path: StepPath, _ inner: SequenceState, since startedAt: Duration, _ now: Duration
  ) -> Action {
    guard case .check(let check) = step.action else { return skip(step, path, "it is no check") }
    var outcome = inner.outcome
    var finding: Finding?
    var members: [Value.Member] = []
    for output in check.outputs {
      do {
        let value = try output.declaration.type.admit(try output.value.value(in: inner.scope))
        members.append(Value.Member(output.declaration.name, value))
      } catch {
        // What a failed check could not learn is no further error.
        guard outcome.isGood else { continue }
        finding = Finding(
          "check.outputMissing", "output \(output.declaration.name) has no value: \(message(of: error))")
        outcome = .error
      }
    }
    var expectations: [JudgedExpectation] = []
    if outcome.isGood {
      var scope = scope
      scope.output = .members(members)
      expectations = step.expectations.map { $0.judge(in: scope) }
      outcome = Outcome.worst([outcome] + expectations.map(\.outcome))
    }
    return finish(
      step, path, outcome, finding, attempts: 0, expectations: expectations, output: .members(members),
      since: startedAt, now)
  }

  private func message(of error: any Error) -> String {
    switch error {
    case let error as ExpressionError: error.message
    case let error as Mismatch: error.message
    default: "\(error)"
    }
  }

  /// Takes an event of one of its steps into account; events of other steps are none of its business.
  mutating func apply(_ event: Event, path: Substring, at now: Duration) {
    guard !hasEnded else { return }
    let step = steps[cursor]
    let parts = path.split(separator: "/", maxSplits: 1)
    guard let first = parts.first, first == step.id else { return }
    if parts.count == 2 {
      guard case .inside(var inner, let startedAt) = current else { return }
      // The only reference to the inner state is the local one while it changes, so nothing is copied.
      current = .pending
      inner.apply(event, path: parts[1], at: now)
      current = .inside(inner, since: startedAt)
      return
    }
    switch event {
    case .stepStarted: start(step, at: now)
    case .stepIntent(let intent): current.update { $0.began(intent) }
    case .stepResult(let result): current.update { $0.ended(result, of: step) }
    case .stepWaiting(let waiting): current.update { $0.waits(until: now + waiting.delay) }
    case .stepFinished(let finished): end(step, finished)
    case .stepSkipped: ended(step, .skipped, output: nil, attempts: 0)
    default: break
    }
  }

  private mutating func start(_ step: PlannedStep, at now: Duration) {
    switch step.prepare(in: scope) {
    case .broken(let error): current = .broken(error, since: now)
    // A step that was started had its condition hold; a scope in which it does not is not that run's.
    case .skip(let reason): current = .broken(ExpressionError(message: reason, range: step.range), since: now)
    case .run(let input):
      switch step.action {
      case .module: current = .running(RunningStep(startedAt: now, input: input))
      case .check(let check):
        var inside = Scope()
        inside.inputs = input
        let inner = SequenceState(steps: check.steps, prefix: "\(prefix)\(step.id)/", scope: inside, key: key)
        current = .inside(inner, since: now)
      }
    }
  }

  private mutating func end(_ step: PlannedStep, _ finished: StepFinished) {
    var output: Value?
    switch current {
    case .running(let running): output = running.lastOutput
    case .inside(_, _):
      if case .check(let check) = step.action { output = check.outputType.restored(finished.output) }
    case .pending, .broken: break
    }
    ended(step, finished.outcome, output: output, attempts: finished.attempts)
    let mayStop = step.onFailure == .stop && !step.isDiagnostic && step.effect != .notify
    if mayStop, finished.outcome != .skipped, !finished.outcome.isGood, stopReason == nil {
      stopReason = "\(prefix)\(step.id) ended in \(finished.outcome.rawValue)"
    }
  }

  private mutating func ended(_ step: PlannedStep, _ outcome: Outcome, output: Value?, attempts: Int) {
    if !step.isDiagnostic { self.outcome = Outcome.worst([self.outcome, outcome]) }
    scope.steps[step.id] = Scope.EndedStep(outcome: outcome, output: output, attempts: attempts)
    scope.outcome = self.outcome
    cursor += 1
    current = .pending
  }
}

/// The state of the step at the cursor.
private enum StepState: Sendable {
  case pending
  case broken(ExpressionError, since: Duration)
  case running(RunningStep)
  indirect case inside(SequenceState, since: Duration)

  mutating func update(_ body: (inout RunningStep) -> Void) {
    guard case .running(var running) = self else { return }
    body(&running)
    self = .running(running)
  }
}
