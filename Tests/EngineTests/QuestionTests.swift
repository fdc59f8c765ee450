import Journal
import Language
import Schema
import Steps
import Synchronization
import Testing

@testable import Engine

/// Questions that steps put to people: what the machine makes of answers, and what the driver does while it waits.
@Suite struct QuestionTests {
  private let pause = FieldDeclaration(name: "pause", type: .duration, summary: "How long.")

  @Test("A question that is agreed to passes, and tells who agreed to the steps behind it")
  func agreed() {
    let knows = expression("steps.ok.output.user == 'alice'") {
      .bool($0.steps["ok"]?.output?["user"] == .string("alice"))
    }
    let events = rehearse(plan([ask("ok", .approve), step("next", condition: knows)]))
    #expect(events.outcomes == ["ok": .pass, "next": .pass])
    #expect(events.finished("ok")?.output["user"] == .string("alice"))
    #expect(events.finished("ok")?.duration == .seconds(1))
  }

  @Test("A question that is declined fails and stops the run, with the reason that was given")
  func refusal() throws {
    let events = rehearse(plan([ask("ok"), step("next")]), reply: { declined($0, reason: "not during the game") })
    #expect(events.outcomes == ["ok": .fail, "next": .skipped])
    let finding = try #require(events.finished("ok")?.finding)
    #expect(finding.code == "person.declined")
    #expect(finding.message == "alice declined: not during the game")
    #expect(events.runOutcome == .fail)
  }

  @Test("A question that nobody answers fails when its time is over, and never passes")
  func absence() throws {
    let events = rehearse(plan([ask("ok", timeout: .seconds(90)), step("next")]), reply: { _ in nil })
    #expect(events.outcomes == ["ok": .fail, "next": .skipped])
    #expect(events.finished("ok")?.finding?.code == "person.absent")
    #expect(events.finished("ok")?.finding?.message == "nobody answered within 1m30s")
    #expect(events.finished("ok")?.duration == .seconds(90))
  }

  @Test("A failed question that does not stop the run counts all the same")
  func goesOn() {
    let events = rehearse(plan([ask("ok", onFailure: .continue), step("next")]), reply: { _ in nil })
    #expect(events.outcomes == ["ok": .fail, "next": .pass])
    #expect(events.runOutcome == .fail)
  }

  @Test("What was filled in is the output, and expectations judge it")
  func form() {
    let isLong = Language.Expectation(
      that: expression("output.pause >= 1m") { .bool($0.output?["pause"] == .duration(.seconds(90))) },
      severity: .fail, message: nil)
    let values = Value.members([.init("pause", .duration(.seconds(90)))])
    let question = plan([ask("how", .form, fields: [pause], expect: [isLong])])
    let events = rehearse(question, reply: { accepted($0, values) })
    #expect(events.finished("how")?.output == values)
    #expect(events.outcomes == ["how": .pass])
    let short = Value.members([.init("pause", .duration(.seconds(1)))])
    #expect(rehearse(question, reply: { accepted($0, short) }).outcomes == ["how": .fail])
  }

  @Test("An answer to a question that was not asked, or was answered, changes nothing")
  func stray() {
    var machine = RunMachine(plan: plan([ask("ok")]), run: "RUN")
    machine.apply(.runStarted(startedEvent()), wall: epoch, at: .zero)
    func answer(_ user: String, accepted: Bool) -> Event {
      .personAnswered(
        PersonAnswered(
          path: "ok", attempt: 1, accepted: accepted, answer: .null, reason: nil, user: user, uid: 1, way: .command))
    }
    machine.apply(answer("early", accepted: true), wall: nil, at: .zero)
    guard case .record(.typesDeclared(let types)) = machine.next(at: .zero) else {
      Testing.Issue.record("its types are declared first")
      return
    }
    machine.apply(.typesDeclared(types), wall: nil, at: .zero)
    guard case .record(let start) = machine.next(at: .zero) else {
      Testing.Issue.record("the step begins")
      return
    }
    machine.apply(start, wall: nil, at: .zero)
    machine.apply(answer("early", accepted: true), wall: nil, at: .zero)
    guard case .ask(let asking) = machine.next(at: .zero) else {
      Testing.Issue.record("the question is due")
      return
    }
    machine.apply(.personAsked(askedEvent(asking)), wall: nil, at: .zero)
    machine.apply(answer("first", accepted: false), wall: nil, at: .seconds(1))
    machine.apply(answer("second", accepted: true), wall: nil, at: .seconds(1))
    guard case .record(.stepFinished(let end)) = machine.next(at: .seconds(1)) else {
      Testing.Issue.record("the step has ended")
      return
    }
    #expect(end.finding?.message == "first declined")
  }

  @Test("A signal and the run's timeout end the wait: nobody had answered", arguments: [true, false])
  func ending(isSignal: Bool) {
    var machine = RunMachine(plan: plan([ask("ok"), step("next")], timeout: .seconds(5)), run: "RUN")
    var events: [Event] = []
    var now = Duration.zero
    func apply(_ event: Event) {
      machine.apply(event, wall: epoch, at: now)
      events.append(event)
    }
    apply(.runStarted(startedEvent()))
    while events.count < 100 {
      switch machine.next(at: now) {
      case .record(let event): apply(event)
      case .ask(let asking): apply(.personAsked(askedEvent(asking)))
      case .wait(let until):
        #expect(until == .seconds(5))
        now = isSignal ? .seconds(4) : .seconds(5)
        if isSignal { apply(.runSignalled(RunSignalled(signal: 2))) }
      case .begin, .reconcile, .unresolved:
        Testing.Issue.record("nothing begins")
        return
      case .finish(let outcome, _):
        #expect(events.outcomes == ["ok": .fail, "next": .skipped])
        #expect(events.finished("ok")?.finding?.code == "person.absent")
        #expect(outcome == (isSignal ? .fail : .error))
        return
      }
    }
  }

  @Test("A time limit around a question ends the wait")
  func limited() {
    let limited = check("turn", [ask("ok")], tries: Tries(timeout: .seconds(5)))
    let events = rehearse(plan([limited]), reply: { _ in nil })
    #expect(events.outcomes == ["turn/ok": .fail, "turn": .error])
    #expect(
      events.finished("turn/ok")?.finding?.message == "nobody had answered when the time limit of turn, 5s, had passed")
    #expect(events.finished("turn/ok")?.duration == .seconds(5))
  }

  @Test("The digest of a question depends on all that an approver signs, and on nothing else")
  func digest() {
    func digest(
      run: String = "A", path: StepPath = "ok", attempt: Int = 1, runbook: String = "test", source: String = "0",
      input: String = "Go on?", expires: Timestamp? = epoch
    ) -> String {
      var started = startedEvent()
      started.runbook = runbook
      started.sources = [SourceDigest(path: "runbooks/test.yaml", sha256: source)]
      started.pid = Int.random(in: 1...1000)
      return PersonAsked.digest(
        run: run, path: path, attempt: attempt, started: started, input: .members([.init("question", .string(input))]),
        expires: expires)
    }
    #expect(digest() == digest())
    let others = [
      digest(run: "B"), digest(path: "other"), digest(path: StepPath("ok", in: .finally)), digest(attempt: 2),
      digest(runbook: "other"), digest(source: "1"), digest(input: "Go?"), digest(expires: nil),
    ]
    #expect(Set(others + [digest()]).count == others.count + 1)
  }

  @Test("What is filled in is read by its type, and refused with the reason if it is wrong")
  func filling() throws {
    let question = Question(
      .form, input: .literal(.members([])),
      fields: [
        pause, FieldDeclaration(name: "count", type: .int, fallback: .int(3), summary: "N."),
        FieldDeclaration(name: "note", type: .optional(.string), fallback: .null, summary: "N."),
      ], timeout: .seconds(1))
    #expect(
      try question.filled(["pause": "90s"])
        == .members([.init("pause", .duration(.seconds(90))), .init("count", .int(3)), .init("note", .null)]))
    for (texts, field) in [
      (["pause": "90"], "pause"), ([:], "pause"), (["pause": ""], "pause"), (["pause": "1s", "count": "x"], "count"),
      (["pause": "1s", "notes": "x"], "notes"),
    ] {
      let error = #expect(throws: Mismatch.self) { try question.filled(texts) }
      #expect(error?.path == field)
    }
  }

  // MARK: Driving

  /// Replies with what it is given, and tells when it is no longer wanted.
  private struct Scripted: People {
    let replies: [String: [Reply]]
    final class Ends: Sendable { let paths = Mutex<Set<StepPath>>([]) }
    let ends = Ends()

    init(_ replies: [String: [Reply]]) { self.replies = replies }

    func replies(to question: OpenQuestion) -> AsyncStream<Reply> {
      let (stream, feed) = AsyncStream.makeStream(of: Reply.self)
      feed.onTermination = { [ends] _ in _ = ends.paths.withLock { $0.insert(question.asked.path) } }
      for reply in replies[question.asked.path.text] ?? [] { feed.yield(reply) }
      return stream
    }
  }

  private func drive(
    _ plan: Plan, _ people: Scripted, signals: AsyncStream<Int> = AsyncStream { $0.finish() }
  ) async throws -> (finished: RunFinished, events: [Event]) {
    let events = Mutex<[Event]>([])
    let driver = RunDriver(
      plan: plan, run: "RUN", services: Services(history: NoHistory()), people: people,
      append: { new in events.withLock { $0 += new } }, notify: { _ in })
    let started = RecordedEvent(seq: 1, moment: .now(), event: .runStarted(startedEvent()))
    let finished = try await driver.drive(from: started, signals: signals)
    return (finished, events.withLock { $0 })
  }

  private func yes(_ user: String) -> Reply {
    .answered(
      Reply.Answer(accepted: true, values: .members([]), reason: nil, user: user, uid: 0, way: .command))
  }

  @Test("A reply that does not count is recorded, and the question waits for one that does")
  func refused() async throws {
    let people = Scripted(["ok": [.refused(reason: "mallory is no approver", user: "mallory", uid: 7), yes("alice")]])
    let (finished, events) = try await drive(plan([ask("ok")]), people)
    #expect(finished.outcome == .pass)
    let kinds = events.map(\.type).filter { $0.hasPrefix("person") || $0.hasPrefix("answer") }
    #expect(kinds == ["person.asked", "answer.refused", "person.answered"])
  }

  @Test("Of two answers the first counts, and nobody reads replies any more after it", .timeLimit(.minutes(1)))
  func twice() async throws {
    let people = Scripted(["ok": [yes("alice"), yes("bob")]])
    let (_, events) = try await drive(plan([ask("ok"), step("next")]), people)
    let answers = events.compactMap { if case .personAnswered(let answer) = $0 { answer.user } else { nil } }
    #expect(answers == ["alice"])
    while !people.ends.paths.withLock({ $0.contains("ok") }) { await Task.yield() }
  }

  @Test("While branches wait for answers, others work", .timeLimit(.minutes(1)))
  func branches() async throws {
    let people = Scripted(["all/a": [yes("alice")], "all/b": [yes("bob")]])
    let (finished, events) = try await drive(plan([parallel("all", [ask("a"), step("work"), ask("b")])]), people)
    #expect(finished.outcome == .pass)
    #expect(events.outcomes == ["all": .pass, "all/a": .pass, "all/b": .pass, "all/work": .pass])
  }

  @Test("Nobody comes: the driver waits no longer than the question says", .timeLimit(.minutes(1)))
  func nobody() async throws {
    let (finished, events) = try await drive(plan([ask("ok", timeout: .milliseconds(50))]), Scripted([:]))
    #expect(finished.outcome == .fail)
    #expect(events.finished("ok")?.finding?.code == "person.absent")
  }

  @Test("A signal ends a wait at once", .timeLimit(.minutes(1)))
  func signal() async throws {
    let (signals, feed) = AsyncStream.makeStream(of: Int.self)
    feed.yield(2)
    let (finished, events) = try await drive(
      plan([ask("ok", timeout: .seconds(3600))]), Scripted([:]), signals: signals)
    #expect(finished.signal == 2)
    #expect(events.outcomes["ok"] == .skipped || events.outcomes["ok"] == .fail)
  }
}
