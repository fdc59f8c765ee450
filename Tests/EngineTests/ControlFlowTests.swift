import Journal
import Language
import Schema
import Steps
import Testing

@testable import Engine

/// Loops, phases, and tries of checks and groups.
@Suite struct ControlFlowTests {
  private let twice = RetryPolicy(times: 2, backoff: .seconds(4), factor: 1, maxDelay: .seconds(4), jitter: 0)

  private func numbered(_ id: String) -> PlannedStep {
    PlannedStep(
      id: id, title: id, condition: nil, onFailure: .stop, isDiagnostic: false, range: nowhere,
      body: .call(
        ModuleCall(
          module: AnyStepModule(AnswerModule.self),
          input: .members(
            [("number", .expression(expression("item") { $0.items["item"] ?? .null }, .int))],
            AnyStepModule(AnswerModule.self).input),
          timeout: .seconds(5))))
  }

  // MARK: Loops

  @Test("A loop runs its steps for each element, lists the elements first, and gives what each came to")
  func loopResult() throws {
    let sees = expression("output") {
      .bool(
        $0.output
          == .list([
            .members([
              .init("item", .int(7)), .init("outcome", .string("pass")),
              .init("output", .members([.init("number", .int(7)), .init("waited", .duration(.milliseconds(1500)))])),
            ]),
            .members([
              .init("item", .int(9)), .init("outcome", .string("pass")),
              .init("output", .members([.init("number", .int(9)), .init("waited", .duration(.milliseconds(1500)))])),
            ]),
          ]))
    }
    let later = expression("steps.sweep") { .bool($0.steps["sweep"]?.output?.elements.count == 2) }
    let events = rehearse(
      plan([
        loop(
          "sweep", over: [7, 9], [step("first"), numbered("probe")],
          expect: [Expectation(that: sees, severity: .fail, message: nil)]), step("after", condition: later),
      ]))
    #expect(
      events.outcomes == [
        "sweep[0]/first": .pass, "sweep[0]/probe": .pass, "sweep[0]": .pass, "sweep[1]/first": .pass,
        "sweep[1]/probe": .pass, "sweep[1]": .pass, "sweep": .pass, "after": .pass,
      ])
    let listed = try #require(events.firstIndex { $0.type == "elements.listed" })
    let first = try #require(events.firstIndex { $0.path == "sweep[0]" })
    #expect(listed < first)
    #expect(events.count { $0.type == "elements.listed" } == 1)
  }

  @Test("The list is evaluated once, however often the loop is tried or its journal is read")
  func listOnce() throws {
    let list = expression("steps.first") { (scope) throws(ExpressionError) in
      // By the second try this would be another list.
      scope.steps["sweep"] == nil ? .list([.int(1), .int(2)]) : .list([])
    }
    let plan = plan([
      step("first"), loop("sweep", list: list, [step("probe")], onFailure: .continue, tries: Tries(retry: twice)),
    ])
    let events = rehearse(plan) {
      $0.path == "first" || $0.path.text.hasPrefix("sweep[1]#3") ? passed($0) : result($0, .fail)
    }
    #expect(events.count { $0.type == "elements.listed" } == 1)
    #expect(events.outcomes["sweep[1]#3/probe"] == .pass)
    var replayed = RunMachine(
      plan: EngineTests.plan([step("first"), loop("sweep", list: never, [step("probe")])]), run: "RUN")
    for event in events.prefix(through: try #require(events.firstIndex { $0.type == "elements.listed" })) {
      replayed.apply(try throughJSON(event), wall: epoch, at: .zero)
    }
    guard case .record(.stepStarted(let started)) = replayed.next(at: .zero) else {
      Testing.Issue.record("the first element begins")
      return
    }
    #expect(started.path == "sweep[0]" && started.title == "item 1")
  }

  private let never = expression("never") { (_) throws(ExpressionError) in
    Testing.Issue.record("the list is evaluated again")
    throw missingValue
  }

  @Test("An empty list skips the loop; one without a value is an error")
  func emptyList() {
    let broken = expression("missing") { (_) throws(ExpressionError) in throw missingValue }
    let events = rehearse(
      plan([loop("none", [step("a")]), loop("broken", list: broken, [step("b")], onFailure: .continue), step("last")]))
    #expect(events.outcomes == ["none": .skipped, "broken": .error, "last": .pass])
    #expect(events.skipped("none")?.reason == "its list is empty: […]")
    #expect(events.finished("broken")?.finding?.code == "expression.noValue")
    #expect(events.runOutcome == .error)
  }

  @Test("What is expected of a group is judged if nothing inside was done, an empty list included")
  func judgedThoughSkipped() {
    let never = expression("false") { _ in .bool(false) }
    let isNotEmpty = expression("output.size() > 0") { .bool($0.output?.elements.isEmpty == false) }
    let hasPassed = expression("steps.in.outcome == 'pass'") { .bool($0.steps["in"]?.outcome == .pass) }
    let skipped = parallel(
      "sides", [step("in", condition: never)], onFailure: .continue,
      expect: [.init(that: hasPassed, severity: .fail, message: nil)])
    let events = rehearse(
      plan([
        loop(
          "none", [step("a")], onFailure: .continue, expect: [.init(that: isNotEmpty, severity: .fail, message: nil)]),
        skipped, step("last"),
      ]))
    #expect(events.outcomes["none"] == .fail && events.outcomes["sides"] == .fail && events.outcomes["last"] == .pass)
    #expect(events.runOutcome == .fail)
  }

  @Test("Every element runs, whatever some come to; inside one a failure stops the rest")
  func elementFails() {
    let events = rehearse(plan([loop("all", over: [0, 1, 2], [step("a"), step("b")]), step("after")])) {
      $0.path == "all[1]/a" ? result($0, .fail) : passed($0)
    }
    #expect(events.outcomes["all[1]/b"] == .skipped)
    #expect(events.outcomes["all[1]"] == .fail)
    #expect(events.outcomes["all[2]/b"] == .pass)
    #expect(events.outcomes["all"] == .fail)
    #expect(events.outcomes["after"] == .skipped)
  }

  @Test("After a signal the elements that have not begun are skipped")
  func loopSignal() throws {
    var machine = RunMachine(plan: plan([loop("all", over: [0, 1, 2], [step("a")])]), run: "RUN")
    var events: [Event] = []
    func apply(_ event: Event) {
      machine.apply(event, wall: epoch, at: .zero)
      events.append(event)
    }
    apply(.runStarted(startedEvent()))
    while true {
      switch machine.next(at: .zero) {
      case .record(let event): apply(event)
      case .begin(let attempt):
        apply(attempt.intent)
        apply(.runSignalled(RunSignalled(signal: 2)))
        apply(.stepResult(passed(attempt)))
      case .wait, .reconcile, .unresolved, .ask:
        Testing.Issue.record("something is due")
        return
      case .finish(let outcome, _):
        #expect(outcome == .pass)
        #expect(
          events.outcomes == ["all[0]/a": .pass, "all[0]": .pass, "all[1]": .skipped, "all[2]": .skipped, "all": .pass])
        return
      }
    }
  }

  @Test("A list whose elements have more steps than any run may have ends in an error before the first")
  func tooMany() {
    let list = expression("many") { _ in .list(Array(repeating: .int(0), count: 50_001)) }
    let events = rehearse(plan([loop("all", list: list, [step("a")])]))
    #expect(events.finished("all")?.finding?.code == "loop.tooManySteps")
    #expect(events.intents.isEmpty)
  }

  // MARK: Phases

  @Test("A phase that is over time is told of when its deadline passes, and warns; what it does goes on")
  func phaseMissed() throws {
    let slow = step(
      "slow", retry: RetryPolicy(times: 1, backoff: .seconds(60), factor: 1, maxDelay: .seconds(60), jitter: 0))
    let events = rehearse(plan([phase("contain", deadline: .seconds(30), [slow, step("b")]), step("after")])) {
      $0.path == "contain/slow" && $0.attempt == 1 ? result($0, .fail) : passed($0)
    }
    let missed = try #require(events.firstIndex { $0.type == "phase.missed" })
    let second = try #require(events.lastIndex { $0.type == "step.intent" && $0.path == "contain/slow" })
    #expect(missed < second)
    #expect(events.outcomes == ["contain/slow": .pass, "contain/b": .pass, "contain": .warn, "after": .pass])
    #expect(events.finished("contain")?.finding?.code == "phase.missed")
    #expect(events.runOutcome == .warn)
  }

  @Test("A phase in time is not told of, and those after it see its steps")
  func phaseInTime() {
    let sees = expression("steps.a") { .bool($0.steps["a"]?.outcome == .pass) }
    let events = rehearse(
      plan([
        phase("contain", deadline: .seconds(30), [step("a"), step("b", condition: sees)]), step("c", condition: sees),
      ]))
    #expect(!events.contains { $0.type == "phase.missed" })
    #expect(events.outcomes == ["contain/a": .pass, "contain/b": .pass, "contain": .pass, "c": .pass])
  }

  @Test("What lies inside a group that was not begun is skipped for the steps behind it")
  func skippedInside() {
    let isSkipped = { (id: String) in
      expression("steps.\(id)") { (scope) throws(ExpressionError) in
        guard let step = scope.steps[id] else { throw missingValue }
        return .bool(step.outcome == .skipped)
      }
    }
    var both = parallel("both", [step("a"), phase("late", deadline: .seconds(30), [step("b")])])
    both.condition = expression("false") { _ in .bool(false) }
    let events = rehearse(
      plan([both, step("after", condition: isSkipped("a")), step("deep", condition: isSkipped("b"))]))
    #expect(events.outcomes == ["both": .skipped, "after": .pass, "deep": .pass])
  }

  @Test("The deadline counts from the run's start: a phase that begins after it has missed it")
  func phaseLate() {
    let events = rehearse(plan([step("a"), phase("late", deadline: .milliseconds(500), [step("b")])]))
    #expect(events.outcomes["late"] == .warn)
  }

  // MARK: Tries

  @Test("A check is tried as a whole until it passes, each try with paths of its own")
  func checkRetried() {
    let events = rehearse(plan([check("turn", [step("a"), step("b")], tries: Tries(retry: twice)), step("after")])) {
      $0.path.text.hasPrefix("turn/") ? result($0, .fail) : passed($0)
    }
    #expect(
      events.outcomes == [
        "turn/a": .fail, "turn/b": .skipped, "turn#2/a": .pass, "turn#2/b": .pass, "turn": .pass, "after": .pass,
      ])
    #expect(events.finished("turn")?.attempts == 2)
    #expect(events.waits.map(\.path) == ["turn"])
    #expect(events.waits.first?.delay == .seconds(4))
    #expect(events.waits.first?.reason == "the step ended in fail")
    #expect(events.runOutcome == .pass)
  }

  @Test("When until never comes true the check fails, and says after how many tries")
  func untilUnmet() {
    let until = expression("output.n == 2") { .bool($0.output?["n"] == .int(2)) }
    let output = CheckCall.Output(
      declaration: FieldDeclaration(name: "n", type: .int, summary: "N."), value: expression("1") { _ in .int(1) })
    let events = rehearse(
      plan([check("turn", [step("a")], outputs: [output], tries: Tries(until: until, retry: twice))]))
    #expect(events.finished("turn")?.finding?.code == "until.unmet")
    #expect(events.finished("turn")?.attempts == 3)
    #expect(events.runOutcome == .fail)
  }

  @Test("until of a group sees the steps inside it, of the last try")
  func untilSeesInside() {
    let until = expression("steps.b") { .bool($0.steps["b"]?.output?["number"] == .int(2)) }
    let events = rehearse(plan([parallel("all", [step("a"), step("b")], tries: Tries(until: until, retry: twice))])) {
      result($0, .pass, number: .int($0.path.text.hasPrefix("all#2") ? 2 : 1))
    }
    #expect(events.outcomes["all"] == .pass)
    #expect(events.finished("all")?.attempts == 2)
  }

  @Test("A signal while a check waits for its next try ends it with what the last came to")
  func signalBetweenTries() {
    var machine = RunMachine(plan: plan([check("turn", [step("a")], tries: Tries(retry: twice))]), run: "RUN")
    machine.apply(.runStarted(startedEvent()), wall: epoch, at: .zero)
    var events: [Event] = []
    while true {
      switch machine.next(at: .zero) {
      case .record(let event):
        machine.apply(event, wall: nil, at: .zero)
        events.append(event)
      case .begin(let attempt):
        machine.apply(attempt.intent, wall: nil, at: .zero)
        machine.apply(.stepResult(result(attempt, .fail)), wall: nil, at: .zero)
      case .wait(let until):
        #expect(until == .seconds(4))
        machine.apply(.runSignalled(RunSignalled(signal: 15)), wall: nil, at: .zero)
      case .reconcile, .unresolved, .ask:
        Testing.Issue.record("nothing was done that is to be taken back, and nobody is asked")
        return
      case .finish(let outcome, _):
        #expect(outcome == .fail)
        #expect(events.outcomes == ["turn/a": .fail, "turn": .fail])
        return
      }
    }
  }

  @Test("A timeout ends a try of a check: nothing more of it begins, tries get what is left, and it is an error")
  func groupTimeout() throws {
    var timeouts: [Duration] = []
    // Each step takes a second.
    let events = rehearse(
      plan([check("turn", [step("a"), step("b"), step("c")], tries: Tries(timeout: .milliseconds(1500)))])
    ) {
      timeouts.append($0.timeout)
      return passed($0)
    }
    #expect(timeouts == [.milliseconds(1500), .milliseconds(500)])
    #expect(events.outcomes == ["turn/a": .pass, "turn/b": .pass, "turn/c": .skipped, "turn": .error])
    #expect(events.skipped("turn/c")?.reason == "the time limit of turn, 1.5s, had passed")
    #expect(events.finished("turn")?.finding?.code == "step.timeout")
  }

  @Test("Nothing waits beyond the time limit around it")
  func waitWithinLimit() {
    let slow = step(
      "a", retry: RetryPolicy(times: 9, backoff: .seconds(60), factor: 1, maxDelay: .seconds(60), jitter: 0))
    let events = rehearse(plan([check("turn", [slow], tries: Tries(timeout: .seconds(30)))])) { result($0, .fail) }
    #expect(events.waits.isEmpty)
    #expect(events.outcomes == ["turn/a": .fail, "turn": .fail])
  }

  // MARK: Effects

  @Test("A check that tells somebody and looks at something stops the run when it fails; one that only tells does not")
  func effects() {
    let notify = AnyStepModule(Notify.self)
    let mixed = check("mixed", [step("look"), step("tell", notify)])
    #expect(mixed.effects == [.observe, .notify])
    let events = rehearse(plan([check("only", [step("tell", notify)]), mixed, step("after")])) {
      $0.path == "mixed/look" || $0.path == "only/tell" ? result($0, .fail) : passed($0)
    }
    #expect(events.outcomes["mixed"] == .fail)
    #expect(events.outcomes["mixed/tell"] == .skipped)
    #expect(events.outcomes["after"] == .skipped)
  }

  private struct Notify: StepModule {
    static let declaration = AnswerModule.declared("test.notify", effect: .notify, repetition: .idempotent)

    func run(_ input: AnswerModule.Input, in context: StepContext) async throws(StepError) -> StepResult<
      AnswerModule.Output
    > {
      .done(AnswerModule.Output(number: input.number, waited: .zero))
    }
  }
}

extension Value {
  fileprivate var elements: [Value] { if case .list(let elements) = self { elements } else { [] } }
}
