import Journal
import Language
import Schema
import Steps
import TestSupport

@testable import Engine

extension SplitMix {
  mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
}

/// Makes plans of calls, questions, checks, parallel groups, loops and phases inside each other, with conditions, retries and
/// expectations.
struct TreeMaker {
  private var numbers: SplitMix
  private var count = 0
  /// Whether deadlines and time limits may pass while steps go on: what a run comes to depends on its times then.
  private let isTimed: Bool

  init(seed: UInt64, isTimed: Bool = false) {
    numbers = SplitMix(state: seed)
    self.isTimed = isTimed
  }

  /// Half of the plans have each of the stages besides the steps.
  mutating func tree() -> Plan {
    let hypothesis = numbers.oneIn(2) ? sequence(depth: 1) : []
    var steps = sequence(depth: 3)
    var ids: [String] = []
    for index in steps.indices where steps[index].effect == .change && numbers.oneIn(2) {
      steps[index].undo = sequence(depth: 1, seeing: ids)
      ids.append(steps[index].id)
    }
    return plan(
      steps, hypothesis: hypothesis, rollback: numbers.oneIn(2) ? .onFailure : .never,
      finally: numbers.oneIn(2) ? sequence(depth: 1, seeing: steps.map(\.id)) : [])
  }

  private mutating func id() -> String {
    count += 1
    return "s\(count)"
  }

  /// Steps one after the other, some of which look at one before.
  private mutating func sequence(depth: Int, seeing visible: [String] = []) -> [PlannedStep] {
    var visible = visible
    return (0..<Int.random(in: 1...4, using: &numbers)).map { _ in
      let step = step(depth: depth, seeing: visible)
      visible.append(step.id)
      visible += Self.seen(in: step)
      return step
    }
  }

  /// The ids inside a step that those after it see.
  private static func seen(in step: PlannedStep) -> [String] {
    switch step.body {
    case .parallel, .phase: step.body.steps.flatMap { [$0.id] + seen(in: $0) }
    case .call, .check, .forEach, .element, .undo, .ask: []
    }
  }

  private mutating func step(depth: Int, seeing visible: [String], besides siblings: [String] = []) -> PlannedStep {
    let id = id()
    let body: StepBody =
      switch depth > 0 ? Int.random(in: 0..<6, using: &numbers) : 0 {
      case 1: .check(check(depth: depth - 1))
      case 2: .parallel(group(branches(depth: depth - 1, seeing: visible)))
      case 3: .forEach(loop(depth: depth - 1, seeing: visible))
      case 4: .phase(phase(depth: depth - 1, seeing: visible))
      case 5: .ask(question())
      default: .call(call())
      }
    return PlannedStep(
      id: id, title: id, condition: condition(seeing: visible, besides: siblings),
      onFailure: numbers.oneIn(2) ? .stop : .continue, isDiagnostic: numbers.oneIn(8), range: nowhere, body: body)
  }

  private mutating func branches(depth: Int, seeing visible: [String]) -> [PlannedStep] {
    var siblings: [String] = []
    return (0..<Int.random(in: 1...5, using: &numbers)).map { _ in
      let step = step(depth: depth, seeing: visible, besides: siblings)
      siblings.append(step.id)
      return step
    }
  }

  private mutating func group(_ branches: [PlannedStep]) -> ParallelGroup {
    ParallelGroup(branches, limit: Int.random(in: 1...4, using: &numbers), tries: tries(of: branches))
  }

  private mutating func loop(depth: Int, seeing visible: [String]) -> Loop {
    let items = (0..<Int64.random(in: 0...4, using: &numbers)).map(Value.int)
    let list =
      numbers.oneIn(8)
      ? expression("missing") { (_) throws(ExpressionError) in throw missingValue }
      : expression("[…]") { _ in .list(items) }
    let steps = sequence(depth: depth, seeing: visible)
    return Loop(
      list: list, itemType: .int, variable: "item", limit: Int.random(in: 1...3, using: &numbers), steps: steps,
      tries: tries(of: []))
  }

  private mutating func phase(depth: Int, seeing visible: [String]) -> Phase {
    let steps = sequence(depth: depth, seeing: visible)
    // A story lets time pass up to any deadline: only one that every order misses leads to the same outcomes.
    let deadline: Duration = isTimed ? .milliseconds(Int.random(in: 0...4000, using: &numbers)) : .zero
    return Phase(steps, deadline: deadline, tries: tries(of: steps))
  }

  /// - Parameter visible: what `until` may look at.
  private mutating func tries(of visible: [PlannedStep]) -> Tries {
    var tries = Tries()
    if isTimed, numbers.oneIn(3) { tries.timeout = .milliseconds(Int.random(in: 1...3000, using: &numbers)) }
    guard numbers.oneIn(3) else { return tries }
    tries.retry = RetryPolicy(
      times: Int.random(in: 1...2, using: &numbers), backoff: .milliseconds(Int.random(in: 0...900, using: &numbers)),
      factor: 2, maxDelay: .seconds(2), jitter: 0.5)
    if let id = visible.first?.id, numbers.oneIn(2) {
      tries.until = expression("steps.\(id).attempts != 1") { (scope) throws(ExpressionError) in
        guard let step = scope.steps[id] else { throw missingValue }
        return .bool(step.attempts != 1)
      }
    }
    return tries
  }

  private mutating func condition(seeing visible: [String], besides siblings: [String]) -> Expression? {
    // A branch that saw another would have no value, and its outcome would depend on which came first.
    if let sibling = siblings.randomElement(using: &numbers) {
      return expression("no \(sibling)") { (scope) throws(ExpressionError) in
        guard scope.steps[sibling] == nil else { throw missingValue }
        return .bool(true)
      }
    }
    switch Int.random(in: 0..<10, using: &numbers) {
    case 0: return expression("false") { _ in .bool(false) }
    case 1: return expression("missing") { (_) throws(ExpressionError) in throw missingValue }
    case 2: return expression("item != 1") { .bool($0.items["item"] != .int(1)) }
    case 3...5:
      return visible.randomElement(using: &numbers).map { id in
        expression("steps.\(id)") { (scope) throws(ExpressionError) in
          guard let step = scope.steps[id] else { throw missingValue }
          return .bool(step.outcome != .fail)
        }
      }
    default: return nil
    }
  }

  private mutating func call() -> ModuleCall {
    let module = numbers.oneIn(3) ? AnyStepModule(Act.self) : AnyStepModule(AnswerModule.self)
    let retry = RetryPolicy(
      times: Int.random(in: 1...3, using: &numbers), backoff: .milliseconds(Int.random(in: 0...900, using: &numbers)),
      factor: 2, maxDelay: .seconds(2), jitter: 0.5)
    let least = Int64.random(in: 1...4, using: &numbers)
    let hasCome = expression("output.number >= \(least)") { .bool($0.output?["number"]?.isAtLeast(least) ?? false) }
    let isEven = expression("output.number % 2 == 0") { .bool($0.output?["number"] != .int(3)) }
    return ModuleCall(
      module: module, input: .members([("number", .literal(.int(1)))], module.input),
      until: numbers.oneIn(3) ? hasCome : nil,
      expectations: numbers.oneIn(3) ? [Expectation(that: isEven, severity: .warn, message: nil)] : [],
      retry: numbers.oneIn(2) ? retry : nil, timeout: .seconds(5))
  }

  private mutating func question() -> Question {
    let fields = [FieldDeclaration(name: "wait", type: .duration, fallback: .duration(.seconds(1)), summary: "W.")]
    let isTyped = expectation("output.wait == 90s") { .bool($0.output?["wait"] == .duration(.seconds(90))) }
    let kind = Question.Kind.allCases.randomElement(using: &numbers) ?? .confirm
    return Question(
      kind, input: .members([("question", .literal(.string("Go on?")))], Question.inputType),
      fields: kind == .form ? fields : [], timeout: .seconds(Int.random(in: 1...9, using: &numbers)),
      expectations: kind == .form ? [isTyped] : [])
  }

  private func expectation(
    _ source: String, _ value: @escaping @Sendable (Scope) throws(ExpressionError) -> Value
  ) -> Language.Expectation {
    Language.Expectation(that: expression(source, value), severity: .warn, message: nil)
  }

  private mutating func check(depth: Int) -> CheckCall {
    let steps = sequence(depth: depth)
    let first = steps[0].id
    let output = CheckCall.Output(
      declaration: FieldDeclaration(name: "first", type: .string, summary: "How the first step ended."),
      value: expression("steps.\(first).outcome") { .string($0.steps[first]?.outcome.rawValue ?? "") })
    return CheckCall(
      name: first, title: first, input: .members([], RecordType(fields: [])), inputType: RecordType(fields: []),
      steps: steps, outputs: numbers.oneIn(2) ? [output] : [], longest: .seconds(5), tries: tries(of: []))
  }
}

extension Value {
  fileprivate func isAtLeast(_ least: Int64) -> Bool {
    if case .int(let number) = self { number >= least } else { false }
  }
}

/// What came of driving a machine: every event with its time, and every action with what was known when it was asked for.
struct Story {
  var events: [(event: Event, at: Duration)] = []
  var asked: [(eventsBefore: Int, at: Duration, action: String)] = []
  var hasEnded = false

  /// Drives a plan as tasks and clocks could: results come in any order and several at once, time passes, and the run may be
  /// asked to end. What a try comes to depends on the try alone.
  init(_ plan: Plan, seed: UInt64, isInterrupted: Bool = false) {
    var numbers = SplitMix(state: seed)
    var machine = RunMachine(plan: plan, run: "RUN")
    /// What is still to come of tries and questions.
    var running: [Event] = []
    var questions = 0
    var now = Duration.zero
    take(.runStarted(startedEvent()), &machine, now)
    while asked.count < 20_000 {
      let action = machine.next(at: now)
      asked.append((events.count, now, Self.text(action)))
      switch action {
      case .record(let event):
        take(event, &machine, now)
        // Nobody can answer a question that has ended.
        if case .stepFinished(let end) = event {
          let waiting = running.count
          running.removeAll { if case .personAnswered(let reply) = $0 { reply.path == end.path } else { false } }
          questions -= waiting - running.count
        }
      case .begin(let attempt):
        take(attempt.intent, &machine, now)
        running.append(.stepResult(Self.answer(to: attempt)))
      case .ask(let asking):
        take(.personAsked(askedEvent(asking)), &machine, now)
        guard let reply = Self.reply(to: asking) else { continue }
        running.append(.personAnswered(reply))
        questions += 1
      case .wait(let until):
        if isInterrupted, numbers.oneIn(12) {
          let isSignal = numbers.oneIn(2)
          take(
            isSignal ? .runSignalled(RunSignalled(signal: 2)) : .runTimedOut(RunTimedOut(timeout: .seconds(1))),
            &machine, now)
          continue
        }
        // The time box of a stage passes only if the run may be interrupted. Whether somebody comes in time must not depend on
        // the order.
        let mayPass = running.isEmpty || questions == 0 && numbers.oneIn(3)
        if let until, mayPass, isInterrupted || until - now < .seconds(60) {
          now = max(now, until)
          continue
        }
        guard !running.isEmpty else { return }
        now += questions > 0 ? .zero : .milliseconds(Int.random(in: 0...800, using: &numbers))
        for _ in 0..<Int.random(in: 1...running.count, using: &numbers) {
          let event = running.remove(at: Int.random(in: 0..<running.count, using: &numbers))
          if case .personAnswered = event { questions -= 1 }
          take(event, &machine, now)
        }
      case .reconcile(let attempt, let until):
        if isInterrupted, numbers.oneIn(4) {
          if let until, numbers.oneIn(2) {
            now = until
          } else {
            take(.runSignalled(RunSignalled(signal: 2)), &machine, now)
          }
          continue
        }
        take(.stepReconciled(attempt.reconciled(Self.verdict(on: attempt))), &machine, now)
      case .unresolved: return
      case .finish(let outcome, let finding):
        take(
          .runFinished(RunFinished(outcome: outcome, finding: finding, signal: nil, duration: now)), &machine, now)
        hasEnded = true
        return
      }
    }
  }

  private mutating func take(_ event: Event, _ machine: inout RunMachine, _ now: Duration) {
    machine.apply(event, wall: epoch, at: now)
    events.append((event, now))
  }

  private static func answer(to attempt: Try) -> StepResultRecorded {
    var numbers = SplitMix(state: attempt.key.utf8.reduce(UInt64(attempt.attempt)) { $0 &* 31 &+ UInt64($1) })
    let outcomes: [Outcome] = [.pass, .pass, .pass, .warn, .fail, .error, .indeterminate]
    var outcome = outcomes.randomElement(using: &numbers) ?? .pass
    if outcome == .indeterminate, attempt.effect == .observe { outcome = .error }
    return result(
      attempt, outcome, number: .int(Int64(attempt.attempt)), notStarted: outcome == .error && numbers.oneIn(2))
  }

  private static func verdict(on attempt: Try) -> StepReconciled.ReconciliationVerdict {
    [.done, .notDone, .unknown][attempt.key.utf8.reduce(attempt.attempt) { ($0 + Int($1)) % 3 }]
  }

  private static func reply(to asking: Asking) -> PersonAnswered? {
    var numbers = SplitMix(state: asking.path.text.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) })
    switch Int.random(in: 0..<4, using: &numbers) {
    case 0: return nil
    case 1: return declined(asking, reason: numbers.oneIn(2) ? "not now" : nil)
    default:
      let wait = Value.members([.init("wait", .duration(.seconds(numbers.oneIn(2) ? 90 : 2)))])
      return accepted(asking, asking.question.kind == .form ? wait : .members([]))
    }
  }

  /// An action in full, so that two can be compared.
  static func text(_ action: RunAction) -> String {
    switch action {
    case .record(let event): "record \(event.type) \(JSON.object(event.fields).text())"
    case .begin(let attempt): "begin \(attempt.path) #\(attempt.attempt) \(attempt.key) \(attempt.input.json.text())"
    case .reconcile(let attempt, let until):
      "reconcile \(attempt.path) #\(attempt.attempt) \(attempt.input.json.text()) \(until.map { "\($0)" } ?? "")"
    case .unresolved(let tries): "unresolved \(tries.map(\.path.text))"
    case .ask(let asking): "ask \(JSON.object(Event.personAsked(askedEvent(asking)).fields).text())"
    case .wait(let until): "wait \(until.map { "\($0)" } ?? "")"
    case .finish(let outcome, let finding): "finish \(outcome) \(finding?.code ?? "")"
    }
  }
}
