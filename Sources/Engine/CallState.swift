import Journal
import Language
import Schema
import Steps

/// The state of a step that calls a module, between its start and its end.
struct CallState: Sendable {
  let call: ModuleCall
  /// Clear, secrets included.
  let input: Value
  let startedAt: Duration
  private var attempt = 0
  private var phase = Phase.ready

  private enum Phase: Sendable {
    /// The first try may begin.
    case ready
    /// - after: the result of the try before; nil for the first.
    case begun(after: StepResultRecorded?)
    /// The process died while the try went on.
    case interrupted(after: StepResultRecorded?, Interruption)
    case ended(StepResultRecorded)
    /// The next try may begin at its time, which the agenda has.
    case waiting(last: StepResultRecorded)
  }

  /// What is known of a try that was interrupted.
  private enum Interruption: Sendable {
    /// Doing it twice is as good as doing it once: it is begun again.
    case repeatable
    /// The module is to be asked how it ended.
    case unasked
    /// The module cannot tell; a person has to.
    case unknown(String?)
    /// It is known how it ended, and the journal does not have it yet.
    case concluded(StepResultRecorded)
  }

  init(_ call: ModuleCall, input: Value, startedAt: Duration) {
    self.call = call
    self.input = input
    self.startedAt = startedAt
  }

  /// Whether a try has begun whose result is not recorded.
  var isTrying: Bool {
    switch phase {
    case .begun, .interrupted: true
    case .ready, .ended, .waiting: false
    }
  }

  /// The output of the last try that ended; nil if it had none.
  var lastOutput: Value? {
    switch phase {
    case .ended(let result), .waiting(let result): result.output == .null ? nil : result.output
    case .ready, .begun, .interrupted: nil
    }
  }

  /// Takes in that the next try begins. False, and nothing changes, if that is not what can happen now: so do the others.
  mutating func begin(_ intent: StepIntent) -> Bool {
    switch phase {
    case .ready:
      guard intent.attempt == attempt + 1 else { return false }
      phase = .begun(after: nil)
    case .waiting(let last):
      guard intent.attempt == attempt + 1 else { return false }
      phase = .begun(after: last)
    case .interrupted(let last, .repeatable):
      guard intent.attempt == attempt else { return false }
      phase = .begun(after: last)
    case .begun, .interrupted, .ended: return false
    }
    attempt = intent.attempt
    return true
  }

  // MARK: A try whose process died

  /// Takes in that the process died: what had begun is interrupted. False if nothing had.
  mutating func interrupt() -> Bool {
    switch phase {
    case .begun(let last):
      let isRepeatable = call.effect == .observe || call.module.repetition == .idempotent
      phase = .interrupted(after: last, isRepeatable ? .repeatable : .unasked)
    // It may be able to tell by now.
    case .interrupted(let last, .unknown): phase = .interrupted(after: last, .unasked)
    case .interrupted: break
    case .ready, .ended, .waiting: return false
    }
    return true
  }

  /// The try whose end the module is to be asked about; nil if there is none.
  func unaskedTry(at path: StepPath, key: String) -> Try? {
    guard case .interrupted(_, .unasked) = phase else { return nil }
    return goingTry(at: path, key: key)
  }

  /// The try whose end a person has to tell, and what the module says of it; nil if there is none.
  func unresolvedTry(at path: StepPath) -> UnresolvedTry? {
    guard case .interrupted(_, .unknown(let detail)) = phase else { return nil }
    return UnresolvedTry(path: path, attempt: attempt, detail: detail)
  }

  /// Takes in what the module says of the try that was interrupted.
  mutating func reconcile(_ event: StepReconciled) -> Bool {
    guard case .interrupted(let last, .unasked) = phase, event.attempt == attempt else { return false }
    switch event.verdict {
    case .done: conclude(.pass, event.path, nil, output: event.output, after: last)
    case .notDone: takeBack(to: last)
    case .unknown: phase = .interrupted(after: last, .unknown(event.detail))
    }
    return true
  }

  /// Takes in what a person says of the try that was interrupted, or whose process died and was not gone on with since.
  mutating func resolve(_ event: StepResolved) -> Bool {
    guard event.attempt == attempt else { return false }
    let last: StepResultRecorded?
    switch phase {
    case .begun(let before), .interrupted(let before, .unasked), .interrupted(let before, .unknown): last = before
    case .ready, .interrupted, .ended, .waiting: return false
    }
    switch event.resolution {
    case .done: conclude(.pass, event.path, nil, after: last)
    case .notDone: takeBack(to: last)
    case .failed:
      let finding = Finding(
        "step.resolvedAsFailed", "\(event.user) says that the step failed: \(event.reason)",
        advice: "Nobody recorded its end: look at the service.")
      conclude(.fail, event.path, finding, after: last)
    }
    return true
  }

  private mutating func conclude(
    _ outcome: Outcome, _ path: StepPath, _ finding: Finding?, output: Value = .null, after last: StepResultRecorded?
  ) {
    let result = StepResultRecorded(
      path: path, attempt: attempt, outcome: outcome, output: output, finding: finding, notStarted: false,
      duration: .zero)
    phase = .interrupted(after: last, .concluded(result))
  }

  /// The try did nothing: it is as before it began.
  private mutating func takeBack(to last: StepResultRecorded?) {
    attempt -= 1
    phase = last.map { .waiting(last: $0) } ?? .ready
  }

  // MARK: The course of the tries

  /// Takes in the result of the try that goes on. One that was read from a journal holds durations and timestamps as literals:
  /// the module's declared output type brings them back.
  mutating func end(_ result: StepResultRecorded) -> Bool {
    guard isTrying, result.attempt == attempt else { return false }
    var result = result
    result.output = ValueType.record(call.module.output).restored(result.output)
    phase = .ended(result)
    return true
  }

  /// Takes in that there is a wait after the try that ended.
  mutating func wait(_ waiting: StepWaiting) -> Bool {
    guard case .ended(let result) = phase, waiting.attempt == attempt else { return false }
    phase = .waiting(last: result)
    return true
  }

  /// What is due; asked only when something is.
  ///
  /// - Parameters:
  ///   - limit: the nearest of the time limits around the step: no try takes longer than what is left.
  ///   - key: the step's idempotency key.
  func next(
    at path: StepPath, in scope: Scope, ending: String?, within limit: TimeLimit?, key: @autoclosure () -> String,
    _ now: Duration
  ) -> RunAction {
    switch phase {
    case .ready:
      guard let ending else { return .begin(nextTry(at: path, key(), within: limit, now)) }
      return .record(end(path, .skipped, Finding("run.ended", ending), at: now))
    case .begun, .interrupted(_, .unasked), .interrupted(_, .unknown): return .wait(until: nil)
    case .interrupted(_, .repeatable):
      var attempt = makeTry(attempt, at: path, key(), timeout: timeout(within: limit, now))
      attempt.isBegunAgain = true
      guard let ending else { return .begin(attempt) }
      let finding = Finding(
        "step.interrupted", "the run died while the step went on, and \(ending) before it could be begun again",
        advice: "Look at the service: what the step did is not recorded.")
      return .record(.stepResult(attempt.unfinished(finding, duration: now - startedAt)))
    case .interrupted(_, .concluded(let result)): return .record(.stepResult(result))
    case .waiting(let last):
      guard let ending else { return .begin(nextTry(at: path, key(), within: limit, now)) }
      return .record(giveUp(path, last, unmet: ending, now))
    case .ended(let result):
      guard let reason = reasonToRepeat(result, scope) else { return .record(judge(path, result, scope, now)) }
      guard ending == nil, let retry = call.retry, mayRepeat(result, retry) else {
        return .record(giveUp(path, result, unmet: reason, now))
      }
      let delay = retry.delay(after: attempt, drawing: draw(key: key(), attempt: attempt))
      guard limit.map({ now + delay < $0.end }) ?? true else {
        return .record(giveUp(path, result, unmet: reason, now))
      }
      return .record(.stepWaiting(StepWaiting(path: path, attempt: attempt, delay: delay, reason: reason)))
    }
  }

  private func nextTry(at path: StepPath, _ key: String, within limit: TimeLimit?, _ now: Duration) -> Try {
    makeTry(attempt + 1, at: path, key, timeout: timeout(within: limit, now))
  }

  /// How long a try may take that begins now.
  private func timeout(within limit: TimeLimit?, _ now: Duration) -> Duration {
    limit.map { min(call.timeout, $0.end - now) } ?? call.timeout
  }

  /// The try that has begun and not ended; nil if there is none.
  func goingTry(at path: StepPath, key: String) -> Try? {
    isTrying ? makeTry(attempt, at: path, key, timeout: call.timeout) : nil
  }

  private func makeTry(_ attempt: Int, at path: StepPath, _ key: String, timeout: Duration) -> Try {
    Try(
      path: path, attempt: attempt, module: call.module, effect: call.effect, input: input, timeout: timeout, key: key)
  }

  /// Why this result calls for another try; nil if it does not.
  private func reasonToRepeat(_ result: StepResultRecorded, _ scope: Scope) -> String? {
    guard result.outcome.isGood else { return result.finding?.message ?? "it ended in \(result.outcome.rawValue)" }
    guard let until = call.until else { return nil }
    var scope = scope
    scope.output = result.output
    do {
      return try until.value(in: scope) == .bool(true) ? nil : "does not hold yet: \(until.source)"
    } catch {
      return "cannot be told yet: \(until.source): \(error.message)"
    }
  }

  private func mayRepeat(_ result: StepResultRecorded, _ retry: RetryPolicy) -> Bool {
    attempt <= retry.times
      && (call.effect == .observe || call.module.repetition == .idempotent || result.notStarted)
  }

  /// The end after a good last try: its expectations are judged.
  private func judge(_ path: StepPath, _ result: StepResultRecorded, _ scope: Scope, _ now: Duration) -> Event {
    var scope = scope
    scope.output = result.output
    let expectations = call.expectations.map { $0.judge(in: scope) }
    let outcome = Outcome.worst([result.outcome] + expectations.map(\.outcome))
    return end(path, outcome, result.finding, expectations, at: now)
  }

  /// The end without another try, although there is a reason for one.
  private func giveUp(_ path: StepPath, _ last: StepResultRecorded, unmet: String, _ now: Duration) -> Event {
    guard last.outcome.isGood else { return end(path, last.outcome, last.finding, at: now) }
    let finding = Finding(
      "until.unmet", unmet, advice: "\(attempt) tries were made; look at the output of the last one.")
    return end(path, .fail, finding, at: now)
  }

  private func end(
    _ path: StepPath, _ outcome: Outcome, _ finding: Finding?, _ expectations: [JudgedExpectation] = [],
    at now: Duration
  ) -> Event {
    .stepFinished(
      StepFinished(
        path: path, outcome: outcome, finding: finding, expectations: expectations, attempts: attempt, output: .null,
        duration: now - startedAt))
  }
}
