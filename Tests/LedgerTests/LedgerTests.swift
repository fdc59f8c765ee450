import Foundation
import Journal
import Schema
import TestSupport
import Testing

@testable import Ledger

@Suite struct LedgerTests {
  let temporary: TemporaryFolder
  let state: StateFolder
  let ledger: Ledger

  init() throws {
    temporary = try TemporaryFolder()
    state = StateFolder(temporary.path)
    ledger = Ledger([state])
  }

  private func started(_ runbook: String, parent: String? = nil) -> RunStarted {
    RunStarted(
      runbook: runbook, title: runbook, number: 0, severity: nil, target: TargetFacts(name: "lab"), parent: parent,
      params: .members([]), tool: ToolFacts(version: "1"), host: "h", user: "u", pid: 1, sources: [], volatile: false)
  }

  private func moment(_ hour: Int) -> Moment {
    let wall = Timestamp(seconds: 1_795_248_000 + Int64(hour) * 3600, nanoseconds: 0) ?? .unixEpoch
    return Moment(wall: wall, monotonic: Int64(hour) * 3_600_000_000_000, boot: "b")
  }

  /// Records a run; without an outcome it has no end. Returns its id.
  @discardableResult
  private func record(
    _ runbook: String, hour: Int = 0, outcome: Outcome? = .pass, parent: String? = nil, events: [Event] = []
  ) async throws -> String {
    let moment = moment(hour)
    let writer = try await JournalWriter.begin(
      started(runbook, parent: parent), sources: [], in: state, clock: { moment })
    for event in events { try await writer.append(event) }
    if let outcome {
      try await writer.append(
        .stepStarted(
          StepStarted(path: "only", title: "T", use: "m", effect: .observe, input: .null, diagnostic: false)))
      try await writer.append(
        .stepFinished(
          StepFinished(
            path: "only", outcome: outcome, finding: nil, expectations: [], attempts: 1, output: .null,
            duration: .seconds(1))))
      try await writer.append(
        .runFinished(RunFinished(outcome: outcome, finding: nil, signal: nil, duration: .seconds(1))))
    }
    return writer.run
  }

  @Test("There are no runs before the first, and that is no error")
  func none() throws {
    #expect(try ledger.entries() == [])
    #expect(try ledger.runs(of: nil, since: nil, limit: 10) == [])
    #expect(throws: LedgerError.noRuns) { try ledger.run("last") }
  }

  @Test("A run is told by its first and its last event")
  func summary() async throws {
    let id = try await record("daily-health", hour: 1, outcome: .warn, parent: "PARENT")
    let expected = RunSummary(
      id: id, number: 1, runbook: "daily-health", target: "lab", parent: "PARENT", startedAt: moment(1).wall,
      finishedAt: moment(1).wall, took: .zero, outcome: .warn)
    #expect(try ledger.runs(of: "daily-health", since: nil, limit: 1) == [expected])
    #expect(try ledger.entries().map(\.content) == [.run(expected, goesOn: false)])
  }

  @Test("The newest come first, of one runbook or all, since a moment, and not more than asked for")
  func filters() async throws {
    for hour in 0..<6 { try await record(hour % 2 == 0 ? "even" : "odd", hour: hour) }
    let hours = { (runs: [RunSummary]) in runs.map { Int($0.startedAt.seconds - 1_795_248_000) / 3600 } }
    #expect(try hours(ledger.runs(of: nil, since: nil, limit: 99)) == [5, 4, 3, 2, 1, 0])
    #expect(try hours(ledger.runs(of: "even", since: nil, limit: 2)) == [4, 2])
    #expect(try hours(ledger.runs(of: nil, since: moment(3).wall, limit: 99)) == [5, 4, 3])
    #expect(try ledger.entries(of: "odd", since: moment(2).wall).count == 2)
    #expect(try ledger.entries(limit: 4).count == 4)
    #expect(try ledger.runs(of: "neither", since: nil, limit: 99) == [])
  }

  @Test("A run that died is told from one that goes on")
  func unfinished() async throws {
    try await record("died", outcome: nil)
    let writer = try await JournalWriter.begin(started("alive"), sources: [], in: state)
    let states = try ledger.entries().map { entry in
      if case .run(let run, let goesOn) = entry.content { "\(run.runbook) \(goesOn) \(run.outcome == nil)" } else { "" }
    }
    #expect(states == ["alive true true", "died false true"])
    try await writer.append(.runSignalled(RunSignalled(signal: 15)))
  }

  enum Damage: CaseIterable { case empty, garbage, noJournal, laterVersion, foreignEnd }

  @Test("A run that cannot be read is listed as damaged, and hides no other", arguments: Damage.allCases)
  func damaged(damage: Damage) async throws {
    try await record("sound")
    let id = try await record("broken")
    try await record("sound")
    let file = URL(filePath: state.run(id).journal)
    let text = try String(contentsOf: file, encoding: .utf8)
    switch damage {
    case .empty: try Data().write(to: file)
    case .garbage: try Data(repeating: 0x41, count: 200_000).write(to: file)
    case .noJournal: try FileManager.default.removeItem(at: file)
    case .laterVersion: try Data(text.replacing("{\"v\":2", with: "{\"v\":9").utf8).write(to: file)
    case .foreignEnd: try Data((text + text.replacing(id, with: "01KBHYXV80ABCDEFGHJKMNPQRS")).utf8).write(to: file)
    }
    let entries = try ledger.entries(of: "sound")
    #expect(entries.count == 3)
    guard case .damaged(let error) = entries[1].content else {
      Issue.record("not damaged")
      return
    }
    #expect(entries[1].folder.id == id)
    #expect(error.message.contains(id))
    #expect(try ledger.runs(of: nil, since: nil, limit: 9).map(\.runbook) == ["sound", "sound"])
    #expect(try ledger.run(id) == state.run(id))
  }

  @Test("A run whose journal was changed between its ends is listed as changed, not as passed")
  func changed() async throws {
    let id = try await record("a", events: [.clockStepped(ClockStepped(back: .seconds(15)))])
    let file = URL(filePath: state.run(id).journal)
    try Data(String(contentsOf: file, encoding: .utf8).replacing("\"back\":\"15s\"", with: "\"back\":\"16s\"").utf8)
      .write(to: file)
    try await record("a")
    let entries = try ledger.entries(of: "a")
    #expect(entries.map(\.folder.id).last == id)
    guard case .changed(let run, let error) = entries.last?.content, case .run = entries.first?.content else {
      Issue.record("\(entries.map(\.content))")
      return
    }
    #expect(run.runbook == "a")
    #expect(error.message.contains("line 3"), "\(error.message)")
    let (readings, problems) = try ledger.figure("turn.rtt", of: "a")
    #expect(readings.map(\.value) == [nil, nil] && problems == [error])
  }

  @Test("A run whose last line was changed is listed as changed, with what it says and what its steps come to")
  func changedVerdict() async throws {
    let id = try await record("a", outcome: .fail)
    let file = URL(filePath: state.run(id).journal)
    let text = try String(contentsOf: file, encoding: .utf8)
    let start = try #require(text.range(of: "\"run.finished\""))
    try Data((text[..<start.upperBound] + text[start.upperBound...].replacing("\"fail\"", with: "\"pass\"")).utf8)
      .write(to: file)
    guard case .changed(_, let error) = try ledger.entries().first?.content else {
      Issue.record("not changed")
      return
    }
    #expect(error.message.contains("ended in pass") && error.message.contains("come to fail"), "\(error.message)")
  }

  @Test("The newest run is that with the highest number, also where the wall clock has gone back since")
  func newest() async throws {
    let numbers = ["01KBHYXV80ABCDEFGHJKMNPQRS", "01KAHYXV80ABCDEFGHJKMNPQRS", "01KCHYXV80ABCDEFGHJKMNPQRS"]
    for id in numbers { _ = try await JournalWriter.begin(started("a"), sources: [], id: id, in: state) }
    #expect(try ledger.entries().map(\.folder.id) == numbers.reversed())
    #expect(try ledger.run("last").id == numbers.last)
    let early = "01K9HYXV80ABCDEFGHJKMNPQRS"
    _ = try await JournalWriter.begin(started("a"), sources: [], id: early, in: state)
    #expect(try ledger.run("last").id == early)
  }

  @Test("Folders that are no runs are not listed")
  func otherFolders() async throws {
    try temporary.write("x", to: "runs/.new-01KBHYXV80ABCDEFGHJKMNPQRS/journal.jsonl")
    try temporary.write("x", to: "runs/notes/journal.jsonl")
    #expect(try ledger.entries() == [])
  }

  @Test("A run is found by the beginning of its id, in either case")
  func prefix() async throws {
    let id = try await record("a")
    let other = try await record("a")
    let shared = zip(id, other).prefix { $0 == $1 }.count
    #expect(try ledger.run(String(id.prefix(shared + 1))).id == id)
    #expect(try ledger.run(other.lowercased()).id == other)
    #expect(throws: LedgerError.ambiguousRun(String(id.prefix(4)), among: [other, id])) {
      try ledger.run(String(id.prefix(4)))
    }
    for unknown in ["", "7ZZZ", "../runs", "LAST"] {
      #expect(throws: LedgerError.unknownRun(unknown)) { try ledger.run(unknown) }
    }
  }

  @Test("The last run is the newest that is nobody's child")
  func last() async throws {
    let parent = try await record("a")
    try await record("a", parent: parent)
    #expect(try ledger.run("last").id == parent)
  }

  @Test("Runs of several state folders are one list")
  func severalStates() async throws {
    let first = try await record("a")
    let memory = StateFolder(temporary.path + "/memory")
    let writer = try await JournalWriter.begin(started("a"), sources: [], in: memory)
    let both = Ledger([memory, state])
    #expect(try both.entries().map(\.folder.id) == [writer.run, first])
    #expect(try both.run("last") == writer.folder)
  }

  @Test("A figure is read from the outputs of past runs, and what is missing is not zero")
  func figures() async throws {
    let result = { (value: Value) in
      Event.stepResult(
        StepResultRecorded(
          path: "turn/relay", attempt: 1, outcome: .pass, output: value, finding: nil, notStarted: false,
          duration: .zero))
    }
    let output = { (p95: String) in Value.members([.init("rtt", .members([.init("p95", .string(p95))]))]) }
    try await record("a", hour: 1, events: [result(output("4ms"))])
    try await record("a", hour: 2, events: [result(.null)])
    try await record("a", hour: 3, events: [result(output("9ms")), result(output("5ms"))])
    try await record("b", hour: 4, events: [result(output("1ms"))])
    #expect(
      try ledger.figure("turn/relay.rtt.p95", of: "a").readings.map(\.value) == [.string("5ms"), nil, .string("4ms")])
    #expect(try ledger.figure("turn/relay.rtt.p99", of: "a", limit: 1).readings.map(\.value) == [nil])
    #expect(try ledger.figure("turn.rtt.p95", of: "a", limit: 1).readings.map(\.value) == [nil])
  }

  @Test("A figure is of the type that its step declared, and text stays text")
  func types() async throws {
    let started = Event.stepStarted(
      StepStarted(
        path: "disk", title: "Disk", use: "host.disk", effect: .observe, input: .members([]), diagnostic: false))
    let fields = [
      FieldDeclaration(name: "used", type: .percent, summary: "U."),
      FieldDeclaration(name: "inodes", type: .int, summary: "I."),
      FieldDeclaration(name: "text", type: .string, summary: "T."),
      FieldDeclaration(name: "age", type: .optional(.duration), summary: "A."),
    ]
    let types = Event.typesDeclared(
      TypesDeclared(
        use: "host.disk", version: 1, input: .any, output: .record(RecordType(fields: fields))))
    let result = Event.stepResult(
      StepResultRecorded(
        path: "disk", attempt: 1, outcome: .pass,
        output: .members([
          .init("used", .int(41)), .init("inodes", .int(7)), .init("text", .string("90m")),
          .init("age", .string("90m")),
        ]),
        finding: nil, notStarted: false, duration: .zero))
    let finished = Event.stepFinished(
      StepFinished(
        path: "disk", outcome: .pass, finding: nil, expectations: [], attempts: 1, output: .null, duration: .zero))
    try await record("a", events: [types, started, result, finished])
    #expect(try ledger.figure("disk.used", of: "a").readings.map(\.type) == [.percent])
    #expect(try ledger.figure("disk.used", of: "a").readings.map(\.value) == [.double(41)])
    #expect(try ledger.figure("disk.inodes", of: "a").readings.map(\.type) == [.int])
    #expect(try ledger.figure("disk.text", of: "a").readings.map(\.value) == [.string("90m")])
    #expect(try ledger.figure("disk.age", of: "a").readings.map(\.value) == [.duration(.seconds(5400))])
  }

  @Test("The runs that died since the last one that ended, with the children that died with them; no others'")
  func died() async throws {
    try await record("a", outcome: nil)
    try await record("a", outcome: .fail)
    let first = try await record("a", outcome: nil)
    try await record("ab", outcome: nil)
    let parent = try await record("a", outcome: nil)
    let child = try await record("a", outcome: nil, parent: parent)
    try await record("a", outcome: .pass, parent: parent)
    let live = try await JournalWriter.begin(started("a"), sources: [], in: state)
    let died = try ledger.died(of: "a")
    #expect(died.map(\.summary.id) == [parent, first])
    #expect(died.map { $0.folders.map(\.id) } == [[parent, child], [first]])
    #expect(try ledger.died(of: "b") == [])
    withExtendedLifetime(live) {}
  }
}
