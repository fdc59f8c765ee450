import Journal
import Language
import Schema
import Steps
import Testing

@testable import Engine

@Suite struct RunMachineTests {
  @Test("Steps run in order and the run passes when all pass")
  func sequence() {
    let events = rehearse(plan([step("a"), step("b"), step("c")]))
    #expect(events.intents.map(\.path) == ["a", "b", "c"])
    #expect(events.runOutcome == .pass)
  }

  @Test("A failing step stops the run, and every step after it is recorded as skipped with the reason")
  func stops() {
    let events = rehearse(plan([step("a"), step("b"), step("c")])) { $0.path == "a" ? result($0, .fail) : passed($0) }
    #expect(events.outcomes == ["a": .fail, "b": .skipped, "c": .skipped])
    #expect(events.skipped("b")?.reason == "a ended in fail")
    #expect(events.runOutcome == .fail)
  }

  @Test("A step that continues on failure counts, but the steps after it run")
  func continues() {
    let events = rehearse(plan([step("a", onFailure: .continue), step("b")])) {
      $0.path == "a" ? result($0, .fail) : passed($0)
    }
    #expect(events.outcomes == ["a": .fail, "b": .pass])
    #expect(events.runOutcome == .fail)
  }

  @Test("A diagnostic step is recorded, never counted, and never stops")
  func diagnostic() {
    let events = rehearse(plan([step("a", isDiagnostic: true), step("b")])) {
      $0.path == "a" ? result($0, .error) : passed($0)
    }
    #expect(events.outcomes == ["a": .error, "b": .pass])
    #expect(events.runOutcome == .pass)
  }

  @Test("A false condition skips the step; all skipped is skipped")
  func condition() {
    let never = expression("false") { _ in .bool(false) }
    let events = rehearse(plan([step("a", condition: never)]))
    #expect(events.skipped("a")?.reason == "its condition is false: false")
    #expect(events.runOutcome == .skipped)
  }

  @Test("A condition without a value is an error, not a skip")
  func conditionWithoutValue() {
    let broken = expression("x") { (_) throws(ExpressionError) in throw missingValue }
    let events = rehearse(plan([step("a", condition: broken), step("b")]))
    #expect(events.finished("a")?.outcome == .error)
    #expect(events.finished("a")?.finding?.code == "expression.noValue")
    #expect(events.outcomes["b"] == .skipped)
    #expect(events.runOutcome == .error)
  }

  @Test(
    "Expectations are judged after the last try; what cannot be judged is an error",
    arguments: [
      (JudgedExpectation.Severity.fail, Value.bool(true), Outcome.pass),
      (.fail, .bool(false), .fail), (.warn, .bool(false), .warn), (.warn, .int(1), .error), (.fail, .null, .error),
    ])
  func expectations(severity: JudgedExpectation.Severity, value: Value, outcome: Outcome) {
    let expectation = Expectation(that: expression("that") { _ in value }, severity: severity, message: nil)
    let events = rehearse(plan([step("a", expect: [expectation])]))
    #expect(events.finished("a")?.outcome == outcome)
    #expect(events.runOutcome == outcome)
  }

  @Test("An expectation sees the output of the last try")
  func expectationSeesOutput() {
    let isSeven = expression("output.number == 7") { .bool($0.output?["number"] == .int(7)) }
    let retry = RetryPolicy(times: 2, backoff: .seconds(1), factor: 2, maxDelay: .seconds(10), jitter: 0)
    let events = rehearse(
      plan([step("a", expect: [Expectation(that: isSeven, severity: .fail, message: nil)], retry: retry)])
    ) { $0.attempt == 1 ? result($0, .fail, number: .int(1)) : result($0, .pass, number: .int(7)) }
    #expect(events.finished("a")?.attempts == 2)
    #expect(events.runOutcome == .pass)
  }

  @Test("A try is repeated with growing waits, as often as declared, and the last result counts")
  func retries() {
    let retry = RetryPolicy(times: 3, backoff: .seconds(1), factor: 3, maxDelay: .seconds(5), jitter: 0)
    let events = rehearse(plan([step("a", retry: retry)])) { result($0, .fail) }
    #expect(events.intents.map(\.attempt) == [1, 2, 3, 4])
    #expect(events.waits.map(\.delay) == [.seconds(1), .seconds(3), .seconds(5)])
    #expect(events.finished("a")?.outcome == .fail)
  }

  @Test("Jitter shortens a wait by at most its part, and a replay draws the same")
  func jitter() {
    let retry = RetryPolicy(times: 5, backoff: .seconds(10), factor: 1, maxDelay: .seconds(10), jitter: 0.5)
    let plan = plan([step("a", retry: retry)])
    let first = rehearse(plan) { result($0, .fail) }.waits.map(\.delay)
    let second = rehearse(plan) { result($0, .fail) }.waits.map(\.delay)
    #expect(first == second)
    #expect(first.allSatisfy { (Duration.seconds(5)...Duration.seconds(10)).contains($0) })
    #expect(Set(first).count > 1)
  }

  @Test("until repeats a good try that does not hold yet, and exhausted it fails")
  func until() {
    let retry = RetryPolicy(times: 2, backoff: .seconds(1), factor: 1, maxDelay: .seconds(1), jitter: 0)
    let isThree = expression("output.number == 3") { .bool($0.output?["number"] == .int(3)) }
    let plan = plan([step("a", until: isThree, retry: retry)])
    let held = rehearse(plan) { result($0, .pass, number: .int(Int64($0.attempt))) }
    #expect(held.finished("a")?.outcome == .pass)
    #expect(held.finished("a")?.attempts == 3)
    let exhausted = rehearse(plan) { result($0, .pass, number: .int(0)) }
    #expect(exhausted.finished("a")?.outcome == .fail)
    #expect(exhausted.finished("a")?.finding?.code == "until.unmet")
  }

  @Test(
    "A step that runs at most once is repeated only where nothing was begun",
    arguments: [(false, 1), (true, 3)])
  func atMostOnce(notStarted: Bool, attempts: Int) {
    let retry = RetryPolicy(times: 2, backoff: .seconds(1), factor: 1, maxDelay: .seconds(1), jitter: 0)
    let events = rehearse(plan([step("a", AnyStepModule(Act.self), retry: retry)])) {
      result($0, .error, notStarted: notStarted)
    }
    #expect(events.finished("a")?.attempts == attempts)
  }

  @Test("Every try of a step has the same idempotency key; other steps and runs have others")
  func idempotencyKeys() {
    let retry = RetryPolicy(times: 1, backoff: .seconds(1), factor: 1, maxDelay: .seconds(1), jitter: 0)
    let plan = plan([step("a", retry: retry, onFailure: .continue), step("b")])
    let keys = rehearse(plan, run: "R1") { result($0, .fail) }.intents.map(\.key)
    #expect(keys.count == 3)
    #expect(keys[0] == keys[1])
    #expect(keys[1] != keys[2])
    #expect(rehearse(plan, run: "R2") { result($0, .fail) }.intents.map(\.key) != keys)
    // printf 'R1\0steps\0a' | sha256sum
    #expect(keys[0] == "2d4202dd783c500017c432d81fd2b706b477c36f0e7dfe1ec09e3973c9277bfe")
  }

  @Test("A check runs its steps in its own scope, has their worst outcome, and gives its outputs to the caller")
  func checks() {
    let output = CheckCall.Output(
      declaration: FieldDeclaration(name: "answer", type: .int, summary: "The answer."),
      value: expression("steps.inner.output.number") { $0.steps["inner"]?.output?["number"] ?? .null })
    let usesAnswer = Expectation(
      that: expression("output.answer == 5") { .bool($0.output?["answer"] == .int(5)) }, severity: .fail, message: nil)
    let sees = expression("steps.c.output.answer == 5") { .bool($0.steps["c"]?.output?["answer"] == .int(5)) }
    let isPrivate = expression("!has(steps.before)") { .bool($0.steps["before"] == nil) }
    let events = rehearse(
      plan([
        step("before"),
        check("c", [step("inner", number: 5, condition: isPrivate)], outputs: [output], expect: [usesAnswer]),
        step("after", condition: sees),
      ]))
    #expect(events.outcomes == ["before": .pass, "c/inner": .pass, "c": .pass, "after": .pass])
    #expect(events.finished("c")?.output == .members([.init("answer", .int(5))]))
  }

  @Test("A failing step inside a check stops the check and the caller")
  func checkFails() {
    let output = CheckCall.Output(
      declaration: FieldDeclaration(name: "answer", type: .int, summary: "The answer."),
      value: expression("missing") { (_) throws(ExpressionError) in throw missingValue })
    let events = rehearse(plan([check("c", [step("x"), step("y")], outputs: [output]), step("z")])) {
      $0.path == "c/x" ? result($0, .fail) : passed($0)
    }
    #expect(events.outcomes == ["c/x": .fail, "c/y": .skipped, "c": .fail, "z": .skipped])
  }

  @Test("A good check whose output has no value is an error")
  func checkOutputWithoutValue() {
    let output = CheckCall.Output(
      declaration: FieldDeclaration(name: "answer", type: .int, summary: "The answer."),
      value: expression("missing") { (_) throws(ExpressionError) in throw missingValue })
    let events = rehearse(plan([check("c", [step("x")], outputs: [output])]))
    #expect(events.finished("c")?.finding?.code == "check.outputMissing")
    #expect(events.runOutcome == .error)
  }

  @Test("Branches do not see each other, and what comes after their group sees them all")
  func branches() {
    let sees = { (id: String) in expression("steps.\(id)") { .bool($0.steps[id]?.outcome == .pass) } }
    let events = rehearse(
      plan([
        step("first"),
        parallel(
          "all",
          [
            step("a"), step("b", condition: sees("first")), step("c", condition: sees("a")),
            parallel("inner", [step("d"), step("e", condition: sees("d"))]),
          ], limit: 1),
        step("after", condition: sees("a")), step("last", condition: sees("d")),
      ]))
    #expect(
      events.outcomes == [
        "first": .pass, "all/a": .pass, "all/b": .pass, "all/c": .skipped, "all/inner/d": .pass,
        "all/inner/e": .skipped, "all/inner": .pass, "all": .pass, "after": .pass, "last": .pass,
      ])
  }

  @Test("A branch that fails leaves the others alone, and the group stops the run")
  func branchFails() {
    let events = rehearse(plan([parallel("all", [step("a"), step("b")], limit: 1), step("after")])) {
      $0.path == "all/a" ? result($0, .fail) : passed($0)
    }
    #expect(events.outcomes == ["all/a": .fail, "all/b": .pass, "all": .fail, "after": .skipped])
    #expect(events.skipped("after")?.reason == "all ended in fail")
  }

  @Test("A message without a value says so, in the place of what it would have said")
  func messageWithoutValue() throws {
    let message = Template.text([
      .text("it took "), .expression(expression("output.took") { (_) throws(ExpressionError) in throw missingValue }),
    ])
    let broken = Expectation(that: expression("that") { _ in .bool(false) }, severity: .fail, message: message)
    let judged = try #require(rehearse(plan([step("a", expect: [broken])])).finished("a")?.expectations.first)
    #expect(judged.verdict == .broken)
    #expect(judged.message == "it took ${output.took}  (this message has no value: no such value)")
  }

  @Test("After a signal nothing begins; the running try's result still counts")
  func signal() throws {
    var machine = RunMachine(plan: plan([step("a"), step("b")]), run: "RUN")
    machine.apply(.runStarted(startedEvent()), wall: epoch, at: .zero)
    var paths: [String] = []
    var now = Duration.zero
    var outcome: Outcome?
    while outcome == nil {
      switch machine.next(at: now) {
      case .record(let event):
        machine.apply(event, wall: epoch, at: now)
        if case .stepSkipped(let skipped) = event { paths.append("\(skipped.path): \(skipped.reason)") }
      case .begin(let attempt):
        machine.apply(attempt.intent, wall: epoch, at: now)
        machine.apply(.runSignalled(RunSignalled(signal: 15)), wall: epoch, at: now)
        machine.apply(.stepResult(passed(attempt)), wall: epoch, at: now)
      case .reconcile, .unresolved:
        Testing.Issue.record("nothing is to be found out")
        return
      case .ask: Testing.Issue.record("nobody is asked")
      case .wait(let until): now = try #require(until, "nothing runs")
      case .finish(let reached, _): outcome = reached
      }
    }
    #expect(outcome == .pass)
    #expect(paths == ["b: the run was ended by signal 15"])
  }

  @Test("A run whose timeout passed is an error, whatever its steps say")
  func runTimeout() {
    let never = expression("false") { _ in .bool(false) }
    var machine = RunMachine(plan: plan([step("a", condition: never)], timeout: .seconds(1)), run: "RUN")
    for _ in 0..<2 {
      guard case .record(let event) = machine.next(at: .seconds(1)) else {
        Testing.Issue.record("something is due")
        return
      }
      machine.apply(event, wall: epoch, at: .seconds(1))
    }
    guard case .finish(let outcome, let finding) = machine.next(at: .seconds(1)) else {
      Testing.Issue.record("the run has ended")
      return
    }
    #expect(outcome == .error)
    #expect(finding?.code == "run.timeout")
  }

  @Test("Replaying any prefix of a journal leads to the event that came next")
  func replay() throws {
    let retry = RetryPolicy(times: 2, backoff: .seconds(1), factor: 2, maxDelay: .seconds(9), jitter: 0.3)
    let later = expression("steps.a.output.waited") { scope in
      .bool(scope.steps["a"]?.output?["waited"] == .duration(.milliseconds(1500)))
    }
    let plan = plan([
      step("a", retry: retry), check("c", [step("x"), step("y", onFailure: .continue)]),
      step("d", condition: later, onFailure: .continue), step("e"),
    ])
    let events = rehearse(plan) { $0.attempt == 1 && $0.path == "a" ? result($0, .fail) : passed($0) }
    #expect(events.outcomes["d"] == .pass)
    for length in 1..<events.count {
      // Through JSON and back, as a reader of the journal gets them: durations as literals, everything else as it is.
      var machine = RunMachine(plan: plan, run: "RUN")
      for event in events.prefix(length) { machine.apply(try throughJSON(event), wall: epoch, at: .zero) }
      switch (machine.next(at: .seconds(100)), events[length]) {
      case (.record(let event), let next): #expect(kind(event) == kind(next))
      case (.begin(let attempt), .stepIntent(let intent)): #expect(attempt.path == intent.path)
      case (.wait(until: nil), .stepResult), (.finish, .runFinished): break
      case (let action, let next): Testing.Issue.record("\(String(describing: action)) does not lead to \(next)")
      }
    }
  }

  private func kind(_ event: Event) -> String { String("\(event)".prefix { $0 != "(" }) }

  @Test("A plan's facts name every step by its path, those inside checks too, in the order of the plan")
  func planned() {
    let facts = plan([
      step("a"), check("c", [step("x", AnyStepModule(Act.self)), check("d", [step("y", isDiagnostic: true)])]),
    ]).facts
    #expect(facts.map(\.path) == ["a", "c", "c/x", "c/d", "c/d/y"])
    #expect(facts.map(\.effect) == [.observe, .change, .change, .observe, .observe])
    #expect(facts.map(\.use) == ["test.answer", "checks/c", "test.act", "checks/d", "test.answer"])
    #expect(facts.map(\.diagnostic) == [false, false, false, false, true])
    #expect(facts[2].title == "Step x")
  }
}
