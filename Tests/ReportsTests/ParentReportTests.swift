import Journal
import Schema
import Testing

@testable import Reports

@Suite struct ParentReportTests {
  private func parent(targets: Int) -> SampleJournal {
    var journal = SampleJournal(target: nil)
    for number in 1...targets {
      journal.add(.childStarted(ChildStarted(run: "RUN\(number)", target: "eu-\(number)")))
    }
    for number in 1..<targets {
      let relay: Outcome = number == 1 ? .fail : .pass
      journal.add(
        .childFinished(
          ChildFinished(
            run: "RUN\(number)", target: "eu-\(number)", outcome: relay,
            steps: [
              ChildStep(
                path: "turn", title: "TURN relays media", outcome: relay,
                expectation: relay == .fail ? broken : nil),
              ChildStep(path: "turn/relay", title: "Packets come back", outcome: relay),
              ChildStep(path: "disk", title: "The disk has room", outcome: .skipped),
            ])))
    }
    journal.end(.indeterminate, duration: .seconds(61))
    return journal
  }

  @Test("A parent's report is a table of its steps by target, after what did not pass")
  func matrix() {
    #expect(
      TextReportTests.text(parent(targets: 3), ahead: 0) == """
        INDETERMINATE  daily-health in 1m01s: 1 of 3 targets failed, 1 without an end

        FAIL  on eu-1
          fail      turn  TURN relays media
          found     expected output.loss <= inputs.maxLoss; output.loss = 12%, inputs.maxLoss = 1%
          fail      turn/relay  Packets come back
          next      runbook report RUN1

        INDETERMINATE  on eu-3
          next      runbook report RUN3

        STEP       eu-1     eu-2     eu-3
        turn       FAIL     pass     -
          relay    FAIL     pass     -
        disk       skipped  skipped  -
        whole run  FAIL     pass     INDETERMINATE

        run       01KBHYXV80ABCDEFGHJKMNPQRS (no. 42) by ops on turn-1
        started   2026-11-21 08:00:00 UTC
        finished  2026-11-21 08:00:00 UTC
        journal   /srv/turn/.runbook/runs/01KBHYXV80ABCDEFGHJKMNPQRS/journal.jsonl

        """)
  }

  private let broken = expectation(
    "output.loss <= inputs.maxLoss", .broken,
    actual: [("output.loss", .double(12), .percent), ("inputs.maxLoss", .double(1), .percent)])

  @Test("What a child's steps found: of a check the step that failed, else the expectation that did not hold")
  func found() {
    let steps = SampleJournal.failing.run.childSteps
    #expect(steps.map(\.path) == ["stun", "turn", "realm", "disk", "load", "cleanup"])
    #expect(steps.map(\.outcome) == [.pass, .fail, .warn, .pass, .warn, .skipped])
    #expect(steps[1].expectation == broken && steps[1].finding == nil)
    let found = Dictionary(uniqueKeysWithValues: steps.map { ($0.path.id, $0.found) })
    #expect(found["stun"] == .some(nil))
    #expect(found["turn"] == "expected output.loss <= inputs.maxLoss; output.loss = 12%, inputs.maxLoss = 1%")
    #expect(
      found["realm"] == "turn:turn.example.net accepts the credentials in the realm \"example.net\", not in "
        + "\"example.org\". (turn.realmMismatch)")
    #expect(found["load"] == "more work than processors; output.perProcessor = 3.41")
    #expect(found["cleanup"] == .some(nil))
  }

  @Test("Targets that were never begun are in the table, each on its own, and are no failures")
  func skipped() {
    var journal = SampleJournal(target: nil)
    journal.add(.runSignalled(RunSignalled(signal: 2)))
    for target in ["eu-1", "eu-2"] {
      journal.add(.childFinished(ChildFinished(run: "", target: target, outcome: .skipped, steps: [])))
    }
    journal.end(.error, signal: 2)
    let text = TextReportTests.text(journal)
    #expect(
      text.hasPrefix(
        "ERROR  daily-health in 3s: 2 of 2 targets skipped\n\n  found     SIGINT asked the run to end\n\nSTEP"))
    #expect(text.contains("whole run  skipped  skipped\n"))
    #expect(!text.contains("SKIPPED"))
  }

  @Test("Targets that do not fit side by side stand below one another")
  func manyTargets() {
    let text = TextReportTests.text(parent(targets: 30))
    #expect(
      text.contains("OUTCOME        TARGET  NOT PASSED\nFAIL           eu-1    turn turn/relay\npass           eu-2\n"))
    #expect(text.contains("INDETERMINATE  eu-30\n"))
  }
}
