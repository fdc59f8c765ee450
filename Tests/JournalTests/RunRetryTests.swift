import TestSupport
import Testing

@testable import Journal
@testable import Schema

/// What counts of a journal whose run was retried, and what is tried anew of one that failed.
@Suite struct RunRetryTests {
  private func start(_ path: String, _ effect: Effect = .change, diagnostic: Bool = false) -> Event {
    .stepStarted(
      StepStarted(path: StepPath(path), title: "T", use: "m", effect: effect, input: .null, diagnostic: diagnostic))
  }

  private func result(_ path: String, _ outcome: Outcome) -> [Event] {
    [
      .stepIntent(StepIntent(path: StepPath(path), attempt: 1, key: "k")),
      .stepResult(
        StepResultRecorded(
          path: StepPath(path), attempt: 1, outcome: outcome, output: .null, finding: nil, notStarted: false,
          duration: .zero)),
    ]
  }

  private func finish(_ path: String, _ outcome: Outcome) -> Event {
    .stepFinished(
      StepFinished(
        path: StepPath(path), outcome: outcome, finding: nil, expectations: [], attempts: 1, output: .null,
        duration: .zero))
  }

  private func call(_ path: String, _ outcome: Outcome, _ effect: Effect = .change) -> [Event] {
    [start(path, effect)] + result(path, outcome) + [finish(path, outcome)]
  }

  private func skip(_ path: String) -> Event {
    .stepSkipped(StepSkipped(path: StepPath(path), title: "T", use: "m", effect: .change, reason: "stopped"))
  }

  private func end(_ outcome: Outcome) -> Event {
    .runFinished(RunFinished(outcome: outcome, finding: nil, signal: nil, duration: .zero))
  }

  private func resumed(_ retry: RunRetry) -> Event { .runResumed(RunResumed(pid: 1, drift: [], retry: retry)) }

  private func run(_ events: [Event]) -> RecordedRun {
    let moment = Moment(wall: .unixEpoch, monotonic: 0, boot: "b")
    let all = [Event.runStarted(SampleRun.started)] + events
    return RecordedRun(
      folder: RunFolder("/nowhere"), id: "RUN", started: SampleRun.started,
      events: all.enumerated().map { RecordedEvent(seq: $0 + 1, moment: moment, event: $1) })
  }

  private func parts(_ events: [Event]) -> [String] {
    run(events).failedParts.steps.map { "\($0.path)\($0.isUnknown ? "?" : "")" }
  }

  @Test("What failed is tried anew, and what was skipped; what passed is not")
  func failed() {
    #expect(parts(call("a", .pass) + call("b", .fail) + [skip("c"), end(.fail)]) == ["b", "c"])
    #expect(parts(call("a", .warn) + call("b", .error) + [end(.error)]) == ["b"])
    // Of what is not known it is found out first.
    #expect(parts(call("a", .pass) + call("b", .indeterminate) + [end(.indeterminate)]) == ["b?"])
    // The end of the run is repeated as a whole.
    let tidied = call("a", .pass) + [skip("b")]
    #expect(parts(tidied + [.undoListed(UndoListed(remaining: [])), end(.error)]) == ["b"])
  }

  @Test("Of a group it is what failed inside; if only its own judgement failed, what looks is looked at again")
  func groups() {
    let inside = call("g/a", .pass) + call("g/b", .fail) + [skip("g/c")]
    #expect(parts([start("g")] + inside + [finish("g", .fail), end(.fail)]) == ["g/b", "g/c"])
    let judged = call("g/a", .pass) + call("g/b", .pass, .observe)
    #expect(parts([start("g")] + judged + [finish("g", .fail), end(.fail)]) == ["g/b"])
    let looking = call("g/a", .pass, .observe) + call("g/b", .pass, .observe)
    #expect(parts([start("g", .observe)] + looking + [finish("g", .fail), end(.fail)]) == ["g"])
    let tried =
      [start("g", .observe)] + call("g/a", .fail, .observe) + [start("g#2", .observe)]
      + call("g#2/a", .fail, .observe) + [finish("g", .fail), end(.fail)]
    #expect(parts(tried) == ["g"])
    let loop =
      [start("l")] + [start("l[0]")] + call("l[0]/a", .pass) + [finish("l[0]", .pass), start("l[1]")]
      + call("l[1]/a", .fail) + [finish("l[1]", .fail), finish("l", .fail), end(.fail)]
    #expect(parts(loop) == ["l[1]/a"])
  }

  @Test("A group that passed because a signal kept the rest of it from beginning is gone on with")
  func cut() {
    let events =
      [start("g")] + call("g/a", .pass) + [.runSignalled(RunSignalled(signal: 15)), skip("g/b"), finish("g", .pass)]
      + [skip("c"), .runFinished(RunFinished(outcome: .pass, finding: nil, signal: 15, duration: .zero))]
    #expect(parts(events) == ["g/b", "c"])
    let standing = run(events + [resumed(run(events).failedParts)]).standing.map(\.event)
    #expect(!standing.contains { $0.type == RunSignalled.type || $0.type == RunFinished.type })
    #expect(!standing.contains(finish("g", .pass)) && standing.contains(finish("g/a", .pass)))
  }

  @Test("What was recorded of retried parts counts no more, nor do the ends around them; the rest does")
  func standing() {
    let first =
      [start("g")] + call("g/a", .pass) + call("g/b", .fail) + [finish("g", .fail)] + call("d", .pass)
      + [skip("e"), end(.fail)]
    let retried = first + [resumed(run(first).failedParts)]
    let kept = [start("g")] + call("g/a", .pass) + call("d", .pass)
    #expect(run(retried).standing.dropFirst().dropLast().map(\.event) == kept)
    let second = call("g/b", .pass) + [finish("g", .pass)] + call("e", .indeterminate) + [end(.indeterminate)]
    let again = run(retried + second)
    #expect(again.failedParts.steps == [RetriedStep("e", isUnknown: true)])
    let third = run(retried + second + [resumed(again.failedParts)])
    #expect(
      third.standing.map(\.event).suffix(3) == [start("e"), result("e", .indeterminate)[0], resumed(again.failedParts)])
    #expect(third.openTries.map(\.path) == ["e"])
    // As it stands in a journal.
    let event = resumed(again.failedParts)
    #expect((try? Event(type: event.type, fields: event.fields)) == event)
  }

  @Test("The chain of a retried run is verified end by end: an outcome that its steps do not come to is refused")
  func verified() async throws {
    let temporary = try TemporaryFolder()
    let first = call("a", .pass) + call("b", .fail) + [end(.fail)]
    let retry = resumed(run(first).failedParts)
    let good = try await SampleRun.record(
      in: StateFolder(temporary.path + "/good"), events: first + [retry] + call("b", .pass) + [end(.pass)])
    #expect(try RecordedRun.read(good).finished?.outcome == .pass)
    // Without the step that failed it would be a pass that nothing proves.
    let forged = try await SampleRun.record(
      in: StateFolder(temporary.path + "/forged"), events: first + [retry] + call("b", .fail) + [end(.pass)])
    #expect(throws: JournalError.self) { try RecordedRun.read(forged) }
    let earlier = try await SampleRun.record(
      in: StateFolder(temporary.path + "/earlier"),
      events: call("a", .pass) + call("b", .fail) + [end(.pass), retry] + call("b", .pass) + [end(.pass)])
    #expect(throws: JournalError.self) { try RecordedRun.read(earlier) }
  }
}
