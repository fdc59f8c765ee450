import Journal
import Language
import Schema
import Steps
import Synchronization

@testable import Engine

// Plans made by hand: what the engine does is tested without the language in front of it.

/// A module that answers at once with its number, whose declaration varies.
struct AnswerModule: StepModule {
  struct Input: Hashable, Sendable { var number: Int }
  struct Output: Hashable, Sendable { var number: Int, waited: Duration }

  static let declaration = declared("test.answer", effect: .observe, repetition: .idempotent)

  static func declared(_ name: String, effect: Effect, repetition: Repetition) -> ModuleDeclaration<Input, Output> {
    ModuleDeclaration(
      name, "Answers.", effect: effect, repetition: repetition, judges: true, deadline: .seconds(5),
      input: Record(Input.init, Field("number", \.number, .int, "A number.")),
      output: Record(
        Output.init, Field("number", \.number, .int, "The same number."),
        Field("waited", \.waited, .duration, "A duration.")),
      examples: [])
  }

  func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    .done(Output(number: input.number, waited: .milliseconds(1500)))
  }
}

/// Acts on the service, once at most.
struct Act: StepModule {
  static let declaration = AnswerModule.declared("test.act", effect: .change, repetition: .atMostOnce)

  func run(_ input: AnswerModule.Input, in context: StepContext) async throws(StepError) -> StepResult<
    AnswerModule.Output
  > {
    .done(AnswerModule.Output(number: input.number, waited: .zero))
  }
}

/// Waits until it is cancelled, then cleans up and says so.
struct WaitUntilCancelled: StepModule {
  static let declaration = AnswerModule.declared("test.wait", effect: .observe, repetition: .idempotent)

  func run(_ input: AnswerModule.Input, in context: StepContext) async throws(StepError) -> StepResult<
    AnswerModule.Output
  > {
    context.progress("waiting")
    do { try await Task.sleep(for: .seconds(600)) } catch {
      throw StepError(.interrupted, Finding("test.interrupted", "still waiting"))
    }
    return .done(AnswerModule.Output(number: 0, waited: .zero))
  }
}

func step(
  _ id: String, _ module: AnyStepModule = AnyStepModule(AnswerModule.self), number: Int = 1,
  condition: Expression? = nil,
  until: Expression? = nil, expect: [Expectation] = [], retry: RetryPolicy? = nil, timeout: Duration = .seconds(5),
  onFailure: PlannedStep.OnFailure = .stop, isDiagnostic: Bool = false
) -> PlannedStep {
  PlannedStep(
    id: id, title: "Step \(id)", condition: condition, onFailure: onFailure, isDiagnostic: isDiagnostic, range: nowhere,
    body: .call(
      ModuleCall(
        module: module, input: .members([("number", .literal(.int(Int64(number))))], module.input), until: until,
        expectations: expect, retry: retry, timeout: timeout)))
}

func check(
  _ id: String, _ steps: [PlannedStep], outputs: [CheckCall.Output] = [], onFailure: PlannedStep.OnFailure = .stop,
  expect: [Expectation] = [], tries: Tries = Tries()
) -> PlannedStep {
  group(
    id, onFailure: onFailure,
    .check(
      CheckCall(
        name: id, title: "Check \(id)", input: .members([], RecordType(fields: [])), inputType: RecordType(fields: []),
        steps: steps, outputs: outputs, expectations: expect, longest: .seconds(5), tries: tries)))
}

func parallel(
  _ id: String, _ steps: [PlannedStep], limit: Int = 8, onFailure: PlannedStep.OnFailure = .stop,
  expect: [Expectation] = [], tries: Tries = Tries()
) -> PlannedStep {
  group(id, onFailure: onFailure, .parallel(ParallelGroup(steps, limit: limit, expectations: expect, tries: tries)))
}

/// A loop over these numbers, or over what an expression gives.
func loop(
  _ id: String, over numbers: [Int64] = [], list: Expression? = nil, limit: Int = 1, _ steps: [PlannedStep],
  onFailure: PlannedStep.OnFailure = .stop, condition: Expression? = nil, expect: [Expectation] = [],
  tries: Tries = Tries()
) -> PlannedStep {
  let literal = expression("[…]") { _ in .list(numbers.map(Value.int)) }
  return group(
    id, onFailure: onFailure, condition: condition,
    .forEach(
      Loop(
        list: list ?? literal, itemType: .int, variable: "item", limit: limit, steps: steps, expectations: expect,
        tries: tries)))
}

func phase(
  _ id: String, deadline: Duration, _ steps: [PlannedStep], onFailure: PlannedStep.OnFailure = .stop,
  expect: [Expectation] = [], tries: Tries = Tries()
) -> PlannedStep {
  group(id, onFailure: onFailure, .phase(Phase(steps, deadline: deadline, expectations: expect, tries: tries)))
}

private func group(
  _ id: String, onFailure: PlannedStep.OnFailure, condition: Expression? = nil, _ body: StepBody
) -> PlannedStep {
  PlannedStep(
    id: id, title: "Group \(id)", condition: condition, onFailure: onFailure, isDiagnostic: false, range: nowhere,
    body: body)
}

func ask(
  _ id: String, _ kind: Question.Kind = .confirm, text: String = "Go on?", fields: [FieldDeclaration] = [],
  approvers: Approvers? = nil, timeout: Duration = .seconds(60), expect: [Expectation] = [],
  onFailure: PlannedStep.OnFailure = .stop
) -> PlannedStep {
  PlannedStep(
    id: id, title: "Question \(id)", condition: nil, onFailure: onFailure, isDiagnostic: false, range: nowhere,
    body: .ask(
      Question(
        kind, input: .members([("question", .literal(.string(text)))], Question.inputType), fields: fields,
        approvers: approvers, timeout: timeout, expectations: expect)))
}

let nowhere = SourceRange(file: "test.yaml", line: 1, column: 1)

func plan(
  _ steps: [PlannedStep], timeout: Duration? = nil, hypothesis: [PlannedStep] = [], rollback: RollbackPolicy = .never,
  finally: [PlannedStep] = []
) -> Plan {
  Plan(
    name: "test", title: "Test", severity: nil, params: [], target: nil, secrets: [:], timeout: timeout,
    hypothesis: hypothesis, steps: steps, rollback: rollback, finally: finally, sources: [])
}

/// An expression whose value a closure gives.
func expression(
  _ source: String, _ value: @escaping @Sendable (Scope) throws(ExpressionError) -> Value
) -> Expression {
  Expression(source: source, type: .bool, range: nowhere) { (scope, _) throws(ExpressionError) in
    Expression.Evaluation(value: try value(scope), parts: [])
  }
}

let missingValue = ExpressionError(message: "no such value", range: nowhere)

func startedEvent() -> RunStarted {
  RunStarted(
    runbook: "test", title: "Test", number: 1, severity: nil, target: nil, parent: nil, params: .members([]),
    tool: ToolFacts(version: "0"), host: "host", user: "user", pid: 1, sources: [], volatile: false)
}

let epoch = Timestamp(seconds: 0, nanoseconds: 0)

/// Drives a machine without tasks or clock: every try gets the result that `answer` gives, every question a second after it
/// was asked what `reply` gives; nil for nobody who comes.
func rehearse(
  _ plan: Plan, run: String = "RUN", reconciledAs verdict: StepReconciled.ReconciliationVerdict = .unknown,
  answer: (Try) -> StepResultRecorded = { passed($0) }, reply: (Asking) -> PersonAnswered? = { accepted($0) }
) -> [Event] {
  var machine = RunMachine(plan: plan, run: run)
  var events: [Event] = []
  func apply(_ event: Event, _ now: Duration) {
    machine.apply(event, wall: epoch, at: now)
    events.append(event)
  }
  apply(.runStarted(startedEvent()), .zero)
  var now = Duration.zero
  while events.count < 1000 {
    switch machine.next(at: now) {
    case .record(let event): apply(event, now)
    case .begin(let attempt):
      apply(attempt.intent, now)
      now += .seconds(1)
      apply(.stepResult(answer(attempt)), now)
    case .reconcile(let attempt, _): apply(.stepReconciled(attempt.reconciled(verdict)), now)
    case .unresolved: return events
    case .ask(let asking):
      apply(.personAsked(askedEvent(asking)), now)
      guard let reply = reply(asking) else { continue }
      now += .seconds(1)
      apply(.personAnswered(reply), now)
    case .wait(let until?): now = until
    case .wait(until: nil): return events
    case .finish(let outcome, let finding):
      apply(.runFinished(RunFinished(outcome: outcome, finding: finding, signal: nil, duration: now)), now)
      return events
    }
  }
  return events
}

/// The event of a question that was asked when the run began.
func askedEvent(_ asking: Asking) -> PersonAsked {
  let started = RecordedEvent(
    seq: 1, moment: Moment(wall: epoch ?? .unixEpoch, monotonic: 0, boot: ""), event: .runStarted(startedEvent()))
  return asking.event(by: started, run: "RUN", at: started.moment)
}

func accepted(_ asking: Asking, _ values: Value = .members([])) -> PersonAnswered {
  PersonAnswered(
    path: asking.path, attempt: 1, accepted: true, answer: values, reason: nil, user: "alice", uid: 1000, way: .command)
}

func declined(_ asking: Asking, reason: String? = nil) -> PersonAnswered {
  PersonAnswered(
    path: asking.path, attempt: 1, accepted: false, answer: .null, reason: reason, user: "alice", uid: 1000,
    way: .terminal)
}

func passed(_ attempt: Try) -> StepResultRecorded { result(attempt, .pass, number: attempt.input["number"] ?? .null) }

func result(
  _ attempt: Try, _ outcome: Outcome, number: Value = .int(1), notStarted: Bool = false
) -> StepResultRecorded {
  StepResultRecorded(
    path: attempt.path, attempt: attempt.attempt, outcome: outcome,
    output: .members([.init("number", number), .init("waited", .duration(.milliseconds(1500)))]),
    finding: outcome.isGood ? nil : Finding("test.refused", "the service refused"), notStarted: notStarted,
    duration: .seconds(1))
}

extension [Event] {
  /// The outcome of each step that ended, by path; a skipped step's is `skipped`.
  var outcomes: [String: Outcome] {
    var outcomes: [String: Outcome] = [:]
    for event in self {
      switch event {
      case .stepFinished(let finished): outcomes[finished.path.description] = finished.outcome
      case .stepSkipped(let skipped): outcomes[skipped.path.description] = .skipped
      default: break
      }
    }
    return outcomes
  }

  var runOutcome: Outcome? {
    guard case .runFinished(let finished) = last else { return nil }
    return finished.outcome
  }

  func finished(_ path: String) -> StepFinished? {
    lazy.compactMap { event -> StepFinished? in
      guard case .stepFinished(let finished) = event, finished.path.description == path else { return nil }
      return finished
    }.first
  }

  func skipped(_ path: String) -> StepSkipped? {
    lazy.compactMap { event -> StepSkipped? in
      guard case .stepSkipped(let skipped) = event, skipped.path.description == path else { return nil }
      return skipped
    }.first
  }

  var intents: [StepIntent] {
    compactMap { event -> StepIntent? in
      guard case .stepIntent(let intent) = event else { return nil }
      return intent
    }
  }

  var waits: [StepWaiting] {
    compactMap { event -> StepWaiting? in
      guard case .stepWaiting(let waiting) = event else { return nil }
      return waiting
    }
  }
}

/// No run came before.
struct NoHistory: RunHistory {
  func runs(of runbook: String?, since: Timestamp?, limit: Int) throws -> [RunSummary] { [] }
}

/// The event as a reader of the journal gets it: secrets masked, durations as literals, everything else as it is.
func throughJSON(_ event: Event) throws(Mismatch) -> Event { try Event(type: event.type, fields: event.fields) }
