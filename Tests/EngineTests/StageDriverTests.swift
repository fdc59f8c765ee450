import Journal
import Language
import Schema
import Steps
import Synchronization
import Testing

@testable import Engine

/// The stages of runs that are driven with tasks and a clock.
@Suite struct StageDriverTests {
  /// Acts until it is cancelled; asked how that ended, it says what the test wants.
  private struct Slow: StepModule {
    static let declaration = AnswerModule.declared("test.slow", effect: .change, repetition: .atMostOnce)

    func run(_ input: AnswerModule.Input, in context: StepContext) async throws(StepError) -> StepResult<
      AnswerModule.Output
    > {
      context.progress("acting")
      do { try await Task.sleep(for: .seconds(600)) } catch {
        throw StepError(.interrupted, Finding("test.interrupted", "still acting"))
      }
      return .done(AnswerModule.Output(number: 0, waited: .zero))
    }

    func reconcile(_ input: AnswerModule.Input, in context: StepContext) async throws(StepError) -> Reconciliation {
      switch input.number {
      case 0: return .notDone
      case 1: return .done(nil)
      case 2: throw StepError(.broken, Finding("test.unreachable", "the service does not answer"))
      default:
        context.progress("asked")
        do { try await Task.sleep(for: .seconds(600)) } catch {}
        return .unknown("it was too slow")
      }
    }
  }

  private let act = AnyStepModule(Act.self)

  private func undoable(_ step: PlannedStep) -> PlannedStep {
    var step = step
    step.undo = [EngineTests.step("un" + step.id, act)]
    return step
  }

  /// Drives a plan; `happens` gives the signals to send when it is told something.
  private func drive(
    _ plan: Plan, _ happens: @escaping @Sendable (RunDriver.Notice) -> [Int] = { _ in [] }
  ) async throws -> (finished: RunFinished, events: [Event]) {
    let recorder = RunDriverTests.Recorder()
    let (signals, feed) = AsyncStream.makeStream(of: Int.self)
    let driver = RunDriver(
      plan: plan, run: "RUN", services: Services(history: NoHistory()), append: { recorder.append($0) },
      notify: { for signal in happens($0) { feed.yield(signal) } })
    let started = RecordedEvent(
      seq: 1, moment: Moment(wall: .unixEpoch, monotonic: 0, boot: ""), event: .runStarted(startedEvent()))
    return (try await driver.drive(from: started, signals: signals), recorder.events)
  }

  private func paths(_ events: [Event]) -> [String] { events.intents.map(\.path.description) }

  private func reconciled(_ events: [Event]) -> [StepReconciled] {
    events.compactMap { if case .stepReconciled(let event) = $0 { event } else { nil } }
  }

  @Test(
    "A signal while a step acts: it is cancelled, its module is asked what it did, and that is taken back",
    .timeLimit(.minutes(1)), arguments: [0, 1, 2])
  func signalled(number: Int) async throws {
    let plan = plan(
      [undoable(step("a", act)), undoable(step("b", AnyStepModule(Slow.self), number: number)), step("c")],
      rollback: .onFailure, finally: [step("f")])
    let (finished, events) = try await drive(plan) { if case .progress = $0 { [15] } else { [] } }
    #expect(finished.signal == 15)
    #expect(finished.outcome == .indeterminate)
    let expected = [["undo:a/una"], ["undo:b/unb", "undo:a/una"], []][number]
    #expect(paths(events) == ["a", "b"] + expected + ["finally:f"])
    #expect(reconciled(events).map(\.verdict) == [[.notDone], [.done], [.unknown]][number])
    #expect(reconciled(events).first?.detail == (number == 2 ? "the service does not answer" : nil))
    #expect(events.contains(.undoListed(UndoListed(remaining: ["b", "a"]))) == (number == 2))
  }

  @Test("A module that does not tell in the time of a try does not know", .timeLimit(.minutes(1)))
  func slowAnswer() async throws {
    let slow = step("b", AnyStepModule(Slow.self), number: 3, timeout: .milliseconds(50))
    let (finished, events) = try await drive(plan([undoable(slow)], rollback: .onFailure, finally: [step("f")]))
    #expect(finished.outcome == .indeterminate)
    #expect(reconciled(events).map(\.detail) == ["it was too slow"])
    #expect(paths(events) == ["b", "finally:f"])
  }

  @Test("A second signal waits for no answer, and nothing follows", .timeLimit(.minutes(1)))
  func secondSignal() async throws {
    let plan = plan(
      [undoable(step("b", AnyStepModule(Slow.self), number: 3))], rollback: .onFailure, finally: [step("f")])
    let (finished, events) = try await drive(plan) { notice in
      if case .progress = notice { [2] } else { [] }
    }
    #expect(finished.signal == 2)
    #expect(paths(events) == ["b"])
    #expect(events.contains(.undoListed(UndoListed(remaining: ["b"]))))
    #expect(events.outcomes["finally:f"] == .skipped)
  }

  @Test("The run's timeout cancels what runs, takes back what was done, and does finally", .timeLimit(.minutes(1)))
  func timeout() async throws {
    let plan = plan(
      [undoable(step("a", act)), step("b", AnyStepModule(WaitUntilCancelled.self), timeout: .seconds(60))],
      timeout: .seconds(8),
      hypothesis: [step("h")], rollback: .onFailure, finally: [step("f")])
    let (finished, events) = try await drive(plan)
    #expect(finished.outcome == .error)
    #expect(finished.finding?.code == "run.timeout")
    #expect(paths(events) == ["before:h", "a", "b", "undo:a/una", "again:h", "finally:f"])
    #expect(events.contains(.hypothesisJudged(HypothesisJudged(stage: .again, outcome: .pass))))
  }

  @Test("A signal in finally cancels nothing; a second ends it", .timeLimit(.minutes(1)), arguments: [1, 2])
  func finally(signals: Int) async throws {
    struct Pause: StepModule {
      static let declaration = AnswerModule.declared("test.pause", effect: .observe, repetition: .idempotent)

      func run(_ input: AnswerModule.Input, in context: StepContext) async throws(StepError) -> StepResult<
        AnswerModule.Output
      > {
        context.progress("pausing")
        do { try await Task.sleep(for: .milliseconds(input.number)) } catch {
          throw StepError(.interrupted, Finding("test.interrupted", "cancelled"))
        }
        return .done(AnswerModule.Output(number: 0, waited: .zero))
      }
    }
    let pause = step("f", AnyStepModule(Pause.self), number: signals == 1 ? 3000 : 600_000, timeout: .seconds(900))
    let (finished, events) = try await drive(plan([step("a")], finally: [pause, step("g")])) { notice in
      if case .progress = notice { Array(repeating: 15, count: signals) } else { [] }
    }
    #expect(finished.signal == 15)
    #expect(events.outcomes["finally:f"] == (signals == 1 ? .pass : .error))
    #expect(events.outcomes["finally:g"] == (signals == 1 ? .pass : .skipped))
  }
}
