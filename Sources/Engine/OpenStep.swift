import Journal
import Language
import Schema

/// A step whose turn has come and that has not ended.
struct OpenStep: Sendable {
  let step: PlannedStep
  let path: StepPath
  /// The step that it lies in; nil in a stage itself.
  let owner: StepPath?
  /// Its place among the steps that lie there.
  let position: Int
  var state = State.pending
  /// The number of its entry in the agenda; nil if nothing of it is due: a try or the steps inside go on.
  var entry: Int?

  enum State: Sendable {
    case pending
    case prepared(Preparation)
    /// It began, and its condition or input has no value.
    case broken(ExpressionError, since: Duration)
    case calling(CallState)
    /// A loop that began, before the journal has its elements; they are evaluated already unless this is replayed.
    case listing([Value]?, Surroundings, since: Duration)
    case grouping(GroupState)
    case asking(AskState)
  }

  /// What is around a step.
  struct Surroundings: Sendable {
    /// What its expressions may use.
    let scope: Scope
    /// The nearest of the time limits.
    let limit: TimeLimit?
  }

  init(_ step: PlannedStep, at path: StepPath, in owner: StepPath?, position: Int) {
    self.step = step
    self.path = path
    self.owner = owner
    self.position = position
  }

  var hasBegun: Bool {
    switch state {
    case .pending, .prepared: false
    case .broken, .calling, .listing, .grouping, .asking: true
    }
  }

  /// True once nothing of it goes on.
  var canFinish: Bool {
    switch state {
    case .pending, .prepared: false
    case .broken, .listing, .asking: true
    case .calling(let call): !call.isTrying
    case .grouping(let state): state.canFinish
    }
  }

  /// The steps inside, and which try of this one they belong to.
  var group: (steps: StepGroup, attempt: Int)? {
    if case .grouping(let state) = state { (state.group, state.attempt) } else { nil }
  }

  /// What lies inside the step and is seen where the step is seen; all of it is skipped if nothing of it began.
  var visible: [String: Scope.EndedStep] {
    if case .grouping(let state) = state { return state.visible }
    let skipped = Scope.EndedStep(outcome: .skipped, output: nil, attempts: 0)
    return Dictionary(step.seenInside.map { ($0, skipped) }, uniquingKeysWith: { first, _ in first })
  }

  // The state is taken out while it changes: the only reference to what is inside is the local one then, and nothing is
  // copied.

  /// False if nothing changed, as for a step that has no steps inside.
  @discardableResult
  mutating func changeGroup(_ change: (inout GroupState) -> Bool) -> Bool {
    guard case .grouping(var group) = state else { return false }
    state = .pending
    let isChanged = change(&group)
    state = .grouping(group)
    return isChanged
  }

  /// False if nothing changed, as for a step that calls nothing.
  mutating func changeCall(_ change: (inout CallState) -> Bool) -> Bool {
    guard case .calling(var call) = state else { return false }
    state = .pending
    let isChanged = change(&call)
    state = .calling(call)
    return isChanged
  }

  /// The same for a step that asks.
  mutating func changeAsk(_ change: (inout AskState) -> Bool) -> Bool {
    guard case .asking(var ask) = state else { return false }
    state = .pending
    let isChanged = change(&ask)
    state = .asking(ask)
    return isChanged
  }

  /// The question that it waits for an answer to, and until when; nil if there is none.
  var waitingQuestion: PendingQuestion? {
    guard case .asking(let ask) = state, let (asked, until) = ask.waiting else { return nil }
    let asking = Asking(path: path, title: step.title, question: ask.question, input: ask.input)
    return PendingQuestion(asking: asking, asked: asked, until: until)
  }

  /// The try that a process which died had begun, and that its module is to be asked about.
  func unaskedTry(of run: String) -> Try? {
    guard case .calling(let call) = state else { return nil }
    return call.unaskedTry(at: path, key: idempotencyKey(run: run, path: path))
  }

  /// The try of which only a person can tell how it ended.
  var unresolvedTry: UnresolvedTry? {
    if case .calling(let call) = state { call.unresolvedTry(at: path) } else { nil }
  }

  /// Takes in that the journal has its start.
  mutating func start(_ event: StepStarted, in around: Surroundings, at now: Duration) {
    let prepared = if case .prepared(let preparation) = state { preparation } else { Preparation?.none }
    let input =
      if case .start(let input) = prepared { input } else { step.input(recorded: event.input, in: around.scope) }
    switch (input, step.body) {
    case (.failure(let error), _): state = .broken(error, since: now)
    case (.success, .forEach):
      let items: [Value]? = if case .loop(let items) = prepared { items } else { nil }
      state = .listing(items, around, since: now)
    case (.success(let input), .call(let call)): state = .calling(CallState(call, input: input, startedAt: now))
    case (.success(let input), .check(let check)): group(.sequence(check.steps), input: input, around, now)
    case (.success, .parallel(let group)): self.group(.parallel(group.steps, limit: group.limit), around, now)
    case (.success, .phase), (.success, .element), (.success, .undo): group(.sequence(step.body.steps), around, now)
    case (.success(let input), .ask(let question)):
      state = .asking(AskState(question, input: input, startedAt: now))
    }
  }

  private mutating func group(
    _ content: StepGroup.Content, input: Value = .null, _ around: Surroundings, _ now: Duration
  ) {
    state = .grouping(
      GroupState(step, at: path, content, input: input, in: around.scope, within: around.limit, at: now))
  }

  /// Takes in the elements that the journal has of a loop. False, and nothing changes, if that cannot happen now.
  mutating func list(_ event: ElementsListed) -> Bool {
    guard case .listing(_, let around, let since) = state, case .forEach(let loop) = step.body else { return false }
    let items = event.items.map { loop.itemType.restored($0) }
    group(.elements(loop, id: step.id, items), around, since)
    return true
  }

  /// The try that has begun and not ended; nil if there is none.
  func goingTry(of run: String) -> Try? {
    guard case .calling(let call) = state else { return nil }
    return call.goingTry(at: path, key: idempotencyKey(run: run, path: path))
  }

  /// What is due; asked only when something is. Nil if nothing is before something happens inside.
  ///
  /// - Parameters:
  ///   - stopped: why it does not begin, if it has not begun.
  ///   - ending: why the run ends.
  ///   - run: the run's id.
  mutating func next(
    in around: Surroundings, stopped: String?, ending: String?, of run: String, at now: Duration
  ) -> RunAction? {
    let over = around.limit?.reason(at: now)
    switch state {
    case .pending, .prepared:
      if let reason = ending ?? over ?? stopped { return .record(skip(reason)) }
      return .record(begin(in: around.scope))
    case .broken(let error, let since): return .record(end(broken: error, since: since, now))
    case .listing(let items, _, let since):
      guard case .forEach(let loop) = step.body else { return nil }
      return .record(list(loop, items, in: around.scope, since: since, now))
    case .calling(let call):
      return call.next(
        at: path, in: around.scope, ending: ending ?? over, within: around.limit,
        key: idempotencyKey(run: run, path: path), now)
    case .grouping(let state):
      return state.next(ending: ending, over: over, key: idempotencyKey(run: run, path: path), now)
    case .asking(let ask): return ask.next(at: path, title: step.title, in: around.scope, ending: ending ?? over, now)
    }
  }

  /// Its beginning, prepared now unless it was before.
  private mutating func begin(in scope: Scope) -> Event {
    let preparation = if case .prepared(let known) = state { known } else { step.prepare(in: scope) }
    state = .prepared(preparation)
    switch preparation {
    case .skip(let reason): return skip(reason)
    case .start(let input): return .stepStarted(step.started(path, input: (try? input.get()) ?? .null))
    case .loop: return .stepStarted(step.started(path, input: .members([])))
    }
  }

  private func skip(_ reason: String) -> Event {
    .stepSkipped(StepSkipped(path: path, title: step.title, use: step.use, effect: step.effect, reason: reason))
  }

  /// The elements of a loop that began.
  private func list(
    _ loop: Loop, _ known: [Value]?, in scope: Scope, since: Duration, _ now: Duration
  ) -> Event {
    let items: [Value]
    do throws(ExpressionError) {
      items = if let known { known } else { try loop.items(in: scope) }
    } catch { return end(broken: error, since: since, now) }
    guard items.count * loop.countPerElement <= Loop.maximumCount else {
      let finding = Finding(
        "loop.tooManySteps",
        "the list has \(items.count) elements of \(loop.countPerElement) steps each; the most are \(Loop.maximumCount) steps",
        advice: "Loop over fewer elements, or do more in each step.")
      return end(.error, finding, since: since, now)
    }
    return .elementsListed(ElementsListed(path: path, items: items, itemType: loop.itemType))
  }

  private func end(broken error: ExpressionError, since: Duration, _ now: Duration) -> Event {
    let finding = Finding(
      "expression.noValue", error.message,
      advice: "Guard the value with `steps.ID.outcome == 'pass'`, or give the missing one.")
    return end(.error, finding, since: since, now)
  }

  private func end(_ outcome: Outcome, _ finding: Finding, since startedAt: Duration, _ now: Duration) -> Event {
    .stepFinished(
      StepFinished(
        path: path, outcome: outcome, finding: finding, expectations: [], attempts: 0, output: .null,
        duration: now - startedAt))
  }

  /// What those that come after may use of its output.
  ///
  /// - Parameter recorded: what the journal has of a check's.
  func output(recorded: Value) -> Value? {
    switch state {
    case .calling(let call): call.lastOutput
    case .grouping(let state): state.output(recorded: recorded)
    case .asking(let ask): recorded == .null ? nil : ValueType.record(ask.question.outputType).restored(recorded)
    case .pending, .prepared, .broken, .listing: nil
    }
  }
}

extension PlannedStep {
  /// The ids of what lies inside the step and is seen where the step is seen.
  fileprivate var seenInside: [String] {
    switch body {
    case .parallel, .phase: body.steps.flatMap { [$0.id] + $0.seenInside }
    case .call, .check, .forEach, .element, .undo, .ask: []
    }
  }
}
