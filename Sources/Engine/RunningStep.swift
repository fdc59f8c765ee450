import Journal
import Language
import Schema
import Steps

/// The state of a module's step between its start and its end.
struct RunningStep: Sendable {
  let startedAt: Duration
  /// Clear, secrets included.
  let input: Value
  private var attempt = 0
  private var phase = Phase.ready

  private enum Phase: Sendable {
    /// The next try may begin.
    case ready
    case begun
    case ended(StepResultRecorded)
    case waiting(until: Duration, last: StepResultRecorded)
  }

  init(startedAt: Duration, input: Value) {
    self.startedAt = startedAt
    self.input = input
  }

  /// The output of the last try that ended; nil where it had none.
  var lastOutput: Value? {
    switch phase {
    case .ended(let result), .waiting(_, let result): result.output == .null ? nil : result.output
    case .ready, .begun: nil
    }
  }

  mutating func began(_ intent: StepIntent) {
    attempt = intent.attempt
    phase = .begun
  }

  /// Takes a result in. One that was read from a journal holds durations and timestamps as literals: the module's
  /// declared output type brings them back.
  mutating func ended(_ result: StepResultRecorded, of step: PlannedStep) {
    var result = result
    if case .module(let module, _) = step.action {
      result.output = ValueType.record(module.output).restored(result.output)
    }
    phase = .ended(result)
  }

  mutating func waits(until time: Duration) {
    guard case .ended(let result) = phase else { return }
    phase = .waiting(until: time, last: result)
  }

  func next(
    _ step: PlannedStep, _ path: StepPath, _ scope: Scope, at now: Duration, ending: String?,
    key: (_ path: StepPath) -> String
  ) -> Action {
    switch phase {
    case .ready:
      if let ending { return finish(step, path, scope, nil, unmet: ending, now) }
      return begin(step, path, key(path))
    case .begun: return .awaitResult
    case .waiting(let time, let last):
      if let ending { return finish(step, path, scope, last, unmet: ending, now) }
      return time > now ? .wait(until: time) : begin(step, path, key(path))
    case .ended(let result):
      guard let reason = reasonToRepeat(step, result, scope) else {
        return finish(step, path, scope, result, unmet: nil, now)
      }
      guard ending == nil, let retry = step.retry, mayRepeat(step, result) else {
        return finish(step, path, scope, result, unmet: reason, now)
      }
      let delay = jittered(retry.delay(after: attempt), retry.jitter, draw(key: key(path), attempt: attempt))
      return .record(.stepWaiting(StepWaiting(path: path, attempt: attempt, delay: delay, reason: reason)))
    }
  }

  private func begin(_ step: PlannedStep, _ path: StepPath, _ key: String) -> Action {
    guard case .module(let module, _) = step.action else { return .awaitResult }
    return .begin(
      Try(
        path: path, attempt: attempt + 1, module: module, effect: step.effect, input: input, timeout: step.timeout,
        key: key))
  }

  /// Why this result calls for another try; nil where it does not.
  private func reasonToRepeat(_ step: PlannedStep, _ result: StepResultRecorded, _ scope: Scope) -> String? {
    guard result.outcome.isGood else { return result.finding?.message ?? "it ended in \(result.outcome.rawValue)" }
    guard let until = step.until else { return nil }
    switch Self.hold(until, scope, result) {
    case .success(true): return nil
    case .success(false): return "does not hold yet: \(until.source)"
    case .failure(let error): return "cannot be told yet: \(until.source): \(error.message)"
    }
  }

  private static func hold(
    _ until: Expression, _ scope: Scope, _ result: StepResultRecorded
  ) -> Result<Bool, ExpressionError> {
    var scope = scope
    scope.output = result.output
    do { return .success(try until.value(in: scope) == .bool(true)) } catch { return .failure(error) }
  }

  private func mayRepeat(_ step: PlannedStep, _ result: StepResultRecorded) -> Bool {
    guard let retry = step.retry, attempt <= retry.times else { return false }
    guard case .module(let module, _) = step.action else { return false }
    return step.effect == .observe || module.repetition == .idempotent || result.notStarted
  }

  private func jittered(_ delay: Duration, _ jitter: Double, _ draw: Double) -> Duration {
    delay * (1 - jitter * draw)
  }

  /// The step's end: its expectations are judged where the last try was good and nothing is unmet.
  private func finish(
    _ step: PlannedStep, _ path: StepPath, _ scope: Scope, _ result: StepResultRecorded?, unmet: String?,
    _ now: Duration
  ) -> Action {
    var outcome = result?.outcome ?? .skipped
    var finding = result?.finding
    var expectations: [JudgedExpectation] = []
    if let unmet, result == nil {
      finding = Finding("run.ended", unmet)
    } else if let unmet, outcome.isGood {
      outcome = .fail
      finding = Finding(
        "until.unmet", unmet, advice: "\(attempt) tries were made; look at the output of the last one.")
    } else if outcome.isGood, let result {
      var scope = scope
      scope.output = result.output
      expectations = step.expectations.map { $0.judge(in: scope) }
      outcome = Outcome.worst([outcome] + expectations.map(\.outcome))
    }
    return .record(
      .stepFinished(
        StepFinished(
          path: path, outcome: outcome, finding: finding, expectations: expectations, attempts: attempt,
          output: .null, duration: now - startedAt)))
  }
}
