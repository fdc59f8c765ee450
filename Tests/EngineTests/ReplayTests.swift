import Journal
import Language
import Schema
import Steps
import TestSupport
import Testing

@testable import Engine

/// Runs that are gone on with from their journal, against those that never stopped.
@Suite struct ReplayTests {
  /// What a module gives that JSON holds as text only, and what it is given that a journal must not hold.
  private struct Rich: StepModule {
    struct Input: Hashable, Sendable { var number: Int, secret: Secret, wait: Duration }
    struct Output: Hashable, Sendable {
      var number: Int, waited: Duration, at: Timestamp, bytes: [UInt8], share: Double, waits: [Duration], note: String?
    }

    static let declaration = ModuleDeclaration(
      "test.rich", "Answers.", effect: .change, repetition: .idempotent, judges: true, deadline: .seconds(5),
      input: Record(
        Input.init, Field("number", \.number, .int, "N."), Field("secret", \.secret, .secret, "S."),
        Field("wait", \.wait, .duration, "W.")),
      output: Record(
        Output.init, Field("number", \.number, .int, "N."), Field("waited", \.waited, .duration, "W."),
        Field("at", \.at, .timestamp, "T."), Field("bytes", \.bytes, .bytes, "B."),
        Field("share", \.share, .percent, "P."), Field("waits", \.waits, .list(.duration), "L."),
        Field("note", \.note, .optional(.string), "O.")),
      examples: [])

    func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
      throw .notStarted("test.unused", "the machine is driven without it")
    }
  }

  private static let module = AnyStepModule(Rich.self)

  /// A value of every type; the whole percent is an int in JSON.
  private static let typed = Value.members([
    .init("number", .int(2)), .init("waited", .duration(.microseconds(4217))),
    .init("at", .timestamp(Timestamp(seconds: 5, nanoseconds: 7) ?? .unixEpoch)), .init("bytes", .bytes([0, 255])),
    .init("share", .double(50)), .init("waits", .list([.duration(.seconds(1)), .duration(.milliseconds(1))])),
    .init("note", .string("5ms")),
  ])

  private func output(_ attempt: Try) -> Value {
    guard case .members(let members) = Self.typed else { return .null }
    return .members([.init("number", .int(Int64(attempt.attempt)))] + members.dropFirst())
  }

  private func rich(
    _ id: String, wait: Expression? = nil, condition: Expression? = nil, until: Expression? = nil,
    expect: [Language.Expectation] = [], retry: RetryPolicy? = nil, onFailure: PlannedStep.OnFailure = .stop,
    isDiagnostic: Bool = false
  ) -> PlannedStep {
    PlannedStep(
      id: id, title: "Step \(id)", condition: condition, onFailure: onFailure, isDiagnostic: isDiagnostic,
      range: nowhere,
      body: .call(
        ModuleCall(
          module: Self.module,
          input: .members(
            [
              ("number", .literal(.int(1))), ("secret", .literal(.secret(Secret("hunter22")))),
              ("wait", wait.map { .expression($0, .duration) } ?? .literal(.duration(.seconds(1)))),
            ], Self.module.input), until: until, expectations: expect, retry: retry, timeout: .seconds(5))))
  }

  private func expectation(
    _ source: String, _ severity: JudgedExpectation.Severity = .fail,
    _ value: @escaping @Sendable (Scope) throws(ExpressionError) -> Value
  ) -> Language.Expectation {
    Language.Expectation(that: expression(source, value), severity: severity, message: nil)
  }

  /// Every construct of today: what depends on types that JSON lacks would go another way were they lost.
  private var plan: Plan {
    let retry = RetryPolicy(times: 2, backoff: .seconds(1), factor: 2, maxDelay: .seconds(9), jitter: 0.3)
    let waited = expression("steps.first.output.waited == duration('4.217ms')") {
      .bool($0.steps["first"]?.output?["waited"] == .duration(.microseconds(4217)))
    }
    let isSecond = expression("output.number == 2") { .bool($0.output?["number"] == .int(2)) }
    let allTyped = expectation("all types") { .bool($0.output == Self.typed) }
    let warns = expectation("false", .warn) { _ in .bool(false) }
    let fails = expectation("false") { _ in .bool(false) }
    let hasTook = expectation("output.took") { .bool($0.output?["took"] == .duration(.microseconds(4217))) }
    let inner = CheckCall.Output(
      declaration: FieldDeclaration(name: "took", type: .duration, summary: "T."),
      value: expression("steps.y.output.waited") { $0.steps["y"]?.output?["waited"] ?? .null })
    let passedOn = CheckCall.Output(
      declaration: FieldDeclaration(name: "took", type: .duration, summary: "T."),
      value: expression("steps.inner.output.took") { $0.steps["inner"]?.output?["took"] ?? .null })
    let took = expression("steps.outer.output.took") { $0.steps["outer"]?.output?["took"] ?? .null }
    let allElements = expectation("output") {
      guard case .list(let elements) = $0.output else { return .bool(false) }
      let items = elements.map { $0["item"] }
      let outputs = elements.map { $0["output"]?["waited"] }
      return .bool(
        items == [.duration(.seconds(1)), .duration(.milliseconds(1))]
          && outputs == [.duration(.microseconds(4217)), .duration(.microseconds(4217))])
    }
    let never = expression("false") { _ in .bool(false) }
    let broken = expression("missing") { (_) throws(ExpressionError) in throw missingValue }
    let form = ask(
      "form", .form, fields: [FieldDeclaration(name: "pause", type: .duration, summary: "P.")],
      expect: [expectation("output.pause") { .bool($0.output?["pause"] == .duration(.seconds(90))) }])
    let filled = expression("steps.form.output.pause == duration('90s')") {
      .bool($0.steps["form"]?.output?["pause"] == .duration(.seconds(90)))
    }
    let innerCheck = check(
      "inner", [rich("x", onFailure: .continue), rich("y")], outputs: [inner], onFailure: .continue)
    let steps: [PlannedStep] = [
      rich("first", expect: [allTyped], retry: retry),
      rich("until", until: isSecond, retry: retry),
      rich("when", condition: waited),
      rich("never", condition: never),
      rich("noValue", condition: broken, onFailure: .continue),
      rich("diagnostic", expect: [fails], isDiagnostic: true),
      rich("warned", expect: [warns]),
      rich("kept", retry: retry, onFailure: .continue),
      check("outer", [innerCheck, rich("z")], outputs: [passedOn], expect: [hasTook]),
      rich("given", wait: took), form, rich("filled", condition: filled),
      PlannedStep(
        id: "sweep", title: "Sweep", condition: nil, onFailure: .stop, isDiagnostic: false, range: nowhere,
        body: .forEach(
          Loop(
            list: expression("waits") { $0.steps["first"]?.output?["waits"] ?? .null }, itemType: .duration,
            variable: "wait", limit: 2, steps: [rich("each", wait: expression("wait") { $0.items["wait"] ?? .null })],
            expectations: [allElements], tries: Tries(retry: retry)))),
      phase("late", deadline: .seconds(5), [rich("hurried")]), rich("stops"), rich("after"),
    ]
    return EngineTests.plan(steps)
  }

  private func answer(_ attempt: Try) -> StepResultRecorded {
    let isSweptTwice = attempt.path.text == "sweep[1]/each"
    let bad = ["first": attempt.attempt == 1, "kept": true, "stops": true][attempt.path.id] ?? isSweptTwice
    return StepResultRecorded(
      path: attempt.path, attempt: attempt.attempt, outcome: bad ? .fail : .pass, output: output(attempt),
      finding: bad ? Finding("test.refused", "the service refused") : nil, notStarted: false, duration: .seconds(1))
  }

  private func reply(to path: StepPath) -> Event {
    .personAnswered(
      PersonAnswered(
        path: path, attempt: 1, accepted: true, answer: .members([.init("pause", .duration(.seconds(90)))]),
        reason: nil,
        user: "alice", uid: 1000, way: .command))
  }

  /// The answer that comes to a question that was asked last.
  private func answer(after event: Event) -> Event? {
    if case .personAsked(let asked) = event { reply(to: asked.path) } else { nil }
  }

  /// What happens to a machine until its end: events, and the clear inputs of tries.
  private struct Course: Equatable {
    var events: [Event] = []
    var inputs: [Value] = []
  }

  /// Drives on from a moment.
  ///
  /// - Parameters:
  ///   - begun: the try that was begun last, and ends now.
  ///   - answer: the answer to the question that was asked last.
  private func driveOn(
    _ machine: RunMachine, from start: Duration, begun: Try? = nil, answer given: Event? = nil
  ) -> Course {
    var (machine, now, course) = (machine, start, Course())
    func apply(_ event: Event) {
      machine.apply(event, wall: epoch, at: now)
      course.events.append(event)
    }
    if let begun {
      now += .seconds(1)
      apply(.stepResult(answer(begun)))
    }
    if let given {
      now += .seconds(1)
      apply(given)
    }
    while course.events.count < 1000 {
      switch machine.next(at: now) {
      case .record(let event): apply(event)
      case .begin(let attempt):
        course.inputs.append(attempt.input)
        apply(attempt.intent)
        now += .seconds(1)
        apply(.stepResult(answer(attempt)))
      case .reconcile, .unresolved: return course
      case .ask(let asking):
        apply(.personAsked(askedEvent(asking)))
        now += .seconds(1)
        apply(reply(to: asking.path))
      case .wait(let until?): now = until
      case .wait(until: nil): return course
      case .finish(let outcome, let finding):
        apply(.runFinished(RunFinished(outcome: outcome, finding: finding, signal: nil, duration: now)))
        return course
      }
    }
    return course
  }

  /// The whole run: its events, when each was applied, and the try that was begun by each intent.
  private func whole() -> [(event: Event, at: Duration, begun: Try?)] {
    var machine = RunMachine(plan: plan, run: "RUN")
    var now = Duration.zero
    var events: [(event: Event, at: Duration, begun: Try?)] = []
    func apply(_ event: Event, begun: Try? = nil) {
      machine.apply(event, wall: epoch, at: now)
      events.append((event, now, begun))
    }
    apply(.runStarted(startedEvent()))
    while events.count < 1000 {
      switch machine.next(at: now) {
      case .record(let event): apply(event)
      case .begin(let attempt):
        apply(attempt.intent, begun: attempt)
        now += .seconds(1)
        apply(.stepResult(answer(attempt)))
      case .reconcile, .unresolved: return events
      case .ask(let asking):
        apply(.personAsked(askedEvent(asking)))
        now += .seconds(1)
        apply(reply(to: asking.path))
      case .wait(let until?): now = until
      case .wait(until: nil): return events
      case .finish(let outcome, let finding):
        apply(.runFinished(RunFinished(outcome: outcome, finding: finding, signal: nil, duration: now)))
        return events
      }
    }
    return events
  }

  @Test("The run of the test meets every construct")
  func constructs() {
    let events = whole().map(\.event)
    #expect(
      events.outcomes == [
        "first": .pass, "until": .pass, "when": .pass, "never": .skipped, "noValue": .error, "diagnostic": .fail,
        "warned": .warn, "kept": .fail, "outer": .pass, "outer/inner": .pass, "outer/inner/x": .pass,
        "outer/inner/y": .pass, "outer/z": .pass, "given": .pass, "form": .pass, "filled": .pass,
        "sweep[0]/each": .pass, "sweep[0]": .pass, "sweep[1]/each": .fail, "sweep[1]": .fail, "sweep[0]#2/each": .pass,
        "sweep[0]#2": .pass, "sweep[1]#2/each": .pass, "sweep[1]#2": .pass, "sweep": .pass, "late/hurried": .pass,
        "late": .warn, "stops": .fail, "after": .skipped,
      ])
    #expect(events.runOutcome == .error)
    #expect(events.waits.count == 5)
    #expect(!"\(events)".contains("hunter22"))
  }

  @Test("From every prefix of its journal the run goes on as it would have, with the same clear inputs")
  func prefixes() throws {
    let events = whole()
    // The whole journal ends with the run: nothing goes on.
    for length in 1..<events.count {
      var live = RunMachine(plan: plan, run: "RUN")
      var read = RunMachine(plan: plan, run: "RUN")
      for (event, at, _) in events.prefix(length) {
        live.apply(event, wall: epoch, at: at)
        read.apply(try throughJSON(event), wall: epoch, at: at)
      }
      let (last, now, begun) = events[length - 1]
      let next = answer(after: last)
      let expected = driveOn(live, from: now, begun: begun, answer: next)
      let found = driveOn(read, from: now, begun: begun, answer: next)
      #expect(expected == found, "after \(length) events, the last of which is \(events[length - 1].event)")
      let rest = events.dropFirst(length).map(\.event)
      #expect(expected.events == rest, "after \(length) events")
    }
  }

  @Test(
    "An event of any kind of another step or of the run itself, live or read back, changes a run alike",
    arguments: Event.kinds.map(\.type))
  func anyKind(type: String) throws {
    let kind = try #require(Event.kind(named: type))
    let strange = try Event(type: type, fields: sampleFields(of: kind, seed: 1000))
    let events = whole()
    for length in stride(from: 1, to: events.count, by: 7) {
      var live = RunMachine(plan: plan, run: "RUN")
      var read = RunMachine(plan: plan, run: "RUN")
      for (event, at, _) in events.prefix(length) {
        live.apply(event, wall: epoch, at: at)
        read.apply(try throughJSON(event), wall: epoch, at: at)
      }
      let (last, now, begun) = events[length - 1]
      let next = answer(after: last)
      live.apply(strange, wall: epoch, at: now)
      read.apply(try throughJSON(strange), wall: epoch, at: now)
      let expected = driveOn(live, from: now, begun: begun, answer: next)
      let found = driveOn(read, from: now, begun: begun, answer: next)
      #expect(expected == found, "after \(length) events")
      if !["run.signalled", "run.timedOut", "run.finished"].contains(type) {
        #expect(expected.events == events.dropFirst(length).map(\.event), "after \(length) events")
      }
    }
  }
}
