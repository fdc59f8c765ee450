import Journal
import Language
import Schema

/// The state of a step that has steps inside, between its start and its end: a check, a parallel group, a loop, one of its
/// elements, a phase.
struct GroupState: Sendable {
  private let step: PlannedStep
  private let path: StepPath
  /// The scope around the step.
  private let scope: Scope
  private var outer: TimeLimit?
  private let startedAt: Duration
  private let content: StepGroup.Content
  /// The input of a check.
  private let input: Value
  /// The try that goes on, from 1; that of the last try while another is waited for.
  private(set) var attempt = 1
  private(set) var group: StepGroup
  private var triedAt: Duration
  private var isWaiting = false
  private var isMissed = false

  /// - Parameters:
  ///   - input: of a check.
  ///   - outer: the nearest of the time limits around the step.
  init(
    _ step: PlannedStep, at path: StepPath, _ content: StepGroup.Content, input: Value, in scope: Scope,
    within outer: TimeLimit?, at now: Duration
  ) {
    self.step = step
    self.path = path
    self.content = content
    self.input = input
    self.scope = scope
    self.outer = outer
    startedAt = now
    triedAt = now
    group = StepGroup(content, scope: scope)
    group = newGroup(at: now)
  }

  private func newGroup(at now: Duration) -> StepGroup {
    var inside = scope
    if case .check = step.body {
      inside = Scope()
      inside.inputs = input
    }
    let own = step.body.tries.timeout.map { timeout in
      TimeLimit(end: now + timeout, name: "the time limit of \(path), \(durationLiteral(timeout)),")
    }
    let earlier = if case .check = step.body { Outcome.skipped } else { scope.outcome }
    return StepGroup(content, scope: inside, earlier: earlier, limit: .nearest(own, outer), at: now)
  }

  /// What others see after the group of the steps inside it: ids of a check's steps and of a loop's are seen by nobody else.
  var visible: [String: Scope.EndedStep] {
    switch step.body {
    case .parallel, .phase: group.visible
    case .call, .check, .forEach, .element, .undo, .ask: [:]
    }
  }

  /// What those that come after may use as its output.
  ///
  /// - Parameter recorded: what the journal has of a check's.
  func output(recorded: Value) -> Value? {
    switch step.body {
    case .check(let check): ValueType.record(check.outputType).restored(recorded)
    case .forEach: group.elementResults
    case .element: group.lastOutput
    case .call, .parallel, .phase, .undo, .ask: nil
    }
  }

  /// True when nothing of it goes on.
  var canFinish: Bool { group.hasEnded }

  /// When it is due after the try begins: a phase at its deadline, everything else when its steps have ended.
  var firstDue: Duration? {
    guard case .phase(let phase) = step.body, !isMissed else { return nil }
    return phase.deadline
  }

  // MARK: What happened

  mutating func changeSteps(_ change: (inout StepGroup) -> Void) { change(&group) }

  /// Takes in that there is a wait after the try that ended. False, and nothing changes, if that cannot happen now: so do the
  /// others.
  mutating func wait(_ waiting: StepWaiting) -> Bool {
    guard group.hasEnded, !isWaiting, waiting.attempt == attempt else { return false }
    isWaiting = true
    return true
  }

  /// Takes in that nothing went on for a while, since the process had died: time limits do not count that.
  mutating func goOn(after pause: Duration) {
    outer?.end += pause
    // What has ended is judged by the time that it took.
    if !group.hasEnded { triedAt += pause }
    group.goOn(after: pause)
  }

  /// Takes in that the next try begins.
  mutating func beginTry(_ path: StepPath, at now: Duration) -> Bool {
    guard isWaiting, path == self.path.attempt(attempt + 1) else { return false }
    attempt += 1
    isWaiting = false
    triedAt = now
    group = newGroup(at: now)
    return true
  }

  /// Takes in that the phase did not end within its deadline.
  mutating func miss() -> Bool {
    guard case .phase = step.body, !isMissed else { return false }
    isMissed = true
    return true
  }

  // MARK: What is due

  /// What is due; nil if nothing is before something happens inside.
  ///
  /// - Parameters:
  ///   - ending: why the run ends.
  ///   - over: which time limit around the step has passed.
  func next(ending: String?, over: String?, key: @autoclosure () -> String, _ now: Duration) -> RunAction? {
    if ending == nil, case .phase(let phase) = step.body, !isMissed,
      group.hasEnded ? group.endedAt > phase.deadline : now >= phase.deadline
    {
      return .record(.phaseMissed(PhaseMissed(path: path, deadline: phase.deadline)))
    }
    guard group.hasEnded else { return nil }
    let ending = ending ?? over
    let conclusion = conclude()
    guard let reason = reasonToRepeat(conclusion, isCut: ending != nil) else {
      return .record(judge(conclusion, isCut: ending != nil, now))
    }
    if isWaiting {
      guard ending == nil else { return .record(giveUp(conclusion, reason, now)) }
      return .record(.stepStarted(step.started(path.attempt(attempt + 1), input: .null)))
    }
    guard ending == nil, let retry = step.body.tries.retry, attempt <= retry.times else {
      return .record(giveUp(conclusion, reason, now))
    }
    let delay = retry.delay(after: attempt, drawing: draw(key: key(), attempt: attempt))
    guard outer.map({ now + delay < $0.end }) ?? true else { return .record(giveUp(conclusion, reason, now)) }
    return .record(.stepWaiting(StepWaiting(path: path, attempt: attempt, delay: delay, reason: reason)))
  }

  /// What a try came to.
  private struct Conclusion {
    var outcome: Outcome
    var finding: Finding?
    /// What the journal has of its output.
    var recorded = Value.null
    /// In which `until` and `expect` are evaluated.
    var scope: Scope
  }

  private func conclude() -> Conclusion {
    var conclusion = Conclusion(outcome: group.outcome, scope: scope)
    if case .check(let check) = step.body { conclude(check, &conclusion) }
    if let timeout = step.body.tries.timeout, group.endedAt >= triedAt + timeout {
      conclusion.outcome = Outcome.worst([conclusion.outcome, .error])
      conclusion.finding = Finding(
        "step.timeout", "the steps inside did not end within \(durationLiteral(timeout))",
        advice: "Look at the step inside it that took longest, or raise its timeout.")
    }
    if isMissed, case .phase(let phase) = step.body {
      conclusion.outcome = Outcome.worst([conclusion.outcome, .warn])
      conclusion.finding =
        conclusion.finding
        ?? Finding(
          "phase.missed", "the phase did not end within \(durationLiteral(phase.deadline)) of the run's start",
          advice: "Look at the step inside it that took longest, or give the phase a later deadline.")
    }
    conclusion.scope.steps.merge(visible) { _, new in new }
    conclusion.scope.output = output(recorded: conclusion.recorded)
    return conclusion
  }

  /// A check whose steps have ended: its outputs.
  private func conclude(_ check: CheckCall, _ conclusion: inout Conclusion) {
    var members: [Value.Member] = []
    for output in check.outputs {
      do {
        let value = try output.declaration.type.admit(try output.value.value(in: group.scope))
        members.append(Value.Member(output.declaration.name, value))
      } catch {
        // What a failed check could not learn is no further error.
        guard conclusion.outcome.isGood else { continue }
        conclusion.finding = Finding(
          "check.outputMissing", "output \(output.declaration.name) has no value: \(Self.message(of: error))",
          advice: "Have the output say what it is when a step it is made from gave nothing: .orValue(…).")
        conclusion.outcome = .error
      }
    }
    conclusion.recorded = .members(members)
  }

  private static func message(of error: any Error) -> String {
    switch error {
    case let error as ExpressionError: error.message
    case let error as Mismatch: error.message
    default: "\(error)"
    }
  }

  /// Why this try calls for another; nil if it does not.
  private func reasonToRepeat(_ conclusion: Conclusion, isCut: Bool) -> String? {
    let tries = step.body.tries
    let isSkipped = conclusion.outcome == .skipped
    guard tries.retry != nil, !isSkipped || tries.until != nil && !isCut else { return nil }
    guard conclusion.outcome.isGood || isSkipped else {
      return conclusion.finding?.message ?? "the step ended in \(conclusion.outcome.rawValue)"
    }
    guard let until = tries.until else { return nil }
    do {
      return try until.value(in: conclusion.scope) == .bool(true) ? nil : "does not hold yet: \(until.source)"
    } catch {
      return "cannot be told yet: \(until.source): \(error.message)"
    }
  }

  /// The end after the last try: its expectations are judged if it is good, and if nothing inside was to be done: an empty list
  /// must not be a pass for who expects that it is not empty.
  private func judge(_ conclusion: Conclusion, isCut: Bool, _ now: Duration) -> Event {
    guard conclusion.outcome.isGood || conclusion.outcome == .skipped && !isCut else {
      return end(conclusion, conclusion.outcome, conclusion.finding, now)
    }
    let expectations = step.expectations.map { $0.judge(in: conclusion.scope) }
    let outcome = Outcome.worst([conclusion.outcome] + expectations.map(\.outcome))
    return end(conclusion, outcome, conclusion.finding, now, expectations)
  }

  /// The end without another try, although there is a reason for one.
  private func giveUp(_ conclusion: Conclusion, _ unmet: String, _ now: Duration) -> Event {
    guard conclusion.outcome.isGood || conclusion.outcome == .skipped else {
      return end(conclusion, conclusion.outcome, conclusion.finding, now)
    }
    let finding = Finding(
      "until.unmet", unmet, advice: "\(attempt) tries were made; look at what the last one came to.")
    return end(conclusion, .fail, finding, now)
  }

  private func end(
    _ conclusion: Conclusion, _ outcome: Outcome, _ finding: Finding?, _ now: Duration,
    _ expectations: [JudgedExpectation] = []
  ) -> Event {
    .stepFinished(
      StepFinished(
        path: path, outcome: outcome, finding: finding, expectations: expectations,
        attempts: step.body.tries.retry == nil ? 0 : attempt, output: conclusion.recorded, duration: now - startedAt))
  }
}

extension RetryPolicy {
  /// The wait after try number `attempt` (from 1), in whole nanoseconds, as a journal holds it: a wait that is gone on with ends
  /// at the same time.
  ///
  /// - Parameter number: from 0 up to 1, of the part that is drawn at random.
  func delay(after attempt: Int, drawing number: Double) -> Duration {
    let (seconds, attoseconds) = (delay(after: attempt) * (1 - jitter * number)).components
    return Duration(secondsComponent: seconds, attosecondsComponent: attoseconds - attoseconds % 1_000_000_000)
  }
}
