import Journal
import Language
import Schema
import Steps
import Testing

@testable import Engine

/// What scheduling costs, counted in looks at the agenda and in evaluations rather than in time.
@Suite struct SchedulingCostTests {
  /// Drives a machine until nothing is due; every try gets what `answer` gives, or goes on if that is nothing.
  @discardableResult
  private func advance(
    _ machine: inout RunMachine, at now: Duration, answer: (Try) -> StepResultRecorded?
  ) -> (action: RunAction, running: [Try], events: Int) {
    var running: [Try] = []
    var events = 0
    func apply(_ event: Event) {
      machine.apply(event, wall: epoch, at: now)
      events += 1
    }
    while true {
      let action = machine.next(at: now)
      switch action {
      case .record(let event): apply(event)
      case .begin(let attempt):
        apply(attempt.intent)
        if let result = answer(attempt) { apply(.stepResult(result)) } else { running.append(attempt) }
      case .ask(let asking): apply(.personAsked(askedEvent(asking)))
      case .reconcile, .unresolved, .wait, .finish: return (action, running, events)
      }
    }
  }

  private let hourly = RetryPolicy(times: 9, backoff: .seconds(3600), factor: 1, maxDelay: .seconds(3600), jitter: 0)

  @Test("1,000 sleeping branches cost nothing while they sleep, and one of them that wakes costs one branch")
  func sleeping() {
    let minutely = RetryPolicy(times: 99, backoff: .seconds(60), factor: 1, maxDelay: .seconds(60), jitter: 0)
    let branches = (0..<1000).map { step("s\($0)", retry: hourly) } + [step("busy", retry: minutely)]
    var machine = RunMachine(plan: plan([parallel("all", branches, limit: 2000)]), run: "RUN")
    let asleep = advance(&machine, at: .zero) { result($0, .fail) }
    #expect(asleep.events > 4000)
    let before = machine.visits
    for second in 1...50 {
      guard case .wait(let until?) = machine.next(at: .seconds(second)) else {
        Testing.Issue.record("all sleep")
        return
      }
      #expect(until == .seconds(60))
    }
    #expect(machine.visits == before + 50)
    // The busy one wakes 50 times: an intent, a result and a wait each.
    for minute in 1...50 { advance(&machine, at: .seconds(60 * minute)) { result($0, .fail) } }
    #expect(machine.visits < before + 50 + 50 * 8)
  }

  @Test("1,000 branches that all end at once come to one end, and each costs the same")
  func allAtOnce() {
    let branches = (0..<1000).map { step("s\($0)") }
    var machine = RunMachine(plan: plan([parallel("all", branches, limit: 1000), step("last")]), run: "RUN")
    let running = advance(&machine, at: .zero) { _ in nil }.running
    #expect(running.count == 1000)
    for attempt in running.reversed() { machine.apply(.stepResult(passed(attempt)), wall: epoch, at: .seconds(1)) }
    let before = machine.visits
    var ended = advance(&machine, at: .seconds(1)) { passed($0) }
    guard case .finish(.pass, nil) = ended.action else {
      Testing.Issue.record("the run has passed, not \(ended.action)")
      return
    }
    #expect(ended.events > 1000)
    #expect(machine.visits - before < 3 * ended.events)
    ended = advance(&machine, at: .seconds(1)) { passed($0) }
    #expect(ended.events == 0)
  }

  @Test("A plan of 100,000 steps is driven to its end with a cost in proportion")
  func manySteps() {
    let steps = (0..<100_000).map { step("s\($0)") }
    var machine = RunMachine(plan: plan(steps), run: "RUN")
    let (action, _, events) = advance(&machine, at: .zero) { passed($0) }
    guard case .finish(.pass, nil) = action else {
      Testing.Issue.record("the run has passed, not \(action)")
      return
    }
    #expect(events == 400_001)
    #expect(machine.visits < 3 * events)
  }

  @Test("A loop over 10,000 elements costs in proportion, one by one and all at once", arguments: [1, 10_000])
  func manyElements(limit: Int) {
    let list = expression("[…]") { _ in .list((0..<10_000).map { .int($0) }) }
    var machine = RunMachine(
      plan: plan([loop("all", list: list, limit: limit, [step("a"), step("b")]), step("last")]), run: "RUN")
    let (action, _, events) = advance(&machine, at: .zero) { passed($0) }
    guard case .finish(.pass, nil) = action else {
      Testing.Issue.record("the run has passed, not \(action)")
      return
    }
    #expect(events > 100_000)
    #expect(machine.visits < 3 * events)
  }

  @Test("1,000 checks that wait for their next try cost nothing while they wait")
  func waitingChecks() {
    let branches = (0..<1000).map { check("c\($0)", [step("a")], tries: Tries(retry: hourly)) }
    var machine = RunMachine(plan: plan([parallel("all", branches, limit: 1000)]), run: "RUN")
    advance(&machine, at: .zero) { result($0, .fail) }
    let before = machine.visits
    for second in 1...50 {
      guard case .wait(until: .seconds(3600)) = machine.next(at: .seconds(second)) else {
        Testing.Issue.record("all wait")
        return
      }
    }
    #expect(machine.visits == before + 50)
    let woken = advance(&machine, at: .seconds(3600)) { passed($0) }
    guard case .finish(.pass, nil) = woken.action else {
      Testing.Issue.record("the run has passed, not \(woken.action)")
      return
    }
  }
}
