import Journal
import Schema
import Testing

@testable import Reports

/// Reports of runs whose journal has no end.
@Suite struct DeadRunReportTests {
  private func dead() -> SampleJournal {
    var journal = SampleJournal()
    journal.plan(["disk", "off", "off/inner", "turn", "turn/relay", "turn/kept", "load"])
    journal.disk()
    journal.skip("off", "Off", use: "checks/off", reason: "its condition is false: false")
    journal.start("turn", "TURN", use: "checks/turn")
    journal.start("turn/relay", "Relay", use: "command.run")
    for attempt in 1...2 {
      journal.add(.stepIntent(StepIntent(path: "turn/relay", attempt: attempt, key: "k")))
      journal.add(
        .processStarted(
          ProcessStarted(
            path: "turn/relay", attempt: attempt, program: "coturn\u{1B}", pid: 40 + attempt, startTime: 5)))
      if attempt == 1 {
        journal.add(
          .stepResult(
            StepResultRecorded(
              path: "turn/relay", attempt: 1, outcome: .fail, output: .null, finding: nil, notStarted: false,
              duration: .seconds(1))))
      }
    }
    return journal
  }

  private func text(_ state: LeftProcess.State) -> String {
    RunReport(dead().run, state: { _ in state }).text(Style(isColored: false, width: 120, offset: { _ in 0 }))
  }

  @Test("A run that died counts the steps that it never came to, inside checks too, but none of a skipped check")
  func counts() {
    let lines = text(.ended).split(separator: "\n")
    #expect(lines.first == "INDETERMINATE  daily-health on lab: 1 of 5 steps without an end, 1 skipped, 2 not begun")
    let table = lines.drop { !$0.hasPrefix("OUTCOME") }.dropFirst().prefix(6)
    #expect(
      table.map { $0.trimmingTrailing() } == [
        "pass           disk     12.3ms         used 41.235%  available 75GiB",
        "skipped        off                     its condition is false: false",
        "INDETERMINATE  turn                    no end of it is recorded",
        "INDETERMINATE    relay          2      no end of it is recorded",
        "-                kept                  the run died before it began",
        "-              load                    the run died before it began",
      ])
    let step = RunReport(dead().run).json["steps"]?.array?.last
    #expect(step?["outcome"] == "skipped" && step?["reason"] == "the run died before it began")
    #expect(step?["title"] == "Title of load" && step?["use"] == "m" && step?["startedAt"] == .null)
  }

  @Test("A run that goes on has steps to come, and no process that it left")
  func goesOn() {
    var journal = dead()
    journal.isBeingWritten = true
    let report = RunReport(journal.run)
    #expect(report.processes == [])
    #expect(TextReportTests.text(journal).contains("1 of 5 steps without an end, 1 skipped, 2 to come\n"))
  }

  @Test("A run that ended counts what it recorded, whatever was planned")
  func ended() {
    var journal = SampleJournal()
    journal.plan(["disk", "never"])
    journal.disk()
    journal.end(.pass)
    #expect(RunReport(journal.run).steps.map(\.path) == ["disk"])
  }

  @Test("What the last try had at work is told by what has become of it, and how to end what still runs")
  func processes() {
    let running = text(.running([.init(name: "coturn", pid: 42), .init(name: "sh", pid: 43)]))
    #expect(
      running.contains("found     step turn/relay: coturn\\u{1B} (pid 42) still runs, and so does what it started:"))
    #expect(running.contains("next      to end what still runs: kill 42 43\n"))
    let orphan = text(.running([.init(name: "sh", pid: 43)]))
    #expect(orphan.contains("(pid 42) has ended, but what it started still runs: sh (pid"))
    // The session's number may be another's by now.
    #expect(orphan.contains("check that it is of this run: ps -o pid,lstart,args -p 43\n") && !orphan.contains("kill"))
    #expect(text(.ended).contains("(pid 42) has ended since\n"))
    #expect(!text(.ended).contains("kill"))
    #expect(text(.unknown).contains("this host cannot tell whether it still is"))
    #expect(!running.contains("(pid 41)"))
    let json = RunReport(dead().run).json["processes"]
    #expect(
      json == [["step": "turn/relay", "program": "coturn\u{1B}", "pid": 42, "running": .null, "pids": []]])
  }

  @Test("A run over several targets that died counts the targets that it never came to")
  func targets() {
    var journal = SampleJournal(target: nil)
    journal.plan(["turn"], targets: ["eu-1", "eu-2", "eu-3"])
    journal.add(.childStarted(ChildStarted(run: "RUN1", target: "eu-1")))
    journal.add(.childStarted(ChildStarted(run: "RUN2", target: "eu-2")))
    journal.add(
      .childFinished(
        ChildFinished(
          run: "RUN1", target: "eu-1", outcome: .pass, steps: [ChildStep(path: "turn", title: "T", outcome: .pass)])))
    let text = TextReportTests.text(journal)
    #expect(text.hasPrefix("INDETERMINATE  daily-health: 1 of 3 targets without an end, 1 not begun\n"), "\(text)")
    #expect(text.contains("whole run  pass  INDETERMINATE  -\n"))
    #expect(RunReport(journal.run).steps == [])
  }
}

extension Substring {
  fileprivate func trimmingTrailing() -> String {
    var text = self
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
