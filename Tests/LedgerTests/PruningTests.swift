import Foundation
import Journal
import Schema
import TestSupport
import Testing

@testable import Ledger

@Suite struct PruningTests {
  let temporary: TemporaryFolder
  let state: StateFolder
  /// Noon of the tenth day.
  let now = PruningTests.moment(day: 10).wall

  init() throws {
    temporary = try TemporaryFolder()
    state = StateFolder(temporary.path)
  }

  private static func moment(day: Int) -> Moment {
    let wall = Timestamp(seconds: 1_795_248_000 + Int64(day) * 86_400, nanoseconds: 0) ?? .unixEpoch
    return Moment(wall: wall, monotonic: Int64(day) * 86_400_000_000_000, boot: "b")
  }

  /// Without an outcome, a run that died.
  @discardableResult
  private func record(
    _ runbook: String = "a", day: Int, _ outcome: Outcome? = .skipped, parent: String? = nil
  ) async throws -> String {
    let id = try await write(runbook, day: day, outcome, parent: parent)
    // The writer's thread gives the lock back after its last event was recorded.
    while try JournalEnds.read(state.run(id)).isBeingWritten { try await Task.sleep(for: .milliseconds(1)) }
    return id
  }

  private func write(_ runbook: String, day: Int, _ outcome: Outcome?, parent: String?) async throws -> String {
    let moment = Self.moment(day: day)
    let writer = try await JournalWriter.begin(
      RunStarted(
        runbook: runbook, title: runbook, number: 0, severity: nil, target: nil, parent: parent, params: .members([]),
        tool: ToolFacts(version: "1"), host: "h", user: "u", pid: 1, sources: [], volatile: false),
      sources: [], in: state, clock: { moment })
    if let outcome {
      try await writer.append(
        .runFinished(RunFinished(outcome: outcome, finding: nil, signal: nil, duration: .zero)))
    }
    return writer.run
  }

  private func listed(_ retention: Retention) throws -> [String] {
    try state.prunable(by: retention, at: now).groups.flatMap { $0.folders.map(\.id) }
  }

  @Test("By age, by number of each runbook, and by both: every rule must let a run go")
  func rules() async throws {
    let a = [try await record("a", day: 1), try await record("a", day: 2), try await record("a", day: 9)]
    let b = [try await record("b", day: 1), try await record("b", day: 2)]
    #expect(try listed(Retention(olderThan: .seconds(5 * 86_400))) == [b[1], b[0], a[1], a[0]])
    #expect(try listed(Retention(keep: 1)) == [b[0], a[1], a[0]])
    #expect(try listed(Retention(olderThan: .seconds(5 * 86_400), keep: 1)) == [b[0], a[1], a[0]])
    #expect(try listed(Retention(olderThan: .seconds(8 * 86_400 + 1), keep: 2)) == [a[0]])
    #expect(try state.runFolders().count == 5)
  }

  @Test("Runs that failed, ended in an error or died are kept where they are wanted")
  func failed() async throws {
    let good = [try await record(day: 1, .pass), try await record(day: 1, .warn), try await record(day: 1, .skipped)]
    for outcome in [.fail, .error, .indeterminate, nil] as [Outcome?] { try await record(day: 1, outcome) }
    let old = Duration.seconds(86_400)
    #expect(try listed(Retention(olderThan: old, keepFailed: true)) == good.reversed())
    #expect(try listed(Retention(olderThan: old)).count == 7)
  }

  @Test("A parent and its children go together, or not at all")
  func families() async throws {
    let parent = try await record(day: 1, .fail)
    let children = [
      try await record(day: 1, .pass, parent: parent), try await record(day: 1, .fail, parent: parent),
    ]
    let old = Duration.seconds(86_400)
    #expect(try listed(Retention(olderThan: old)) == [parent] + children.reversed())
    #expect(try listed(Retention(olderThan: old, keepFailed: true)) == [])
    #expect(try listed(Retention(keep: 1)) == [])
    let young = try await record(day: 10, parent: parent)
    #expect(try listed(Retention(olderThan: old)) == [])
    try FileManager.default.removeItem(atPath: state.run(young).path)
    try state.prune(state.prunable(by: Retention(olderThan: old), at: now).groups) { _ in }
    #expect(try state.runFolders() == [])
  }

  @Test("A run that is being written to is never listed, nor its parent; one that begins to be is not removed")
  func live() async throws {
    let parent = try await record(day: 1)
    let writer = try await JournalWriter.begin(
      RunStarted(
        runbook: "a", title: "a", number: 0, severity: nil, target: nil, parent: parent, params: .members([]),
        tool: ToolFacts(version: "1"),
        host: "h", user: "u", pid: 1, sources: [], volatile: false), sources: [], in: state,
      clock: { Self.moment(day: 1) })
    #expect(try listed(Retention(olderThan: .seconds(1))) == [])
    try await writer.append(.runSignalled(RunSignalled(signal: 15)))

    let died = try await record("b", day: 1, nil)
    let list = try state.prunable(by: Retention(olderThan: .seconds(1)), at: now)
    #expect(list.groups.map(\.run.id) == [died])
    let resumed = try await JournalWriter.reopen(state.run(died))
    var removed = 0
    try state.prune(list.groups) { _ in removed += 1 }
    #expect(removed == 0)
    #expect(try state.runFolders().contains(state.run(died)))
    try await resumed.append(.runSignalled(RunSignalled(signal: 15)))
  }

  @Test("What cannot be read is kept, and told of")
  func unreadable() async throws {
    let id = try await record(day: 1)
    try Data("x\n".utf8).write(to: URL(filePath: state.run(id).journal))
    let list = try state.prunable(by: Retention(olderThan: .seconds(1)), at: now)
    #expect(list.groups == [])
    #expect(list.unreadable.map(\.folder.id) == [id])
  }
}
