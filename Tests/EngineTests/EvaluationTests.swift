import Journal
import Language
import Schema
import Steps
import Synchronization
import Testing

@testable import Engine

/// What an expression gave is kept, and taken from the journal in a run that is gone on with.
@Suite struct EvaluationTests {
  /// How often each expression was evaluated.
  final class Counter: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    var all: [String: Int] { counts.withLock { $0 } }

    func counted(
      _ name: String, _ value: @escaping @Sendable (Scope) throws(ExpressionError) -> Value = { _ in .bool(true) }
    ) -> Expression {
      expression(name) { (scope) throws(ExpressionError) in
        self.counts.withLock { $0[name, default: 0] += 1 }
        return try value(scope)
      }
    }
  }

  private struct Login: StepModule {
    struct Input: Sendable { var password: Secret }

    static let declaration = ModuleDeclaration(
      "test.login", "Logs in.", effect: .observe, judges: true, deadline: .seconds(5),
      input: Record(Input.init, Field("password", \.password, .secret, "A password.")),
      output: AnswerModule.declaration.output, examples: [])

    func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<AnswerModule.Output> {
      .done(AnswerModule.Output(number: 1, waited: .zero))
    }
  }

  private func counting(_ counter: Counter) -> Plan {
    let retry = RetryPolicy(times: 5, backoff: .seconds(1), factor: 1, maxDelay: .seconds(1), jitter: 0)
    let module = AnyStepModule(AnswerModule.self)
    var call = ModuleCall(
      module: module,
      input: .members([("number", .expression(counter.counted("input") { _ in .int(7) }, .int))], module.input),
      until: counter.counted("until") { .bool($0.output?["number"] == .int(3)) },
      expectations: [Expectation(that: counter.counted("expect"), severity: .fail, message: nil)], retry: retry,
      timeout: .seconds(5))
    var first = step("first", condition: counter.counted("if"))
    first.body = .call(call)
    let login = AnyStepModule(Login.self)
    call = ModuleCall(
      module: login,
      input: .members(
        [("password", .expression(counter.counted("password") { _ in .secret(Secret("sesame")) }, .secret(.string)))],
        login.input),
      timeout: .seconds(5))
    var second = step("second", onFailure: .continue)
    second.body = .call(call)
    let broken = step(
      "broken", condition: counter.counted("broken") { (_) throws(ExpressionError) in throw missingValue },
      onFailure: .continue)
    let never = step("never", condition: counter.counted("never") { _ in .bool(false) })
    let output = CheckCall.Output(
      declaration: FieldDeclaration(name: "answer", type: .bool, summary: "The answer."),
      value: counter.counted("output"))
    var check = check("check", [step("inner", condition: counter.counted("inner"))], outputs: [output])
    check.condition = counter.counted("check")
    return plan([first, second, broken, never, check])
  }

  @Test("Conditions, inputs, outputs and expectations are evaluated once, until once a try")
  func once() {
    let counter = Counter()
    let events = rehearse(counting(counter)) { result($0, .pass, number: .int(Int64($0.attempt))) }
    #expect(events.outcomes["first"] == .pass && events.outcomes["check"] == .pass)
    #expect(
      counter.all == [
        "if": 1, "input": 1, "until": 3, "expect": 1, "password": 1, "broken": 1, "never": 1, "check": 1, "inner": 1,
        "output": 1,
      ])
  }

  @Test("A replay evaluates only what no journal holds: secrets, and what had no value")
  func replay() throws {
    let plan = counting(Counter())
    let events = rehearse(plan) { result($0, .pass, number: .int(Int64($0.attempt))) }
    let counter = Counter()
    var machine = RunMachine(plan: counting(counter), run: "RUN")
    for event in events.dropLast() { machine.apply(try throughJSON(event), wall: epoch, at: .zero) }
    #expect(counter.all == ["password": 1, "broken": 1])
    guard case .finish(.error, nil) = machine.next(at: .zero) else {
      Testing.Issue.record("the run has ended in error")
      return
    }
  }

  @Test("A step that is gone on with has its secrets in clear again")
  func secrets() throws {
    let plan = counting(Counter())
    let events = rehearse(plan) { result($0, .pass, number: .int(Int64($0.attempt))) }
    let intent = try #require(
      events.firstIndex { if case .stepIntent(let intent) = $0 { intent.path == "second" } else { false } })
    var machine = RunMachine(plan: plan, run: "RUN")
    for event in events[..<intent] { machine.apply(try throughJSON(event), wall: epoch, at: .zero) }
    guard case .begin(let attempt) = machine.next(at: .zero) else {
      Testing.Issue.record("the try is due")
      return
    }
    #expect(attempt.input["password"] == .secret(Secret("sesame")))
  }
}
