import Foundation
import TestSupport
import Testing

@testable import Journal
@testable import Schema

/// What the chain cannot show: the last line, the files beside the journal, parent and children.
@Suite struct RunVerificationTests {
  let temporary: TemporaryFolder
  let state: StateFolder

  init() throws {
    temporary = try TemporaryFolder()
    state = StateFolder(temporary.path)
  }

  private func replace(_ text: String, with other: String, inLastLineOf folder: RunFolder) throws {
    let file = URL(filePath: folder.journal)
    var lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
    let last = lines.removeLast()
    try #require(last.contains(text))
    try Data((lines + [last.replacing(text, with: other)]).map { $0 + "\n" }.joined().utf8).write(to: file)
  }

  private func finished(_ path: String, _ outcome: Outcome, expectations: [JudgedExpectation] = []) -> Event {
    .stepFinished(
      StepFinished(
        path: StepPath(path), outcome: outcome, finding: nil, expectations: expectations, attempts: 1, output: .null,
        duration: .zero))
  }

  private func end(_ outcome: Outcome, finding: Finding? = nil, signal: Int? = nil) -> Event {
    .runFinished(RunFinished(outcome: outcome, finding: finding, signal: signal, duration: .zero))
  }

  private func step(_ path: String, diagnostic: Bool = false) -> Event {
    .stepStarted(
      StepStarted(path: StepPath(path), title: "T", use: "m", effect: .observe, input: .null, diagnostic: diagnostic))
  }

  private func refusal(_ folder: RunFolder) -> JournalError? {
    let error = #expect(throws: JournalError.self) { try RecordedRun.read(folder) }
    #expect(error?.code == .damaged)
    return error
  }

  @Test("A verdict that was changed is refused, with what the steps come to")
  func changedOutcome() async throws {
    let events = [step("a"), finished("a", .fail), end(.fail)]
    let folder = try await SampleRun.record(in: state, events: events)
    try replace("\"outcome\":\"fail\"", with: "\"outcome\":\"pass\"", inLastLineOf: folder)
    let error = refusal(folder)
    #expect(error?.line == 4)
    #expect(error?.message.contains("ended in pass, but its steps come to fail") == true, "\(error?.message ?? "")")
  }

  @Test("A verdict that its steps come to is believed, whatever they are")
  func agreeing() async throws {
    let broken = JudgedExpectation(
      that: "x", verdict: .broken, severity: .warn, message: nil, actual: [], error: nil)
    let timeout = Finding("run.timeout", "it took too long")
    let skipped = Event.stepSkipped(StepSkipped(path: "z", title: "T", use: "m", effect: .observe, reason: "r"))
    let child = { (outcome: Outcome) in
      Event.childFinished(ChildFinished(run: "", target: "t", outcome: outcome, steps: []))
    }
    let runs: [[Event]] = [
      [end(.skipped)],
      [skipped, end(.skipped)],
      [step("a"), finished("a", .warn, expectations: [broken]), skipped, end(.warn)],
      [step("a", diagnostic: true), finished("a", .fail), step("b"), finished("b", .pass), end(.pass)],
      [step("a"), step("a/b"), finished("a/b", .fail), finished("a", .fail), end(.fail)],
      [
        step("a"), step("a/b", diagnostic: true), finished("a/b", .fail), finished("a", .pass), end(.pass),
      ],
      [child(.pass), child(.error), end(.error)],
      [step("a"), finished("a", .pass), .runTimedOut(RunTimedOut(timeout: .zero)), end(.error, finding: timeout)],
      [.runSignalled(RunSignalled(signal: 15)), end(.skipped, signal: 15)],
      [step("a"), end(.indeterminate)],
    ]
    for events in runs {
      let folder = try await SampleRun.record(in: state, id: ULID.next(), events: events)
      #expect(throws: Never.self) { try RecordedRun.read(folder) }
    }
  }

  @Test("A step's end that is better than what is recorded of it is refused")
  func betterStep() async throws {
    let failed = Event.stepResult(
      StepResultRecorded(
        path: "a", attempt: 1, outcome: .fail, output: .null, finding: nil, notStarted: false, duration: .zero))
    let broken = JudgedExpectation(
      that: "x", verdict: .broken, severity: .fail, message: nil, actual: [], error: nil)
    let runs: [[Event]] = [
      [step("a"), failed, finished("a", .pass)],
      [step("a"), finished("a", .pass, expectations: [broken])],
      [step("a"), step("a/b"), finished("a/b", .fail), finished("a", .pass)],
    ]
    for events in runs {
      let folder = try await SampleRun.record(in: state, id: ULID.next(), events: events)
      #expect(refusal(folder)?.message.contains("the step a ended in pass") == true)
    }
  }

  @Test("A signal cannot be taken out of the last line")
  func signal() async throws {
    let folder = try await SampleRun.record(
      in: state, events: [.runSignalled(RunSignalled(signal: 15)), end(.skipped, signal: 15)])
    try replace("\"signal\":15", with: "\"signal\":null", inLastLineOf: folder)
    #expect(refusal(folder)?.message.contains("names no signal, but signal 15") == true)
  }

  @Test(
    "A file beside the journal that was altered is named",
    arguments: ["sources/runbooks/daily-health.yaml", "sources/checks/turn/relay.yaml", "params.json"])
  func alteredFile(name: String) async throws {
    let folder = try await SampleRun.record(in: state)
    try Data("{}".utf8).write(to: URL(filePath: "\(folder.path)/\(name)"))
    #expect(refusal(folder)?.message.contains("\(folder.path)/\(name) was altered") == true)
  }

  @Test("A journal that was copied alone is read, and says what it could not be compared with")
  func copiedAlone() async throws {
    let folder = try await SampleRun.record(in: state)
    try FileManager.default.createDirectory(atPath: temporary.path + "/copy", withIntermediateDirectories: true)
    let copy = RunFolder(temporary.path + "/copy")
    try FileManager.default.copyItem(atPath: folder.journal, toPath: copy.journal)
    let run = try RecordedRun.read(copy)
    #expect(run.doubts.count == 3)
    #expect(run.doubts.last?.contains("params.json is missing") == true)
    #expect(try RecordedRun.read(folder).doubts == [])
  }

  @Test("A run's folder that holds another run is refused")
  func exchangedFolder() async throws {
    let folder = try await SampleRun.record(in: state)
    let other = state.run(ULID.next())
    try FileManager.default.moveItem(atPath: folder.path, toPath: other.path)
    #expect(refusal(other)?.message.contains("belongs to the run \(SampleRun.id)") == true)
  }

  // MARK: Parent and children

  /// A parent and its child as they record themselves.
  private func family(_ outcome: Outcome) async throws -> (parent: RunFolder, child: RunFolder) {
    let (parentID, childID) = (ULID.next(), ULID.next())
    var started = SampleRun.started
    started.parent = parentID
    let child = try await JournalWriter.begin(started, sources: [], id: childID, in: state)
    for event in [step("a"), finished("a", outcome), end(outcome)] { try await child.append(event) }
    let parent = try await SampleRun.record(
      in: state, id: parentID,
      events: [
        .childStarted(ChildStarted(run: childID, target: "t")),
        .childFinished(ChildFinished(run: childID, target: "t", outcome: outcome, steps: [])), end(outcome),
      ])
    return (parent, child.folder)
  }

  @Test("A child's journal that says something else than its parent's is refused, from both")
  func rewrittenChild() async throws {
    let (parent, child) = try await family(.fail)
    #expect(throws: Never.self) { try RecordedRun.read(parent) }
    #expect(throws: Never.self) { try RecordedRun.read(child) }
    // The child's journal is written anew from its first line on, so that it agrees with itself.
    let first = try Data(contentsOf: URL(filePath: child.journal)).prefix { $0 != 0x0A }
    var bytes = Array(first)
    var prev = sha256Hex(first)
    for (index, event) in [step("a"), finished("a", .pass), end(.pass)].enumerated() {
      let line = JournalLine(
        run: child.id, seq: index + 2, prev: prev, moment: .now(), type: event.type, fields: event.fields)
      bytes += [0x0A] + WrittenLine(line).bytes
      prev = sha256Hex(WrittenLine(line).bytes)
    }
    try Data(bytes + [0x0A]).write(to: URL(filePath: child.journal))
    for folder in [parent, child] {
      let message = refusal(folder)?.message ?? ""
      #expect(message.contains("ended in pass, but its parent recorded fail"), "\(message)")
    }
  }

  @Test("A child whose end was cut off is refused, since its parent has recorded one")
  func cutOffChild() async throws {
    let (_, child) = try await family(.fail)
    let text = try String(contentsOfFile: child.journal, encoding: .utf8)
    let lines = text.split(separator: "\n").dropLast()
    try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(filePath: child.journal))
    #expect(refusal(child)?.message.contains("is not the run's end, but its parent recorded fail") == true)
  }

  @Test("A parent stands alone where its children are not beside it")
  func parentAlone() async throws {
    let (parent, child) = try await family(.pass)
    try FileManager.default.removeItem(atPath: child.path)
    #expect(throws: Never.self) { try RecordedRun.read(parent) }
  }
}
