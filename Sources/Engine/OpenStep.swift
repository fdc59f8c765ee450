import Journal
import Language
import Schema

/// A step whose turn has come and that has not ended.
struct OpenStep: Sendable {
  let step: PlannedStep
  let path: StepPath
  /// The step that it lies in; nil in a stage itself.
  let owner: StepPath?
  var state = State.pending
  /// The number of its entry in the agenda; nil where nothing of it is due: a try or the steps inside go on.
  var entry: Int?

  enum State: Sendable {
    case pending
    case prepared(Preparation)
    /// It began, and its condition or input has no value.
    case broken(ExpressionError, since: Duration)
    case calling(CallState)
    case checking(CheckCall, StepGroup, since: Duration)
    case branching(StepGroup, since: Duration)
  }

  init(_ step: PlannedStep, at path: StepPath, in owner: StepPath?) {
    self.step = step
    self.path = path
    self.owner = owner
  }

  var hasBegun: Bool {
    switch state {
    case .pending, .prepared: false
    case .broken, .calling, .checking, .branching: true
    }
  }

  /// True once nothing of it goes on.
  var canFinish: Bool {
    switch state {
    case .pending, .prepared: false
    case .broken: true
    case .calling(let call): !call.isTrying
    case .checking(_, let group, _), .branching(let group, _): group.hasEnded
    }
  }

  /// The steps inside.
  var group: StepGroup? {
    switch state {
    case .checking(_, let group, _), .branching(let group, _): group
    case .pending, .prepared, .broken, .calling: nil
    }
  }

  // The state is taken out while it changes: the only reference to what is inside is the local one then, and nothing is
  // copied.

  mutating func changeGroup(_ change: (inout StepGroup) -> Void) {
    switch state {
    case .checking(let check, var group, let since):
      state = .pending
      change(&group)
      state = .checking(check, group, since: since)
    case .branching(var group, let since):
      state = .pending
      change(&group)
      state = .branching(group, since: since)
    case .pending, .prepared, .broken, .calling: break
    }
  }

  /// False where nothing changed, as for a step that calls nothing.
  mutating func changeCall(_ change: (inout CallState) -> Bool) -> Bool {
    guard case .calling(var call) = state else { return false }
    state = .pending
    let isChanged = change(&call)
    state = .calling(call)
    return isChanged
  }

  /// Takes in that the journal has its start.
  mutating func start(_ event: StepStarted, in scope: Scope, at now: Duration) {
    let input =
      if case .prepared(.start(let prepared)) = state { prepared } else { step.input(recorded: event.input, in: scope) }
    switch (input, step.body) {
    case (.failure(let error), _): state = .broken(error, since: now)
    case (.success(let input), .call(let call)): state = .calling(CallState(call, input: input, startedAt: now))
    case (.success(let input), .check(let check)):
      var inside = Scope()
      inside.inputs = input
      state = .checking(check, StepGroup(check.steps, scope: inside), since: now)
    case (.success, .parallel(let steps, let limit)):
      state = .branching(StepGroup(steps, .parallel(limit: limit), scope: scope), since: now)
    case (.success, .undo(let steps)):
      state = .branching(StepGroup(steps, scope: scope, earlier: scope.outcome), since: now)
    }
  }

  /// The try that has begun and not ended; nil if there is none.
  func goingTry(of run: String) -> Try? {
    guard case .calling(let call) = state else { return nil }
    return call.goingTry(at: path, key: idempotencyKey(run: run, path: path))
  }

  /// What is due; asked only when something is.
  ///
  /// - Parameters:
  ///   - scope: what its expressions may use.
  ///   - stopped: why it does not begin, if it has not begun.
  ///   - ending: why the run ends.
  ///   - run: the run's id.
  mutating func next(
    in scope: Scope, stopped: String?, ending: String?, of run: String, at now: Duration
  ) -> Action {
    switch state {
    case .pending, .prepared:
      if let reason = ending ?? stopped { return .record(skip(reason)) }
      return .record(begin(in: scope))
    case .broken(let error, let since):
      let finding = Finding(
        "expression.noValue", error.message,
        advice: "Guard the value with `steps.ID.outcome == 'pass'`, or give the missing one.")
      return .record(end(.error, finding, since: since, now))
    case .calling(let call):
      return call.next(at: path, in: scope, ending: ending, key: idempotencyKey(run: run, path: path), now)
    case .checking(let check, let group, let since): return .record(conclude(check, group, scope, since: since, now))
    case .branching(let group, let since): return .record(end(group.outcome, nil, since: since, now))
    }
  }

  /// Its beginning, prepared now unless it was before.
  private mutating func begin(in scope: Scope) -> Event {
    let preparation = if case .prepared(let known) = state { known } else { step.prepare(in: scope) }
    state = .prepared(preparation)
    switch preparation {
    case .skip(let reason): return skip(reason)
    case .start(let input):
      return .stepStarted(
        StepStarted(
          path: path, title: step.title, use: step.use, effect: step.effect, input: (try? input.get()) ?? .null,
          diagnostic: step.isDiagnostic))
    }
  }

  private func skip(_ reason: String) -> Event {
    .stepSkipped(StepSkipped(path: path, title: step.title, use: step.use, effect: step.effect, reason: reason))
  }

  /// A check whose steps have ended: its outputs, and the caller's expectations of them.
  private func conclude(
    _ check: CheckCall, _ group: StepGroup, _ scope: Scope, since: Duration, _ now: Duration
  ) -> Event {
    var outcome = group.outcome
    var finding: Finding?
    var members: [Value.Member] = []
    for output in check.outputs {
      do {
        let value = try output.declaration.type.admit(try output.value.value(in: group.scope))
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
      expectations = check.expectations.map { $0.judge(in: scope) }
      outcome = Outcome.worst([outcome] + expectations.map(\.outcome))
    }
    return end(outcome, finding, expectations, output: .members(members), since: since, now)
  }

  private func message(of error: any Error) -> String {
    switch error {
    case let error as ExpressionError: error.message
    case let error as Mismatch: error.message
    default: "\(error)"
    }
  }

  private func end(
    _ outcome: Outcome, _ finding: Finding?, _ expectations: [JudgedExpectation] = [], output: Value = .null,
    since startedAt: Duration, _ now: Duration
  ) -> Event {
    .stepFinished(
      StepFinished(
        path: path, outcome: outcome, finding: finding, expectations: expectations, attempts: 0, output: output,
        duration: now - startedAt))
  }

  /// What those that come after may use of its output.
  ///
  /// - Parameter recorded: what the journal has of a check's.
  func output(recorded: Value) -> Value? {
    switch state {
    case .calling(let call): call.lastOutput
    case .checking(let check, _, _): ValueType.record(check.outputType).restored(recorded)
    case .pending, .prepared, .broken, .branching: nil
    }
  }
}
