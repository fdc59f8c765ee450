import Foundation
import Journal
import Language
import Schema
import Steps
import TestSupport
import Testing

@testable import Engine

/// The world outside a run: what its tries did there, which no journal knows.
private struct World {
  /// How often each try of a step that may be done only once took effect.
  private(set) var effects: [String: Int] = [:]

  private static func name(_ attempt: Try) -> String { "\(attempt.path) #\(attempt.attempt)" }

  mutating func act(_ attempt: Try) {
    guard attempt.effect > .observe, attempt.module.repetition == .atMostOnce else { return }
    effects[Self.name(attempt), default: 0] += 1
  }

  func hasActed(_ attempt: Try) -> Bool { effects[Self.name(attempt), default: 0] > 0 }
}

/// Runs whose process dies after each event of their journals, in every state that the world may be in then.
///
/// `RUNBOOK_FUZZ_SECONDS` makes it go on with more plans, and after each event.
@Suite struct ResumeFuzzTests {
  private static let seconds = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"].flatMap(Double.init) ?? 0

  /// Calls `body` with each of the first seeds, and with further ones as long as there is time.
  private func withSeeds(_ count: UInt64, _ body: (UInt64) throws -> Void) rethrows {
    let deadline = ContinuousClock.now + .seconds(Self.seconds)
    var seed: UInt64 = 0
    while seed < count || ContinuousClock.now < deadline {
      try body(seed)
      seed += 1
    }
  }

  /// How many moments of a run are looked at.
  private static let moments = seconds > 0 ? Int.max : 25

  private struct Entry {
    let event: Event
    let at: Duration
    /// The try that the event is the intent of.
    var begun: Try?
  }

  /// What a run comes to.
  private struct Course {
    var entries: [Entry] = []
    var world = World()
    var unresolved: [UnresolvedTry] = []
    var outcome: Outcome?

    var outcomes: [StepPath: Outcome] {
      entries.reduce(into: [:]) { found, entry in
        if case .stepFinished(let step) = entry.event { found[step.path] = step.outcome }
        if case .stepSkipped(let step) = entry.event { found[step.path] = .skipped }
      }
    }
  }

  /// Drives a machine to its end. Each try ends before the next is begun, so that an order is given.
  ///
  /// - Parameter isTold: whether modules can tell how a try ended.
  private func drive(
    _ machine: RunMachine, _ world: World = World(), from start: Duration = .zero, isTold: Bool = true
  ) -> Course {
    var (machine, now, course) = (machine, start, Course(world: world))
    func apply(_ event: Event, begun: Try? = nil) {
      machine.apply(event, wall: epoch, at: now)
      course.entries.append(Entry(event: event, at: now, begun: begun))
    }
    func answer(_ asked: PersonAsked, _ question: Question) {
      let wait = Value.members([.init("wait", .duration(.seconds(90)))])
      apply(
        .personAnswered(
          PersonAnswered(
            path: asked.path, attempt: 1, accepted: true, answer: question.kind == .form ? wait : .members([]),
            reason: nil, user: "alice", uid: 1000, way: .command)))
    }
    if start == .zero { apply(.runStarted(startedEvent())) }
    for waiting in machine.waitingQuestions { answer(waiting.asked, waiting.asking.question) }
    while course.entries.count < 20_000 {
      switch machine.next(at: now) {
      case .record(let event): apply(event)
      case .begin(let attempt):
        apply(attempt.intent, begun: attempt)
        course.world.act(attempt)
        now += .milliseconds(100)
        apply(.stepResult(Self.come(of: attempt)))
      case .reconcile(let attempt, _):
        let verdict: StepReconciled.ReconciliationVerdict =
          !isTold ? .unknown : course.world.hasActed(attempt) ? .done : .notDone
        apply(.stepReconciled(attempt.reconciled(verdict, output: Self.come(of: attempt).output)))
      case .unresolved(let tries):
        course.unresolved = tries
        return course
      case .ask(let asking):
        let asked = askedEvent(asking)
        apply(.personAsked(asked))
        answer(asked, asking.question)
      case .wait(let until?): now = until
      case .wait(until: nil): return course
      case .finish(let outcome, _):
        course.outcome = outcome
        return course
      }
    }
    return course
  }

  /// Good for everything that may be done only once, so that a module that tells that it did something says all; some of the
  /// others fail now and then.
  private static func come(of attempt: Try) -> StepResultRecorded {
    var numbers = SplitMix(state: attempt.key.utf8.reduce(UInt64(attempt.attempt)) { $0 &* 31 &+ UInt64($1) })
    let isOnce = attempt.effect > .observe && attempt.module.repetition == .atMostOnce
    let outcome: Outcome = isOnce || !numbers.oneIn(6) ? .pass : .fail
    return result(attempt, outcome, number: .int(Int64(attempt.attempt)))
  }

  /// A machine that has been told the first events, and that another process goes on with the run.
  private func resumed(_ plan: Plan, _ entries: some Sequence<Entry>, after pause: Duration) -> (RunMachine, Duration) {
    var machine = RunMachine(plan: plan, run: "RUN")
    var now = Duration.zero
    for entry in entries {
      now = entry.at
      machine.apply(entry.event, wall: epoch, at: now)
    }
    now += pause
    machine.apply(.runResumed(RunResumed(pid: 1, drift: [])), wall: epoch, at: now)
    return (machine, now)
  }

  /// The worlds in which a process may have died after the first events: the try that it had begun took effect, or not yet.
  private func worlds(_ entries: [Entry]) -> [World] {
    var world = World()
    for entry in entries.dropLast() { if let begun = entry.begun { world.act(begun) } }
    guard let begun = entries.last?.begun else { return [world] }
    var acted = world
    acted.act(begun)
    return [world, acted]
  }

  @Test("However a run dies, going on with it does nothing twice and loses nothing")
  func everyPrefix() throws { try withSeeds(16, everyPrefix) }

  private func everyPrefix(seed: UInt64) throws {
    var maker = TreeMaker(seed: seed &* 7919 &+ 11)
    let plan = maker.tree()
    let whole = drive(RunMachine(plan: plan, run: "RUN"))
    let outcome = try #require(whole.outcome)
    let length = whole.entries.count
    for count in stride(from: 1, through: length, by: max(1, length / Self.moments)) {
      let prefix = Array(whole.entries.prefix(count))
      for world in worlds(prefix) {
        let (machine, now) = resumed(plan, prefix, after: .milliseconds(1))
        let course = drive(machine, world, from: now)
        #expect(course.unresolved.isEmpty)
        #expect(course.outcome == outcome, "after \(count) events, the last of which is \(prefix[count - 1].event)")
        #expect(course.world.effects == whole.world.effects, "after \(count) events: \(prefix[count - 1].event)")
        let all = Course(entries: prefix + course.entries)
        #expect(all.outcomes == whole.outcomes, "after \(count) events: \(prefix[count - 1].event)")
      }
    }
  }

  @Test("A second death, at any moment of the first going on, changes nothing")
  func deathAgain() throws { try withSeeds(4, deathAgain) }

  private func deathAgain(seed: UInt64) throws {
    var maker = TreeMaker(seed: seed &* 104_729 &+ 3)
    let plan = maker.tree()
    let whole = drive(RunMachine(plan: plan, run: "RUN"))
    for count in stride(from: 1, through: whole.entries.count, by: max(1, whole.entries.count / 8)) {
      let prefix = Array(whole.entries.prefix(count))
      for world in worlds(prefix) {
        let (machine, now) = resumed(plan, prefix, after: .milliseconds(1))
        let second = drive(machine, world, from: now)
        let entries = prefix + [Entry(event: .runResumed(RunResumed(pid: 1, drift: [])), at: now)] + second.entries
        for length in stride(from: count + 1, through: entries.count, by: max(1, entries.count / 8)) {
          var again = world
          let added = entries[(count + 1)..<length]
          for entry in added.dropLast() { if let begun = entry.begun { again.act(begun) } }
          let (last, at) = resumed(plan, entries.prefix(length), after: .milliseconds(1))
          let course = drive(last, again, from: at)
          #expect(course.outcome == whole.outcome)
          #expect(course.world.effects == whole.world.effects, "\(count) and \(length) events")
        }
      }
    }
  }

  @Test("What only a person can tell is never done again, and the run waits for it")
  func untold() throws { try withSeeds(16, untold) }

  private func untold(seed: UInt64) throws {
    var maker = TreeMaker(seed: seed &* 6151 &+ 5)
    let plan = maker.tree()
    let whole = drive(RunMachine(plan: plan, run: "RUN"))
    let acting = whole.entries.indices.filter { index in
      guard let begun = whole.entries[index].begun else { return false }
      return begun.module.repetition == .atMostOnce && begun.effect > .observe
    }
    for index in acting.prefix(4) + acting.suffix(4) {
      let count = index + 1
      guard let begun = whole.entries[index].begun else { continue }
      let prefix = Array(whole.entries.prefix(count))
      let worlds = worlds(prefix)
      for (world, resolution) in zip(worlds, [StepResolved.Resolution.notDone, .done]) {
        let (machine, now) = resumed(plan, prefix, after: .milliseconds(1))
        let stopped = drive(machine, world, from: now, isTold: false)
        #expect(stopped.unresolved.map(\.path) == [begun.path])
        #expect(stopped.world.effects == world.effects)
        let told = Event.stepResolved(
          StepResolved(path: begun.path, attempt: begun.attempt, resolution: resolution, reason: "seen", user: "alice"))
        let before = prefix + [Entry(event: .runResumed(RunResumed(pid: 1, drift: [])), at: now)] + stopped.entries
        let (last, at) = resumed(plan, before + [Entry(event: told, at: now)], after: .milliseconds(1))
        let course = drive(last, world, from: at)
        #expect(course.outcome != nil)
        #expect(course.world.effects.values.allSatisfy { $0 == 1 } && course.world.hasActed(begun))
        // Who tells that it was done cannot tell its output, so that what follows may be another.
        guard resolution == .notDone else { continue }
        #expect(course.world.effects == whole.world.effects, "\(begun.path)")
      }
    }
  }

  // MARK: Times

  @Test("A wait ends when it would have ended; time limits do not count the time in which nothing ran")
  func times() throws {
    let retry = RetryPolicy(times: 1, backoff: .seconds(60), factor: 1, maxDelay: .seconds(60), jitter: 0)
    var plan = EngineTests.plan([step("a", retry: retry), step("b")])
    plan.timeout = .seconds(100)
    var machine = RunMachine(plan: plan, run: "RUN")
    var now = Duration.zero
    func apply(_ event: Event) { machine.apply(event, wall: epoch, at: now) }
    apply(.runStarted(startedEvent()))
    func begin() throws -> Try {
      while true {
        switch machine.next(at: now) {
        case .record(let event): apply(event)
        case .begin(let attempt):
          apply(attempt.intent)
          return attempt
        default: throw Unexpected()
        }
      }
    }
    let first = try begin()
    now = .seconds(1)
    apply(.stepResult(result(first, .fail)))
    guard case .record(let waiting) = machine.next(at: now), case .stepWaiting = waiting else { throw Unexpected() }
    apply(waiting)
    // The process is dead for forty seconds of the minute, and then the wait is over in twenty.
    now = .seconds(41)
    apply(.runResumed(RunResumed(pid: 1, drift: [])))
    guard case .wait(.seconds(61)?) = machine.next(at: now) else { throw Unexpected() }
    now = .seconds(61)
    _ = try begin()
    // The run's timeout of 100 s is over after 140.
    now = .seconds(139)
    guard case .wait(.seconds(140)?) = machine.next(at: now) else { throw Unexpected() }
    now = .seconds(140)
    guard case .record(.runTimedOut) = machine.next(at: now) else { throw Unexpected() }
  }

  private struct Unexpected: Error {}
}
