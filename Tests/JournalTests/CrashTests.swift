import Files
import Foundation
import TestSupport
import Testing

@testable import Journal
@testable import Schema

/// Processes that die while they write, and disks that fail under them.
@Suite(.serialized) struct CrashTests {
  let temporary: TemporaryFolder
  let state: StateFolder

  init() throws {
    temporary = try TemporaryFolder()
    state = StateFolder(temporary.path + "/state")
  }

  static let hasStrace = (try? shell("strace -f -o /dev/null true")) != nil

  @Test("What was recorded before the process was killed is there, and the run can be gone on with", arguments: 1...8)
  func killed(round: Int) async throws {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: try probePath())
    process.arguments = [state.path]
    process.standardOutput = pipe
    try process.run()
    let goal = Int.random(in: 1...40)
    var text = ""
    while text.count(where: { $0 == "\n" }) < goal {
      let data = pipe.fileHandleForReading.availableData
      try #require(!data.isEmpty)
      text += String(decoding: data, as: UTF8.self)
    }
    kill(process.processIdentifier, SIGKILL)
    text += String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()

    let lines = text.split(separator: "\n")
    let folder = state.run(String(lines[0]))
    let run = try RecordedRun.read(folder)
    #expect(!run.isFinished && !run.isBeingWritten)
    for line in lines.dropFirst() {
      let seq = try #require(Int(line))
      #expect(run.events.contains { $0.seq == seq && $0.event.type == StepIntent.type })
    }
    let writer = try await JournalWriter.reopen(folder)
    try await writer.append(SampleRun.end(after: run.events.map(\.event)))
    #expect(try RecordedRun.read(folder).isFinished)
  }

  @Test("Processes that are killed while they begin leave whole runs, numbered without gaps")
  func killedWhileBeginning() async throws {
    let path = try probePath()
    for round in 0..<20 {
      let process = Process()
      process.executableURL = URL(filePath: path)
      process.arguments = [state.path]
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      // Not a wait for anything: the moment of death is what is varied.
      usleep(UInt32(round * 1500))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let last = try await SampleRun.record(in: state, events: [SampleRun.emptyEnd])
    let numbers = try state.runFolders().map { try RecordedRun.read($0).started.number }
    #expect(numbers.sorted() == Array(1...numbers.count))
    #expect(try RecordedRun.read(last).started.number == numbers.count)
    #expect(try Folder.names(in: state.runs).allSatisfy { !$0.hasPrefix(".new-") })
  }

  @Test(
    "A sync that fails ends the journal, and is never tried again",
    .enabled(if: hasStrace, "strace is missing, or may not trace here"), arguments: ["EIO", "ENOSPC"])
  func failedSync(error: String) throws {
    let text = try shell(
      """
      strace -f -qq -o "$2/trace" -e trace=fdatasync -e inject=fdatasync:error=$3:when=3 "$1" "$2/state" || true
      """, try probePath(), temporary.path, error)
    let said = text.split(separator: "\n")
    let syncs = temporary.read("trace").split(separator: "\n").filter { $0.contains("fdatasync") && $0.contains(" = ") }
    // strace counts for each thread of its own, so it is not known beforehand which sync fails.
    #expect(syncs.dropLast().allSatisfy { $0.hasSuffix(" = 0") })
    #expect(syncs.last?.contains("\(error) ") == true)
    #expect(said.last == (error == "EIO" ? "journal.failed" : "journal.diskFull"))
    // One for the run's start, then one for every intent that was said to be recorded.
    #expect(said.count - 1 == syncs.count - 1)
    let run = try RecordedRun.read(state.run(String(said[0])))
    #expect(!run.isFinished)
    for line in said.dropFirst().dropLast() { #expect(run.events.contains { "\($0.seq)" == line }) }
  }

  /// The executable beside the tests' own.
  private func probePath() throws -> String {
    let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let path = tests.deletingLastPathComponent().appending(path: "JournalProbe").path
    try #require(FileManager.default.isExecutableFile(atPath: path))
    return path
  }
}
