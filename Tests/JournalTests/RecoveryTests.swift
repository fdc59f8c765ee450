import Foundation
import TestSupport
import Testing

@testable import Journal
@testable import Schema

@Suite struct RecoveryTests {
  let temporary: TemporaryFolder
  let folder: RunFolder
  let bytes: Data

  init() async throws {
    temporary = try TemporaryFolder()
    folder = try await SampleRun.record(in: StateFolder(temporary.path))
    bytes = try Data(contentsOf: URL(filePath: folder.journal))
  }

  private func replace(_ bytes: Data) throws { try bytes.write(to: URL(filePath: folder.journal)) }

  private func lines() -> [Data] { bytes.split(separator: 0x0A).map { Data($0) } }

  private func join(_ lines: [Data]) -> Data { lines.reduce(Data()) { $0 + $1 + [0x0A] } }

  @Test("A journal cut off at any byte reads as the events before it, or is refused before its first")
  func everyTruncation() throws {
    let whole = try RecordedRun.read(folder).events
    let bytes = Array(bytes)
    let ends = bytes.indices.filter { bytes[$0] == 0x0A }
    for length in 0..<bytes.count {
      let events = ends.prefix { $0 < length }.count
      let content = try? JournalContent(bytes: Array(bytes.prefix(length)), in: folder)
      let isRight =
        events == 0
        ? content == nil
        : content?.events == Array(whole.prefix(events)) && content?.torn.count == length - ends[events - 1] - 1
      if !isRight { Issue.record("cut off at byte \(length)") }
    }
  }

  @Test("The ends of a journal that was cut off are its first and its last whole line")
  func endsOfTruncated() throws {
    let whole = try RecordedRun.read(folder).events
    for length in stride(from: 0, to: bytes.count, by: 97) {
      try replace(bytes.prefix(length))
      let events = bytes.prefix(length).count { $0 == 0x0A }
      let found = try? JournalEnds.read(folder)
      #expect(found?.last == whole.prefix(events).last)
      #expect(found?.first == whole.prefix(events).first)
      #expect(found?.finished == nil)
    }
  }

  @Test("Going on with a journal cut off at any byte keeps the torn line, records it and chains on")
  func everyRecovery() async throws {
    let whole = try RecordedRun.read(folder)
    let firstEnd = try #require(bytes.firstIndex(of: 0x0A))
    for length in stride(from: firstEnd + 1, to: bytes.count, by: 151) {
      let cut = bytes.prefix(length)
      try replace(cut)
      let kept = cut.prefix(through: cut.lastIndex(of: 0x0A) ?? 0)
      let torn = cut.suffix(from: kept.count)
      let events = kept.count { $0 == 0x0A }

      let writer = try await JournalWriter.reopen(folder)
      try await writer.append(SampleRun.end(after: whole.events.prefix(events).map(\.event)))
      let run = try RecordedRun.read(folder)
      #expect(Array(run.events.prefix(events)) == Array(whole.events.prefix(events)))
      #expect(run.tornBytes == 0 && run.isFinished)
      let name = "line-\(events + 1).torn"
      if torn.isEmpty {
        #expect(run.events.count == events + 1)
      } else {
        #expect(run.events[events].event == .journalRecovered(JournalRecovered(file: name, bytes: torn.count)))
        #expect(try Data(contentsOf: URL(filePath: "\(folder.path)/\(name)")) == torn)
      }
      try? FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
    }
  }

  @Test("Going on knows which steps act, so that their events still wait for the disk")
  func effectsAreKnown() async throws {
    let writer = try await JournalWriter.reopen(folder)
    try await writer.append(SampleRun.intent("restart"))
    #expect(try RecordedRun.read(folder).events.last?.event == SampleRun.intent("restart"))
  }

  enum Damage: CaseIterable {
    case editedLine, missingLine, swappedLines, repeatedLine, foreignLine, emptyLine, missingFirst, otherRun
  }

  @Test("A break in the middle is refused with its line", arguments: Damage.allCases)
  func breaks(damage: Damage) throws {
    var lines = lines()
    let expected: Int
    switch damage {
    case .editedLine:
      lines[4] = Data(String(decoding: lines[4], as: UTF8.self).replacing("0.0", with: "9.9").utf8)
      expected = 6
    case .missingLine:
      lines.remove(at: 4)
      expected = 5
    case .swappedLines:
      lines.swapAt(4, 5)
      expected = 5
    case .repeatedLine:
      lines.insert(lines[4], at: 5)
      expected = 6
    case .foreignLine:
      lines.insert(Data("{}".utf8), at: 5)
      expected = 6
    case .emptyLine:
      lines.insert(Data(), at: 5)
      expected = 6
    case .missingFirst:
      lines.removeFirst()
      expected = 1
    case .otherRun:
      let text = String(decoding: lines[9], as: UTF8.self)
      lines[9] = Data(text.replacing(SampleRun.id, with: "01KBHYXV80ABCDEFGHJKMNPQRT").utf8)
      expected = 10
    }
    try replace(join(lines))
    let error = #expect(throws: JournalError.self) { try RecordedRun.read(folder) }
    #expect(error?.code == .damaged)
    #expect(error?.line == expected)
    #expect(error?.message.contains("line \(expected) of \(folder.journal)") == true)
  }

  @Test("Nobody goes on with a broken journal, and it stays as it is")
  func brokenStays() async throws {
    var lines = lines()
    lines.remove(at: 4)
    try replace(join(lines) + Data("torn".utf8))
    let error = await #expect(throws: JournalError.self) { try await JournalWriter.reopen(folder) }
    #expect(error?.code == .damaged)
    #expect(try Data(contentsOf: URL(filePath: folder.journal)) == join(lines) + Data("torn".utf8))
  }

  @Test(
    "A journal in another form of lines is refused as such, with its version",
    arguments: [
      (3, JournalError.Code.newer, "version 3, and this runbook reads version 2"), (1, .unreleased, "version 1"),
    ])
  func otherVersion(version: Int, code: JournalError.Code, words: String) throws {
    let text = String(decoding: bytes, as: UTF8.self).replacing("{\"v\":2,", with: "{\"v\":\(version),")
    try replace(Data(text.utf8))
    for error in [
      #expect(throws: JournalError.self) { try RecordedRun.read(folder) },
      #expect(throws: JournalError.self) { try JournalEnds.read(folder) },
    ] {
      #expect(error?.code == code && error?.line == 1)
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
  }

  @Test(
    "Zeros at the end, as some file systems leave after a loss of power, are a torn line, however many",
    arguments: ["", "{\"v\":2,"], [4096, JournalLine.limit, JournalLine.limit + 1, 1 << 28])
  func zeros(written: String, count: Int) async throws {
    try replace(bytes + Data(written.utf8))
    try lengthen(by: count)
    let run = try RecordedRun.read(folder)
    #expect(run.tornBytes == written.utf8.count + count)
    #expect(run.events.count == lines().count)
    #expect(try JournalEnds.read(folder).finished != nil)
  }

  @Test("A run goes on behind more zeros than a line may have bytes")
  func cutZeros() async throws {
    let whole = lines().dropLast()
    try replace(join(Array(whole)) + Data("{".utf8))
    try lengthen(by: 1 << 20)
    let writer = try await JournalWriter.reopen(folder)
    try await writer.append(SampleRun.end)
    let run = try RecordedRun.read(folder)
    #expect(run.isFinished && run.tornBytes == 0)
    let name = "line-\(whole.count + 1).torn"
    #expect(run.events[whole.count].event == .journalRecovered(JournalRecovered(file: name, bytes: 1 + 1 << 20)))
    #expect(try Data(contentsOf: URL(filePath: "\(folder.path)/\(name)")) == Data("{".utf8))
  }

  @Test("A torn line may be as long as lines are, and a byte more is damage")
  func longestTorn() async throws {
    try replace(bytes + Data(repeating: 0x20, count: JournalLine.limit))
    #expect(try RecordedRun.read(folder).tornBytes == JournalLine.limit)
    #expect(try JournalEnds.read(folder).finished != nil)
    try replace(bytes + Data(repeating: 0x20, count: JournalLine.limit + 1))
    let error = #expect(throws: JournalError.self) { try RecordedRun.read(folder) }
    #expect(error?.code == .damaged && error?.line == lines().count + 1)
    #expect(error?.message.contains("longer than") == true)
    let ends = #expect(throws: JournalError.self) { try JournalEnds.read(folder) }
    #expect(ends?.code == .damaged)
    #expect(ends?.message.contains("longer than") == true)
    let reopened = await #expect(throws: JournalError.self) { try await JournalWriter.reopen(folder) }
    #expect(reopened?.code == .damaged)
  }

  private func lengthen(by count: Int) throws {
    let file = try FileHandle(forUpdating: URL(filePath: folder.journal))
    try file.truncate(atOffset: file.seekToEnd() + UInt64(count))
    try file.close()
  }

  @Test("A last line without an end is refused without being kept, however long: here 256 MiB of zeros and a letter")
  func endless() throws {
    try lengthen(by: 1 << 28)
    let end = try FileHandle(forUpdating: URL(filePath: folder.journal))
    try end.seekToEnd()
    try end.write(contentsOf: Data("x".utf8))
    try end.close()
    let error = #expect(throws: JournalError.self) { try RecordedRun.read(folder) }
    #expect(error?.code == .damaged && error?.line == lines().count + 1)
    #expect(throws: JournalError.self) { try JournalEnds.read(folder) }
  }

  @Test("There is no such run")
  func missing() throws {
    let error = #expect(throws: JournalError.self) { try RecordedRun.read(RunFolder(temporary.path + "/none")) }
    #expect(error?.code == .missing)
  }
}
