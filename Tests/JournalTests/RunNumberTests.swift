import Files
import TestSupport
import Testing

@testable import Journal
@testable import Schema

@Suite struct RunNumberTests {
  let temporary: TemporaryFolder
  let state: StateFolder

  init() throws {
    temporary = try TemporaryFolder()
    state = StateFolder(temporary.path)
  }

  private func run() async throws -> Int {
    let folder = try await SampleRun.record(in: state, id: ULID.next(), events: [SampleRun.emptyEnd])
    return try RecordedRun.read(folder).started.number
  }

  @Test("Runs that begin at once are numbered without gaps")
  func concurrent() async throws {
    let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<12 { group.addTask { try await run() } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(numbers.sorted() == Array(1...12))
  }

  @Test("A crash after the claim and before the rename leaves no gap")
  func crashBeforeRename() async throws {
    #expect(try await run() == 1)
    try RunNumber(value: 2, claimedBy: ULID.next()).claim(in: state)
    #expect(try await run() == 2)
  }

  @Test("A crash after the rename gives no number twice")
  func crashAfterRename() async throws {
    let folder = try await SampleRun.record(in: state)
    try RunNumber(value: 1, claimedBy: folder.id).claim(in: state)
    #expect(try await run() == 2)
  }

  @Test("A run that is pruned sets no number free")
  func pruned() async throws {
    let folder = try await SampleRun.record(in: state)
    try Folder.remove(folder.path)
    #expect(try await run() == 2)
  }

  @Test("Without the counter the journals tell the last number")
  func lostCounter() async throws {
    for number in 1...3 { #expect(try await run() == number) }
    try Folder.remove(state.runs + "/.number")
    #expect(try await run() == 4)
  }

  @Test("A run that is refused takes no number")
  func refused() async throws {
    await #expect(throws: JournalError.self) {
      try await JournalWriter.begin(SampleRun.started, sources: [RunSource(path: "..", bytes: [])], in: state)
    }
    #expect(try await run() == 1)
  }

  @Test("A counter that is none is named, not guessed at")
  func damagedCounter() async throws {
    try temporary.write("seven\n", to: "runs/.number")
    let error = await #expect(throws: JournalError.self) { try await run() }
    #expect(error?.code == .damaged && error?.message.contains(".number") == true)
  }
}
