import Foundation
import Language
import Schema
import Steps
import TestSupport
import Testing

@testable import Engine
@testable import Journal

/// Runs that ended with failures, and in which those are tried anew.
///
/// `RUNBOOK_FUZZ_SECONDS` makes it go on with more plans.
@Suite struct RetryFuzzTests {
  private static let seconds = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"].flatMap(Double.init) ?? 0

  /// A journal, and the tries that were begun for it.
  private struct Course {
    var events: [RecordedEvent] = []
    var begun: [Try] = []
    var acted: [String: Int] = [:]

    var outcome: Outcome? {
      if case .runFinished(let finished) = events.last?.event { finished.outcome } else { nil }
    }

    var outcomes: [StepPath: Outcome] {
      events.standing.reduce(into: [:]) { found, recorded in
        switch recorded.event {
        case .stepFinished(let step): found[step.path] = step.outcome
        case .stepSkipped(let step): found[step.path] = .skipped
        default: break
        }
      }
    }

    /// As a journal gives the events back.
    mutating func add(_ event: Event, at now: Duration) throws {
      let moment = Moment(wall: epoch ?? .unixEpoch, monotonic: Int64(now / .nanoseconds(1)), boot: "b")
      events.append(RecordedEvent(seq: events.count + 1, moment: moment, event: try throughJSON(event)))
    }

    var run: RecordedRun {
      RecordedRun(folder: RunFolder("/nowhere/RUN"), id: "RUN", started: startedEvent(), events: events)
    }
  }

  /// Drives a machine to its end; every try that is no failure acts.
  private func drive(
    _ machine: RunMachine, _ course: Course, from start: Duration, failing: (Try) -> Outcome?, limit: Int = 50_000
  ) throws -> Course {
    var (machine, course, now) = (machine, course, start)
    func apply(_ event: Event) throws {
      machine.apply(event, wall: epoch, at: now)
      try course.add(event, at: now)
    }
    if course.events.isEmpty { try apply(.runStarted(startedEvent())) }
    var open = machine.waitingQuestions.map(\.asking)
    while course.events.count < limit {
      if let asking = open.popLast() {
        try apply(.personAnswered(accepted(asking, asking.question.kind == .form ? Self.form : .members([]))))
        continue
      }
      switch machine.next(at: now) {
      case .record(let event): try apply(event)
      case .begin(let attempt):
        try apply(attempt.intent)
        course.begun.append(attempt)
        let outcome = failing(attempt) ?? .pass
        if outcome != .fail { course.acted["\(attempt.path)", default: 0] += 1 }
        now += .milliseconds(10)
        try apply(.stepResult(result(attempt, outcome)))
      case .reconcile(let attempt, _):
        let isDone = course.acted["\(attempt.path)", default: 0] > 0
        try apply(
          .stepReconciled(attempt.reconciled(isDone ? .done : .notDone, output: result(attempt, .pass).output)))
      case .ask(let asking):
        try apply(.personAsked(askedEvent(asking)))
        open.append(asking)
      case .wait(let until?): now = until
      case .finish(let outcome, let finding):
        try apply(.runFinished(RunFinished(outcome: outcome, finding: finding, signal: nil, duration: now)))
        return course
      case .unresolved, .wait(until: nil): throw Stuck(events: course.events.suffix(6).map(\.event))
      }
    }
    throw Stuck(events: course.events.suffix(6).map(\.event))
  }

  private struct Stuck: Error { let events: [Event] }

  private static let form = Value.members([.init("wait", .duration(.seconds(90)))])

  /// Some tries of the first course fail; of those that may be done only once the end of some is not known.
  private static func failure(_ attempt: Try) -> Outcome? {
    var numbers = SplitMix(state: attempt.key.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) })
    guard numbers.oneIn(5) else { return nil }
    return attempt.effect > .observe && attempt.module.repetition == .atMostOnce && numbers.oneIn(2)
      ? .indeterminate : .fail
  }

  private func resumed(_ course: Course, _ plan: Plan, retry: RunRetry?) throws -> (RunReplay, Course) {
    var course = course
    let last = try #require(course.events.last)
    try course.add(
      .runResumed(RunResumed(pid: 1, drift: [], retry: retry)), at: .nanoseconds(last.moment.monotonic) + .seconds(5))
    return (RunReplay(course.events, plan: plan, run: "RUN"), course)
  }

  /// What the chain cannot show of a journal: nil if its ends agree with its steps.
  private func disagreement(_ course: Course) -> String? {
    do throws(JournalError) {
      try RunVerification(run: course.run).checkOutcome()
      return nil
    } catch { return error.message }
  }

  @Test("What failed is tried anew, what passed is not, and what was not done because of it is done")
  func retried() throws {
    let deadline = ContinuousClock.now + .seconds(Self.seconds)
    var (seed, looked) = (UInt64(0), 0)
    while seed < 50 || ContinuousClock.now < deadline {
      defer { seed += 1 }
      var maker = TreeMaker(seed: seed &* 7753 &+ 5)
      var plan = maker.tree()
      plan.rollback = .never
      let first = try drive(RunMachine(plan: plan, run: "RUN"), Course(), from: .zero, failing: Self.failure)
      guard first.outcome?.isGood == false, first.outcome != .skipped else { continue }
      looked += 1
      let parts = first.run.failedParts
      let (replay, before) = try resumed(first, plan, retry: parts)
      let second = try drive(replay.machine, before, from: replay.elapsed, failing: { _ in nil })
      #expect(disagreement(second) == nil, "seed \(seed)")

      let anew = Set(parts.steps.map(\.path))
      func isAnew(_ path: StepPath) -> Bool {
        guard path.stage == .before || path.stage == .steps else { return true }
        return sequence(first: path.tried ?? path, next: \.owner).contains { anew.contains($0) }
      }
      let passed = first.outcomes.filter { $0.value.isGood && !isAnew($0.key) }
      for attempt in second.begun.dropFirst(first.begun.count) {
        #expect(passed[attempt.path] == nil, "seed \(seed): \(attempt.path) had passed")
      }
      // What nobody knew the end of had acted: it is not done a second time.
      for step in parts.steps where step.isUnknown {
        #expect(second.acted["\(step.path)"] == first.acted["\(step.path)"], "seed \(seed): \(step.path)")
      }
      for (path, outcome) in passed { #expect(second.outcomes[path] == outcome, "seed \(seed): \(path)") }
      // Nothing is left without an end.
      let ended = Set(second.outcomes.keys)
      for case .stepStarted(let step) in second.events.standing.lazy.map(\.event) where step.path.tried == nil {
        #expect(ended.contains(step.path), "seed \(seed): \(step.path)")
      }
      // A step of the runbook itself has an end, whatever became of its tries.
      let lost = first.outcomes.keys.filter { $0.owner == nil && $0.tried == nil && !ended.contains($0) }
      #expect(lost.isEmpty, "seed \(seed)")

      // The process dies while it does them.
      let length = second.events.count
      for count in stride(from: before.events.count, to: length, by: max(1, (length - before.events.count) / 3)) {
        var cut = Course(events: Array(second.events.prefix(count)), acted: second.acted)
        let begun = second.begun.prefix(cut.events.count { $0.event.type == StepIntent.type })
        cut.acted = begun.reduce(into: [:]) { acted, attempt in
          let isFirst = first.begun.contains { $0.path == attempt.path && $0.attempt == attempt.attempt }
          if !isFirst || Self.failure(attempt) != .fail { acted["\(attempt.path)", default: 0] += 1 }
        }
        let (replay, dead) = try resumed(cut, plan, retry: nil)
        let third = try drive(replay.machine, dead, from: replay.elapsed, failing: { _ in nil })
        #expect(third.outcome == second.outcome && third.outcomes == second.outcomes, "seed \(seed), \(count) events")
        #expect(disagreement(third) == nil, "seed \(seed), \(count) events")
      }
    }
    #expect(looked > 20)
  }

  @Test("A failure that is tried anew fails again as it did, and can be tried anew again")
  func again() throws {
    for seed in UInt64(0)..<20 {
      var maker = TreeMaker(seed: seed &* 9311 &+ 2)
      var plan = maker.tree()
      plan.rollback = .never
      let first = try drive(RunMachine(plan: plan, run: "RUN"), Course(), from: .zero) {
        Self.failure($0).map { _ in .fail }
      }
      guard first.outcome?.isGood == false, first.outcome != .skipped else { continue }
      var course = first
      for _ in 0..<3 {
        let (replay, before) = try resumed(course, plan, retry: course.run.failedParts)
        course = try drive(replay.machine, before, from: replay.elapsed) { Self.failure($0).map { _ in .fail } }
        #expect(course.outcome == first.outcome && course.outcomes == first.outcomes, "seed \(seed)")
        #expect(disagreement(course) == nil, "seed \(seed)")
      }
    }
  }
}
