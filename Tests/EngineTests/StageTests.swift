import Journal
import Language
import Schema
import Steps
import Testing

@testable import Engine

/// The hypothesis, the rollback and finally, driven without tasks or clock.
@Suite struct StageTests {
  private let act = AnyStepModule(Act.self)

  private func acting(_ id: String, undo: [PlannedStep]? = nil, onFailure: PlannedStep.OnFailure = .stop) -> PlannedStep
  {
    var step = step(id, act, onFailure: onFailure)
    step.undo = undo ?? [EngineTests.step("un" + id, act)]
    return step
  }

  /// Paths of the tries in their order.
  private func tries(_ events: [Event]) -> [String] { events.intents.map(\.path.description) }

  private func judged(_ events: [Event]) -> [HypothesisJudged] {
    events.compactMap { if case .hypothesisJudged(let event) = $0 { event } else { nil } }
  }

  private func listed(_ events: [Event]) -> [String]? {
    events.lazy.compactMap { if case .undoListed(let event) = $0 { event.remaining } else { nil } }.first
  }

  private func failing(_ paths: String...) -> (Try) -> StepResultRecorded {
    { paths.contains($0.path.description) ? result($0, .fail) : passed($0) }
  }

  @Test("A run that passes looks before and after, takes nothing back, and does finally")
  func passes() {
    let events = rehearse(
      plan([acting("a")], hypothesis: [step("h")], rollback: .onFailure, finally: [step("f")]))
    #expect(tries(events) == ["before:h", "a", "after:h", "finally:f"])
    #expect(events.runOutcome == .pass)
    #expect(judged(events).map(\.verdict) == [.holds, .holds])
    #expect(listed(events) == nil)
  }

  @Test("What the hypothesis comes to before is recorded and not counted, and steps can ask for it")
  func before() {
    let isBroken = expression("hypothesis.before.outcome != 'pass'") { .bool($0.hypothesisBefore != .pass) }
    let events = rehearse(
      plan([step("a", condition: isBroken), step("b")], hypothesis: [step("h")]), answer: failing("before:h"))
    #expect(tries(events) == ["before:h", "a", "b", "after:h"])
    #expect(judged(events) == [.init(stage: .before, outcome: .fail), .init(stage: .after, outcome: .pass)])
    #expect(events.runOutcome == .pass)
  }

  @Test(
    "A hypothesis that does not hold after the steps counts, and takes them back, the newest first",
    arguments: [Outcome.fail, .error])
  func after(outcome: Outcome) {
    let events = rehearse(
      plan([acting("a"), acting("b")], hypothesis: [step("h")], rollback: .onFailure, finally: [step("f")])
    ) { $0.path.description == "after:h" ? result($0, outcome) : passed($0) }
    #expect(tries(events) == ["before:h", "a", "b", "after:h", "undo:b/unb", "undo:a/una", "again:h", "finally:f"])
    #expect(judged(events).last == .init(stage: .again, outcome: .pass))
    #expect(judged(events).last?.verdict == .restored)
    #expect(events.runOutcome == outcome)
  }

  @Test("A gate that flaps does not make a run better: what it says after the rollback is recorded only")
  func flaps() {
    for outcome in [Outcome.pass, .error] {
      let events = rehearse(plan([acting("a")], hypothesis: [step("h")], rollback: .onFailure)) { attempt in
        switch attempt.path.stage {
        case .after: result(attempt, .fail)
        case .again: result(attempt, outcome)
        default: passed(attempt)
        }
      }
      #expect(events.runOutcome == .fail)
      #expect(judged(events).map(\.verdict) == [.holds, .broken, outcome == .pass ? .restored : .notRestored])
    }
  }

  @Test("A failure that stops the run takes back what was done before; the hypothesis after is not looked at")
  func stopped() {
    let events = rehearse(
      plan([acting("a"), step("b"), acting("c")], hypothesis: [step("h")], rollback: .onFailure), answer: failing("b"))
    #expect(tries(events) == ["before:h", "a", "b", "undo:a/una", "again:h"])
    #expect(events.skipped("after:h")?.reason == "b ended in fail")
    #expect(events.runOutcome == .fail)
  }

  @Test("A failing step that acts is taken back too, unless nothing was begun")
  func failedStep() {
    let plan = plan([acting("a"), acting("b")], rollback: .onFailure)
    #expect(tries(rehearse(plan, answer: failing("b"))) == ["a", "b", "undo:b/unb", "undo:a/una"])
    let events = rehearse(plan) { $0.path == "b" ? result($0, .error, notStarted: true) : passed($0) }
    #expect(tries(events) == ["a", "b", "undo:a/una"])
    #expect(listed(events) == nil)
  }

  @Test("Nothing is taken back without `rollback: onFailure`, and if only what may fail failed")
  func noRollback() {
    let never = plan([acting("a"), step("b")], rollback: .never)
    #expect(tries(rehearse(never, answer: failing("b"))) == ["a", "b"])
    let going = plan([acting("a"), step("b", onFailure: .continue)], rollback: .onFailure)
    let events = rehearse(going, answer: failing("b"))
    #expect(tries(events) == ["a", "b"])
    #expect(events.runOutcome == .fail)
  }

  @Test("A step whose end is not known is reconciled first: done is taken back, not done is not")
  func reconciled() {
    let plan = plan([acting("a"), acting("b")], rollback: .onFailure)
    func run(_ verdict: StepReconciled.ReconciliationVerdict) -> [Event] {
      rehearse(plan, reconciledAs: verdict) { $0.path == "b" ? result($0, .indeterminate) : passed($0) }
    }
    #expect(tries(run(.done)) == ["a", "b", "undo:b/unb", "undo:a/una"])
    #expect(run(.done).runOutcome == .indeterminate)
    #expect(tries(run(.notDone)) == ["a", "b", "undo:a/una"])
    #expect(listed(run(.notDone)) == nil)
  }

  @Test("A step whose end stays unknown is not taken back; the rollback stops there, and the run says what is in place")
  func unknown() {
    let events = rehearse(plan([acting("a"), acting("b"), acting("c")], rollback: .onFailure)) {
      $0.path == "b" ? result($0, .indeterminate) : passed($0)
    }
    #expect(tries(events) == ["a", "b"])
    #expect(events.skipped("undo:b")?.reason == "it is not known whether b took effect")
    #expect(events.skipped("undo:a")?.reason == "it is not known whether b took effect")
    #expect(listed(events) == ["b", "a"])
    #expect(events.runOutcome == .indeterminate)
  }

  @Test("An unknown step whose undo may fail does not keep older ones in place")
  func unknownGoesOn() {
    let undo = [step("unb", act, onFailure: .continue)]
    let events = rehearse(plan([acting("a"), acting("b", undo: undo)], rollback: .onFailure)) {
      $0.path == "b" ? result($0, .indeterminate) : passed($0)
    }
    #expect(tries(events) == ["a", "b", "undo:a/una"])
    #expect(listed(events) == ["b"])
  }

  @Test("An undo that fails stops the rollback: what is still in place is listed, and the run is an error")
  func failedUndo() {
    let events = rehearse(
      plan([acting("a"), acting("b"), step("c")], rollback: .onFailure, finally: [step("f")]),
      answer: failing("c", "undo:b/unb"))
    #expect(tries(events) == ["a", "b", "c", "undo:b/unb", "finally:f"])
    #expect(events.skipped("undo:a")?.reason == "undo:b/unb ended in fail")
    #expect(listed(events) == ["b", "a"])
    #expect(events.runOutcome == .error)
  }

  @Test("An undo that fails and says that it may lets the rollback go on; its step is still in place")
  func failedUndoGoesOn() {
    let undo = [step("unb", act, onFailure: .continue), step("last", act)]
    let events = rehearse(
      plan([acting("a"), acting("b", undo: undo), step("c")], rollback: .onFailure), answer: failing("c", "undo:b/unb"))
    #expect(tries(events) == ["a", "b", "c", "undo:b/unb", "undo:b/last", "undo:a/una"])
    #expect(listed(events) == ["b"])
    #expect(events.runOutcome == .error)
  }

  @Test("A step that was repeated is taken back once, in the place of its newest intent")
  func repeated() {
    let retry = RetryPolicy(times: 1, backoff: .zero, factor: 1, maxDelay: .zero, jitter: 0)
    var again = step("a", AnyStepModule(Idempotent.self), retry: retry)
    again.undo = [step("una", act)]
    let events = rehearse(plan([again, step("b")], rollback: .onFailure)) {
      ($0.path == "a" && $0.attempt == 1) || $0.path == "b" ? result($0, .fail) : passed($0)
    }
    #expect(tries(events) == ["a", "a", "b", "undo:a/una"])
  }

  /// Acts on the service, as often as one likes.
  private struct Idempotent: StepModule {
    static let declaration = AnswerModule.declared("test.idempotent", effect: .change, repetition: .idempotent)

    func run(_ input: AnswerModule.Input, in context: StepContext) async throws(StepError) -> StepResult<
      AnswerModule.Output
    > {
      .done(AnswerModule.Output(number: input.number, waited: .zero))
    }
  }

  /// Tells somebody.
  private struct Tell: StepModule {
    static let declaration = AnswerModule.declared("test.tell", effect: .notify, repetition: .idempotent)

    func run(_ input: AnswerModule.Input, in context: StepContext) async throws(StepError) -> StepResult<
      AnswerModule.Output
    > {
      .done(AnswerModule.Output(number: input.number, waited: .zero))
    }
  }

  @Test("A notice that fails stops neither a rollback nor finally, and leaves nothing in place")
  func notices() {
    let tell = AnyStepModule(Tell.self)
    let events = rehearse(
      plan(
        [acting("a", undo: [step("t", tell), step("una", act)]), step("b")], rollback: .onFailure,
        finally: [step("u", tell), step("f")]), answer: failing("b", "undo:a/t", "finally:u"))
    #expect(tries(events) == ["a", "b", "undo:a/t", "undo:a/una", "finally:u", "finally:f"])
    #expect(listed(events) == nil)
    #expect(events.runOutcome == .fail)
  }

  @Test("An undo sees what its step gave; finally sees the steps, the hypothesis and how the run went")
  func scopes() {
    let sees = expression("steps.a.output.number == 1") { .bool($0.steps["a"]?.output?["number"] == .int(1)) }
    let wasBad = expression("hypothesis.after.outcome == 'fail' && run.outcome == 'fail'") {
      .bool($0.hypothesisBefore == .pass && $0.hypothesisAfter == .fail && $0.outcome == .fail && $0.steps["a"] != nil)
    }
    let events = rehearse(
      plan(
        [acting("a", undo: [step("una", act, condition: sees)])], hypothesis: [step("h")], rollback: .onFailure,
        finally: [step("f", condition: wasBad), step("g", condition: wasBad)]), answer: failing("after:h"))
    #expect(events.outcomes["undo:a/una"] == .pass)
    #expect(events.outcomes["finally:f"] == .pass)
    #expect(events.outcomes["finally:g"] == .pass)
  }

  @Test("What a check inside a step did is taken back by the step's undo")
  func insideCheck() {
    var outer = check("c", [step("look"), step("x", act)])
    outer.undo = [step("unc", act)]
    let plan = plan([outer, step("b")], rollback: .onFailure)
    #expect(tries(rehearse(plan, answer: failing("b"))) == ["c/look", "c/x", "b", "undo:c/unc"])
    // Nothing that acts was come to.
    #expect(tries(rehearse(plan, answer: failing("c/look"))) == ["c/look"])
  }

  @Test("A plan's facts name the steps of every stage")
  func facts() {
    let plan = plan([acting("a"), acting("b")], hypothesis: [step("h")], rollback: .onFailure, finally: [step("f")])
    #expect(
      plan.facts.map(\.path.description) == [
        "before:h", "a", "b", "after:h", "undo:b", "undo:b/unb", "undo:a", "undo:a/una", "again:h", "finally:f",
      ])
  }

  // MARK: What cuts a run

  /// Drives the plan; at the first try of this path something happens, and the try ends as `outcome` after it.
  private func cut(
    _ plan: Plan, at path: String, by happening: Event..., ending outcome: Outcome = .error
  ) -> [Event] {
    var machine = RunMachine(plan: plan, run: "RUN")
    var events: [Event] = []
    func apply(_ event: Event) {
      machine.apply(event, wall: epoch, at: .zero)
      events.append(event)
    }
    apply(.runStarted(startedEvent()))
    while events.count < 1000 {
      switch machine.next(at: .zero) {
      case .record(let event): apply(event)
      case .begin(let attempt):
        apply(attempt.intent)
        guard attempt.path.description == path else {
          apply(.stepResult(passed(attempt)))
          continue
        }
        happening.forEach(apply)
        apply(.stepResult(result(attempt, machine.isCut ? outcome : .pass)))
      case .reconcile(let attempt, _): apply(.stepReconciled(attempt.reconciled(.done)))
      case .unresolved, .ask, .wait: return events
      case .finish(let outcome, let finding):
        apply(.runFinished(RunFinished(outcome: outcome, finding: finding, signal: nil, duration: .zero)))
        return events
      }
    }
    return events
  }

  private var whole: Plan {
    plan(
      [acting("a"), acting("b")], timeout: .seconds(60), hypothesis: [step("h")], rollback: .onFailure,
      finally: [step("f"), step("g")])
  }

  private let signal = Event.runSignalled(RunSignalled(signal: 15))

  @Test("A signal in each stage: what goes on is cancelled, what was done is taken back, finally is done")
  func signalled() {
    #expect(tries(cut(whole, at: "before:h", by: signal)) == ["before:h", "finally:f", "finally:g"])
    #expect(
      tries(cut(whole, at: "b", by: signal, ending: .indeterminate)) == [
        "before:h", "a", "b", "undo:b/unb", "undo:a/una", "again:h", "finally:f", "finally:g",
      ])
    #expect(
      tries(cut(whole, at: "after:h", by: signal)) == [
        "before:h", "a", "b", "after:h", "undo:b/unb", "undo:a/una", "again:h", "finally:f", "finally:g",
      ])
    let inFinally = cut(whole, at: "finally:f", by: signal)
    #expect(tries(inFinally) == ["before:h", "a", "b", "after:h", "finally:f", "finally:g"])
    #expect(inFinally.outcomes["finally:f"] == .pass)
  }

  @Test("A signal while steps are taken back cancels nothing: that is what follows a signal anyway")
  func signalledInUndo() {
    var plan = whole
    plan.steps.append(step("c", condition: expression("missing") { (_) throws(ExpressionError) in throw missingValue }))
    let events = cut(plan, at: "undo:b/unb", by: signal)
    #expect(tries(events) == ["before:h", "a", "b", "undo:b/unb", "undo:a/una", "again:h", "finally:f", "finally:g"])
    #expect(listed(events) == nil)
    // It does cancel the last look.
    let again = cut(plan, at: "again:h", by: signal)
    #expect(tries(again).suffix(3) == ["again:h", "finally:f", "finally:g"])
    #expect(judged(again).last?.verdict == .notRestored)
  }

  @Test("After a second signal nothing follows; what is still in place is listed", arguments: ["b", "undo:b/unb"])
  func killed(path: String) {
    var plan = whole
    plan.steps.append(step("c", condition: expression("missing") { (_) throws(ExpressionError) in throw missingValue }))
    let events = cut(plan, at: path, by: signal, signal)
    #expect(tries(events).last == path)
    #expect(events.skipped("undo:a")?.reason == "a second signal ended the run")
    #expect(events.skipped("finally:f")?.reason == "a second signal ended the run")
    #expect(listed(events) == ["b", "a"])
    #expect([.error, .indeterminate].contains(events.runOutcome))
  }

  @Test("The run's timeout takes back what was done; it does not count what follows")
  func timedOut() {
    let timeout = Event.runTimedOut(RunTimedOut(timeout: .seconds(60)))
    let events = cut(whole, at: "b", by: timeout)
    #expect(
      tries(events) == ["before:h", "a", "b", "undo:b/unb", "undo:a/una", "again:h", "finally:f", "finally:g"])
    #expect(events.runOutcome == .error)
    #expect(tries(cut(whole, at: "finally:f", by: timeout)).last == "finally:g")
    #expect(cut(whole, at: "finally:f", by: timeout).runOutcome == .pass)
  }

  @Test(
    "Each of the last stages has a time box: what it did not come to is skipped, and the next stage follows",
    arguments: [Stage.undo, .again, .finally])
  func timeBoxes(stage: Stage) {
    var plan = whole
    plan.steps.append(step("c"))
    var machine = RunMachine(plan: plan, run: "RUN")
    var events: [Event] = []
    var now = Duration.zero
    func apply(_ event: Event) {
      machine.apply(event, wall: epoch, at: now)
      events.append(event)
    }
    var going: Try?
    var finding: Finding?
    loop: while events.count < 1000 {
      switch machine.next(at: now) {
      case .record(let event):
        apply(event)
        if machine.isCut, let attempt = going {
          apply(.stepResult(result(attempt, .error)))
          going = nil
        }
      case .begin(let attempt):
        apply(attempt.intent)
        if attempt.path.stage == stage {
          going = attempt
        } else {
          apply(.stepResult(attempt.path == "c" ? result(attempt, .fail) : passed(attempt)))
        }
      case .wait(let until):
        #expect(until == now + .seconds(300))
        now = until ?? now
      case .reconcile, .unresolved, .ask:
        Testing.Issue.record("every end is known, and nobody is asked")
        return
      case .finish(let outcome, let reached):
        apply(.runFinished(RunFinished(outcome: outcome, finding: reached, signal: nil, duration: now)))
        finding = reached
        break loop
      }
    }
    #expect(now == .seconds(300))
    #expect(finding?.code == "run.timeBox")
    #expect(events.runOutcome == .error)
    #expect(listed(events) == (stage == .undo ? ["b", "a"] : nil))
    #expect(events.outcomes["finally:g"] == (stage == .finally ? .skipped : .pass))
  }
}
