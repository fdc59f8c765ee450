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
    case begun
    case ended(StepResultRecorded)
    /// The next try may begin at its time, which the agenda has.
    case waiting(last: StepResultRecorded)
  }

  init(_ call: ModuleCall, input: Value, startedAt: Duration) {
    self.call = call
    self.input = input
    self.startedAt = startedAt
  }

  var isTrying: Bool { if case .begun = phase { true } else { false } }

  /// The output of the last try that ended; nil where it had none.
  var lastOutput: Value? {
    switch phase {
    case .ended(let result), .waiting(let result): result.output == .null ? nil : result.output
    case .ready, .begun: nil
    }
  }

  /// Takes in that the next try begins. False, and nothing changes, where that is not what can happen now: so do the others.
  mutating func begin(_ intent: StepIntent) -> Bool {
    switch phase {
    case .ready, .waiting:
      guard intent.attempt == attempt + 1 else { return false }
      attempt = intent.attempt
      phase = .begun
      return true
    case .begun, .ended: return false
    }
  }

  /// Takes in the result of the try that goes on. One that was read from a journal holds durations and timestamps as literals:
  /// the module's declared output type brings them back.
  mutating func end(_ result: StepResultRecorded) -> Bool {
    guard case .begun = phase, result.attempt == attempt else { return false }
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
  ) -> Action {
    switch phase {
    case .ready:
      guard let ending else { return .begin(nextTry(at: path, key(), within: limit, now)) }
      return .record(end(path, .skipped, Finding("run.ended", ending), at: now))
    case .begun: return .wait(until: nil)
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
    makeTry(attempt + 1, at: path, key, timeout: limit.map { min(call.timeout, $0.end - now) } ?? call.timeout)
  }

  /// The try that has begun and not ended; nil if there is none.
  func goingTry(at path: StepPath, key: String) -> Try? {
    isTrying ? makeTry(attempt, at: path, key, timeout: call.timeout) : nil
  }

  private func makeTry(_ attempt: Int, at path: StepPath, _ key: String, timeout: Duration) -> Try {
    Try(
      path: path, attempt: attempt, module: call.module, effect: call.effect, input: input, timeout: timeout, key: key)
  }

  /// Why this result calls for another try; nil where it does not.
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
