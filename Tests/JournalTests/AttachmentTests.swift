import Files
import Foundation
import TestSupport
import Testing

@testable import Journal
@testable import Schema

@Suite struct AttachmentTests {
  let temporary: TemporaryFolder
  let state: StateFolder

  init() throws {
    temporary = try TemporaryFolder()
    state = StateFolder(temporary.path)
  }

  private func longestLine(_ folder: RunFolder) throws -> Int {
    try Data(contentsOf: URL(filePath: folder.journal)).split(separator: 0x0A).map(\.count).max() ?? 0
  }

  private func outputs(_ folder: RunFolder) throws -> [String] { try Folder.names(in: folder.outputs) }

  @Test("What is too large for a line is kept beside it, and reads back", arguments: [65_000, 66_000, 3_000_000])
  func largeOutput(size: Int) async throws {
    let event = SampleRun.result(
      "a", output: .members([.init("log", .string(String(repeating: "é", count: size / 2)))]))
    let folder = try await SampleRun.record(in: state, events: [event, SampleRun.emptyEnd])
    #expect(try longestLine(folder) <= 65_535)
    #expect(try outputs(folder).count == (size > 65_000 ? 1 : 0))
    #expect(try RecordedRun.read(folder).events.map(\.event).contains(event))
  }

  @Test("A line of exactly 64 KiB with its LF is written whole")
  func exactLimit() async throws {
    let probe = try await SampleRun.record(
      in: state, id: ULID.next(), events: [SampleRun.result("a", output: .string(""))])
    let rest = try Data(contentsOf: URL(filePath: probe.journal)).split(separator: 0x0A)[1].count
    for (extra, files) in [(0, 0), (1, 1)] {
      let event = SampleRun.result("a", output: .string(String(repeating: "x", count: 65_535 - rest + extra)))
      let folder = try await SampleRun.record(in: state, id: ULID.next(), events: [event])
      #expect(try outputs(folder).count == files)
      #expect(try RecordedRun.read(folder).events.last?.event == event)
    }
  }

  @Test("Its name is its digest, as sha256sum finds it")
  func digest() async throws {
    let event = SampleRun.result("a", output: .string(String(repeating: "x", count: 70_000)))
    let folder = try await SampleRun.record(in: state, events: [event])
    let name = try #require(try outputs(folder).first)
    #expect(try shell("sha256sum < \"$1\" | cut -d' ' -f1", folder.outputs + "/" + name) + ".json" == name)
  }

  @Test("An event with several large fields keeps as many beside its line as it takes")
  func severalFields() async throws {
    let event = Event.stepFinished(
      StepFinished(
        path: "a", outcome: .fail, finding: Finding("x", String(repeating: "m", count: 100_000)), expectations: [],
        attempts: 1, output: .string(String(repeating: "o", count: 100_000)), duration: .zero))
    let folder = try await SampleRun.record(in: state, events: [event])
    #expect(try outputs(folder).count == 2)
    #expect(try RecordedRun.read(folder).events.last?.event == event)
  }

  @Test("An output that looks like a reference reads back as it was")
  func lookalike() async throws {
    let event = SampleRun.result(
      "a", output: .members([.init("$file", .string("/etc/passwd")), .init("bytes", .int(5))]))
    let folder = try await SampleRun.record(in: state, events: [event])
    #expect(try RecordedRun.read(folder).events.last?.event == event)
  }

  @Test("An output that was changed, or is gone, is refused by name")
  func tampered() async throws {
    let event = SampleRun.result("a", output: .string(String(repeating: "x", count: 70_000)))
    let folder = try await SampleRun.record(in: state, events: [event, SampleRun.emptyEnd])
    let file = try folder.outputs + "/" + #require(outputs(folder).first)
    var bytes = try Data(contentsOf: URL(filePath: file))
    bytes[100] = 0x79
    try bytes.write(to: URL(filePath: file))
    let changed = #expect(throws: JournalError.self) { try RecordedRun.read(folder) }
    #expect(changed?.code == .damaged && changed?.message.contains(file) == true)
    try FileManager.default.removeItem(atPath: file)
    let gone = #expect(throws: JournalError.self) { try RecordedRun.read(folder) }
    #expect(gone?.code == .missing && gone?.message.contains(file) == true)
  }

  @Test(
    "A reference to any other file is refused",
    arguments: [
      "../../../etc/passwd", "outputs/../params.json", "params.json",
      "outputs/\(String(repeating: "A", count: 64)).json",
    ])
  func foreignReference(name: String) async throws {
    let folder = try await SampleRun.record(in: state, events: [])
    let first = try Data(contentsOf: URL(filePath: folder.journal)).dropLast()
    let line = JournalLine(
      run: folder.id, seq: 2, prev: sha256Hex(first), moment: .now(), type: "moon.rose",
      fields: [.init("output", ["$file": .string(name), "bytes": 10])])
    try (first + [0x0A] + WrittenLine(line).bytes + [0x0A]).write(to: URL(filePath: folder.journal))
    let error = #expect(throws: JournalError.self) { try RecordedRun.read(folder) }
    #expect(error?.code == .damaged && error?.line == 2)
  }
}
