import Journal
import Language
import Schema
import Steps
import Synchronization
import Testing

@testable import Engine

@Suite struct RunDriverTests {
  /// Events in memory, as a journal would hold them.
  final class Recorder: Sendable {
    private let state = Mutex<[[Event]]>([])

    /// What was written in one piece each.
    var batches: [[Event]] { state.withLock { $0 } }
    var events: [Event] { Array(batches.joined()) }

    func append(_ events: [Event]) { state.withLock { $0.append(events) } }
  }

  private func drive(
    _ plan: Plan, signals: AsyncStream<Int> = AsyncStream { $0.finish() },
    append: RunDriver.Append? = nil, notify: @escaping @Sendable (RunDriver.Notice) -> Void = { _ in }
  ) async throws -> (finished: RunFinished, events: [Event]) {
    let recorder = Recorder()
    let driver = RunDriver(
      plan: plan, run: "RUN", services: Services(history: NoHistory()), append: append ?? { recorder.append($0) },
      notify: notify)
    return (try await driver.drive(from: recorded(.runStarted(startedEvent())), signals: signals), recorder.events)
  }

  @Test("Modules run with their inputs, and their outputs are recorded")
  func runs() async throws {
    let (finished, events) = try await drive(plan([step("a", number: 42)]))
    #expect(finished.outcome == .pass)
    guard case .stepResult(let result) = events.first(where: { if case .stepResult = $0 { true } else { false } })
    else {
      Testing.Issue.record("a result is recorded")
      return
    }
    #expect(result.output["number"] == .int(42))
  }

  @Test("A process that a step started is recorded before the step's result, its secrets masked")
  func startedProcess() async throws {
    struct Starter: StepModule {
      static let declaration = ModuleDeclaration(
        "test.starter", "Starts.", effect: .change, repetition: .atMostOnce, judges: true, deadline: .seconds(5),
        input: Record({ $0 }, Field("secret", \Secret.self, .secret, "A secret.")),
        output: AnswerModule.declaration.output, examples: [])

      func run(_ input: Secret, in context: StepContext) async throws(StepError) -> StepResult<AnswerModule.Output> {
        context.started(StartedProcess(program: "/opt/hunter22", pid: 7, startTime: 9, pidNamespace: "pid:[1]"))
        return .done(AnswerModule.Output(number: 0, waited: .zero))
      }
    }
    let module = AnyStepModule(Starter.self)
    var starter = step("a", module)
    starter.body = .call(
      ModuleCall(
        module: module, input: .members([("secret", .literal(.secret(Secret("hunter22"))))], module.input),
        timeout: .seconds(5)))
    let (_, events) = try await drive(plan([starter]))
    let index = try #require(events.firstIndex { if case .processStarted = $0 { true } else { false } })
    #expect(
      events[index]
        == .processStarted(
          ProcessStarted(
            path: "a", attempt: 1, program: "/opt/\(Secret.mask)", pid: 7, startTime: 9, pidNamespace: "pid:[1]")))
    guard case .stepIntent = events[index - 1], case .stepResult = events[index + 1] else {
      Testing.Issue.record("\(events)")
      return
    }
  }

  @Test("A step that does not end within its timeout is cancelled and says so")
  func stepTimeout() async throws {
    let (finished, events) = try await drive(
      plan([step("a", AnyStepModule(WaitUntilCancelled.self), timeout: .milliseconds(50))]))
    #expect(finished.outcome == .error)
    #expect(events.finished("a")?.finding?.code == "step.timeout")
    #expect(events.finished("a")?.finding?.message == "the step did not end within 50ms: still waiting")
  }

  @Test("What a module had learnt before it was cancelled is recorded")
  func learntBeforeTimeout() async throws {
    struct Learner: StepModule {
      static let declaration = AnswerModule.declared("test.learner", effect: .observe, repetition: .idempotent)
      func run(_ input: AnswerModule.Input, in context: StepContext) async throws(StepError) -> StepResult<
        AnswerModule.Output
      > {
        do { try await Task.sleep(for: .seconds(600)) } catch {
          throw StepError(
            .interrupted, Finding("test.interrupted", "still learning"), learnt: [.init("number", .int(7))])
        }
        return .done(AnswerModule.Output(number: 0, waited: .zero))
      }
    }
    let (finished, events) = try await drive(plan([step("a", AnyStepModule(Learner.self), timeout: .milliseconds(50))]))
    #expect(finished.outcome == .error)
    let outputs = events.compactMap { if case .stepResult(let result) = $0 { result.output } else { nil } }
    #expect(outputs == [.members([.init("number", .int(7))])])
  }

  @Test("The run's own timeout ends the running step and skips the rest")
  func runTimeout() async throws {
    let (finished, events) = try await drive(
      plan([step("a", AnyStepModule(WaitUntilCancelled.self)), step("b")], timeout: .milliseconds(50)))
    #expect(finished.outcome == .error)
    #expect(finished.finding?.code == "run.timeout")
    #expect(events.outcomes == ["a": .error, "b": .skipped])
  }

  @Test("Branches go on at the same time, and a signal cancels all of them", .timeLimit(.minutes(1)))
  func branches() async throws {
    let (signals, feed) = AsyncStream.makeStream(of: Int.self)
    let waiting = AnyStepModule(WaitUntilCancelled.self)
    let begun = Mutex(0)
    let (finished, events) = try await drive(
      plan([parallel("all", [step("a", waiting), step("b", waiting), step("c", waiting)], limit: 2)]), signals: signals,
      notify: { notice in
        guard case .progress = notice else { return }
        let count = begun.withLock { count in
          count += 1
          return count
        }
        if count == 2 { feed.yield(15) }
      })
    #expect(finished.signal == 15)
    #expect(events.outcomes == ["all/a": .error, "all/b": .error, "all/c": .skipped, "all": .error])
  }

  @Test("1,000 branches run at the same time, and each is recorded once", .timeLimit(.minutes(1)))
  func manyBranches() async throws {
    let branches = (0..<1000).map { step("s\($0)") }
    let (finished, events) = try await drive(plan([parallel("all", branches, limit: 1000)]))
    #expect(finished.outcome == .pass)
    #expect(events.intents.count == 1000 && Set(events.intents.map(\.path)).count == 1000)
    #expect(events.outcomes.count == 1001 && events.outcomes.values.allSatisfy { $0 == .pass })
  }

  @Test("A signal cancels the running step, skips the rest, and is named in the last event")
  func signal() async throws {
    let (signals, feed) = AsyncStream.makeStream(of: Int.self)
    let (finished, events) = try await drive(
      plan([step("a", AnyStepModule(WaitUntilCancelled.self)), step("b")]), signals: signals,
      notify: { notice in
        if case .progress = notice { feed.yield(15) }
      })
    #expect(finished.signal == 15)
    #expect(events.outcomes == ["a": .error, "b": .skipped])
    #expect(events.finished("a")?.finding?.code == "step.cancelled")
  }

  @Test("After a second signal a step that does not end is no longer waited for")
  func secondSignal() async throws {
    struct Deaf: StepModule {
      static let declaration = AnswerModule.declared("test.deaf", effect: .change, repetition: .atMostOnce)
      func run(_ input: AnswerModule.Input, in context: StepContext) async throws(StepError) -> StepResult<
        AnswerModule.Output
      > {
        context.progress("deaf")
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
          Deaf.parked.withLock { $0.append(continuation) }
        }
        return .done(AnswerModule.Output(number: 0, waited: .zero))
      }
      static let parked = Mutex<[CheckedContinuation<Void, Never>]>([])
    }
    let (signals, feed) = AsyncStream.makeStream(of: Int.self)
    let (finished, events) = try await drive(
      plan([step("a", AnyStepModule(Deaf.self), timeout: .seconds(600))]), signals: signals,
      notify: { notice in
        switch notice {
        case .progress: feed.yield(2)
        case .recorded(.runSignalled): feed.yield(2)
        default: break
        }
      })
    #expect(finished.signal == 2)
    #expect(events.finished("a")?.outcome == .indeterminate)
    #expect(events.finished("a")?.finding?.code == "step.hung")
    Deaf.parked.withLock { parked in
      for continuation in parked { continuation.resume() }
    }
  }

  @Test(
    "A run whose task is cancelled ends: its step is cancelled, has cleaned up, and nothing more begins",
    .timeLimit(.minutes(1)))
  func cancelled() async throws {
    let (progress, feed) = AsyncStream.makeStream(of: Void.self)
    let recorder = Recorder()
    let driver = RunDriver(
      plan: plan([step("a", AnyStepModule(WaitUntilCancelled.self)), step("b")]), run: "RUN",
      services: Services(history: NoHistory()),
      append: { recorder.append($0) },
      notify: { notice in
        if case .progress = notice { feed.yield() }
      })
    let run = Task {
      try await driver.drive(
        from: recorded(.runStarted(startedEvent())), signals: AsyncStream { $0.finish() })
    }
    for await _ in progress { break }
    run.cancel()
    await #expect(throws: CancellationError.self) { try await run.value }
    #expect(recorder.events.outcomes["b"] == nil)
  }

  private func batches(_ steps: [PlannedStep]) async throws -> [[String]] {
    let recorder = Recorder()
    _ = try await drive(plan(steps), append: { recorder.append($0) })
    return recorder.batches.map { $0.map(\.type) }
  }

  @Test(
    "What follows from a result is written with it in one piece, up to the next intent; what acted is written at once")
  func batches() async throws {
    let begun = ["types.declared", "step.started", "step.intent"]
    #expect(
      try await batches([step("a"), step("b")]) == [
        begun, ["step.result", "step.finished", "step.started", "step.intent"],
        ["step.result", "step.finished", "run.finished"],
      ])
    #expect(
      try await batches([step("a", AnyStepModule(Act.self))]) == [
        begun, ["step.result"], ["step.finished", "run.finished"],
      ])
  }

  @Test("Many events that follow on one another are written in pieces")
  func manyEvents() async throws {
    let never = expression("false") { _ in .bool(false) }
    let batches = try await batches((0..<200).map { step("s\($0)", condition: never) })
    #expect(batches.map(\.count) == [64, 64, 64, 9])
  }

  @Test("One timer rings at the earliest of the times that are left, for each that has come", .timeLimit(.minutes(1)))
  func alarms() async throws {
    let (rings, feed) = AsyncStream.makeStream(of: Void.self)
    var alarms = Alarms { feed.yield() }
    let start = ContinuousClock.now
    alarms.set(.graceOver(path: "c", attempt: 1), at: start + .seconds(3600))
    alarms.set(.deadline(path: "a", attempt: 1), at: start + .milliseconds(20))
    alarms.set(.deadline(path: "b", attempt: 1), at: start + .milliseconds(10))
    alarms.set(.due, at: start + .milliseconds(5))
    alarms.clear(.due)
    var rung: [Alarms.Alarm] = []
    for await _ in rings {
      rung += alarms.takeRung(at: .now)
      if rung.count == 2 { break }
    }
    #expect(rung == [.deadline(path: "b", attempt: 1), .deadline(path: "a", attempt: 1)])
    #expect(alarms.takeRung(at: .now) == [])
    alarms.cancel()
  }

  @Test("A journal that cannot be written ends the run: nothing is done unrecorded")
  func journalFails() async throws {
    struct DiskFull: Error {}
    let begun = Mutex(0)
    await #expect(throws: DiskFull.self) {
      _ = try await drive(
        plan([step("a", AnyStepModule(Act.self))]),
        append: { events in
          if events.contains(where: { if case .stepIntent = $0 { true } else { false } }) { throw DiskFull() }
        },
        notify: { notice in
          if case .progress = notice { begun.withLock { $0 += 1 } }
        })
    }
    #expect(begun.withLock { $0 } == 0)
  }
}

private func recorded(_ event: Event) -> RecordedEvent {
  RecordedEvent(seq: 1, moment: Moment(wall: .unixEpoch, monotonic: 0, boot: ""), event: event)
}
