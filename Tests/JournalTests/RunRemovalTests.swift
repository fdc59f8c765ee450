import Files
import Foundation
import TestSupport
import Testing

@testable import Journal
@testable import Schema

@Suite struct RunRemovalTests {
  let temporary: TemporaryFolder
  let state: StateFolder

  init() throws {
    temporary = try TemporaryFolder()
    state = StateFolder(temporary.path)
  }

  private func record(_ events: [Event] = SampleRun.events) async throws -> RunFolder {
    let folder = try await SampleRun.record(in: state, id: ULID.next(), events: events)
    // The writer's thread gives the lock back after its last event was recorded.
    while try JournalEnds.read(folder).isBeingWritten { try await Task.sleep(for: .milliseconds(1)) }
    return folder
  }

  @Test("Runs that have ended are removed whole, and their numbers are never given again")
  func removes() async throws {
    let runs = [try await record(), try await record()]
    // A crash before the number was settled.
    try RunNumber(value: 2, claimedBy: runs[1].id).claim(in: state)
    #expect(try RunRemoval(from: state).remove(runs))
    #expect(try Folder.names(in: state.runs).sorted() == [".id", ".lock", ".number"])
    #expect(try RecordedRun.read(try await record()).started.number == 3)
  }

  @Test("A lost counter is read from the journals before they go")
  func lostCounter() async throws {
    let runs = [try await record(), try await record()]
    try Folder.remove(state.runs + "/.number")
    #expect(try RunRemoval(from: state).remove(runs))
    #expect(try RecordedRun.read(try await record()).started.number == 3)
  }

  @Test("A run that is being written to stays, and all that go with it")
  func live() async throws {
    let ended = try await record()
    let writer = try await JournalWriter.begin(SampleRun.started, sources: [], in: state)
    #expect(try RunRemoval(from: state).remove([ended, writer.folder]) == false)
    #expect(try state.runFolders().count == 2)
    try await writer.append(SampleRun.emptyEnd)
  }

  @Test("What a crash left half-removed goes with the next run, and is no run meanwhile")
  func halfRemoved() async throws {
    try temporary.write("x", to: "runs/.gone-\(SampleRun.id)/journal.jsonl")
    #expect(try state.runFolders() == [])
    _ = try await record()
    #expect(try !Folder.names(in: state.runs).contains { $0.hasPrefix(".gone-") })
  }

  @Test("An output that could not be written whole leaves nothing", .enabled(if: geteuid() == 0, "mounting takes root"))
  func fullDisk() async throws {
    let mount = temporary.path + "/small"
    _ = try shell("mkdir \"$1\" && mount -t tmpfs -o size=128k none \"$1\"", mount)
    defer { _ = try? shell("umount -l \"$1\"", mount) }
    let writer = try await JournalWriter.begin(SampleRun.started, sources: [], in: StateFolder(mount))
    let large = SampleRun.result("a", output: .string(String(repeating: "x", count: 200_000)))
    let error = await #expect(throws: JournalError.self) { try await writer.append(large) }
    #expect(error?.code == .diskFull)
    #expect(try Folder.names(in: writer.folder.outputs) == [])
  }

  @Test("An output that a crash left half-written goes when the run is gone on with")
  func halfWritten() async throws {
    let folder = try await record([SampleRun.step("a", effect: .observe)])
    try temporary.write("x", to: "runs/\(folder.id)/outputs/.4711.new")
    _ = try await JournalWriter.reopen(folder)
    #expect(try Folder.names(in: folder.outputs) == [])
  }
}
