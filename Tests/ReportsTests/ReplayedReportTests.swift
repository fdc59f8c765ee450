import Journal
import Schema
import TestSupport
import Testing

@testable import Reports

/// What a reader of a journal makes of it, against what it makes of the events before they were written.
@Suite struct ReplayedReportTests {
  private func expectSameReports(_ journal: SampleJournal) throws {
    let live = journal.run
    let read = try live.events.map { recorded in
      RecordedEvent(seq: recorded.seq, moment: recorded.moment, event: try throughJSON(recorded.event))
    }
    for length in 1...live.events.count {
      func report(_ events: [RecordedEvent]) -> RunReport {
        RunReport(
          RecordedRun(folder: live.folder, id: live.id, started: live.started, events: Array(events.prefix(length))))
      }
      let (first, second) = (report(live.events), report(read))
      let style = Style(isColored: false, width: 100, offset: { _ in 0 })
      #expect(first.json == second.json, "after \(length) events")
      #expect(first.text(style) == second.text(style), "after \(length) events")
    }
  }

  @Test("Every prefix of a run gives the same report, read back or not")
  func run() throws {
    var journal = SampleJournal.failing
    try expectSameReports(journal)
    journal = SampleJournal()
    journal.plan(["timed", "check", "check/inner", "never"])
    journal.start(
      "timed", "Timed", use: "timed", output: [("took", .duration), ("at", .timestamp), ("size", .byteSize)])
    journal.tryOnce(
      "timed",
      output: .members([
        .init("took", .duration(.microseconds(4217))), .init("at", .timestamp(.unixEpoch)), .init("size", .int(4096)),
      ]))
    journal.finish(
      "timed", .fail,
      expectations: [
        expectation(
          "output.took < duration('1ms')", .broken, actual: [("output.took", .duration(.microseconds(4217)), .duration)]
        )
      ])
    journal.start("check", "Check", use: "checks/c", output: [("took", .duration)])
    journal.start("check/inner", "Inner", use: "timed")
    journal.finish("check/inner")
    journal.finish("check", attempts: 0, output: .members([.init("took", .duration(.seconds(90)))]))
    journal.end(.fail)
    try expectSameReports(journal)
  }

  @Test("So does every prefix of a run over several targets")
  func parent() throws {
    var journal = SampleJournal(target: nil)
    journal.plan(["turn"], targets: ["eu-1", "eu-2"])
    journal.add(.childStarted(ChildStarted(run: "RUN1", target: "eu-1")))
    journal.add(
      .childFinished(
        ChildFinished(run: "RUN1", target: "eu-1", outcome: .fail, steps: SampleJournal.failing.run.childSteps)))
    journal.add(.runSignalled(RunSignalled(signal: 15)))
    journal.end(.fail, signal: 15)
    try expectSameReports(journal)
  }

  @Test("An event of any kind, wherever it stands, is read back to the same report", arguments: Event.kinds.map(\.type))
  func anyKind(type: String) throws {
    let kind = try #require(Event.kind(named: type))
    var journal = SampleJournal()
    journal.stun()
    journal.add(try Event(type: type, fields: sampleFields(of: kind, seed: 1000)))
    journal.disk()
    journal.end(.pass)
    try expectSameReports(journal)
  }
}
