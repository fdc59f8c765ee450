import Files
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Journal
@testable import Schema

@Suite struct JournalWriterTests {
  let temporary: TemporaryFolder
  let state: StateFolder

  init() throws {
    temporary = try TemporaryFolder()
    state = StateFolder(temporary.path + "/state")
  }

  @Test("A run's folder holds its sources byte for byte, its parameters masked, and its events")
  func folder() async throws {
    let folder = try await SampleRun.record(in: state)
    #expect(folder == state.run(SampleRun.id))
    for source in SampleRun.sources {
      #expect(try Array(Data(contentsOf: URL(filePath: folder.sources + "/" + source.path))) == source.bytes)
    }
    let params = try JSON(parsing: Data(contentsOf: URL(filePath: folder.params)))
    #expect(params == ["region": "eu", "password": .string(Secret.mask)])

    let run = try RecordedRun.read(folder)
    #expect(run.id == SampleRun.id)
    #expect(run.started.number == 1)
    #expect(run.started.sources.map(\.path) == SampleRun.sources.map(\.path))
    #expect(run.started.sources[0].sha256 == sha256Hex(SampleRun.sources[0].bytes))
    #expect(run.events.map(\.event.type) == [RunStarted.type] + SampleRun.events.map(\.type))
    #expect(run.events.dropFirst().map(\.event.fields) == SampleRun.events.map(\.fields))
    #expect(run.isFinished)
    #expect(temporary.names() == ["state"])
  }

  @Test("sha256sum finds the chain unbroken, and the digests of the sources right")
  func independentVerification() async throws {
    let folder = try await SampleRun.record(in: state)
    let script = """
      set -eu
      prev=$(printf '0%.0s' $(seq 64))
      while IFS= read -r line; do
        case $line in *'"prev":"'$prev'",'*) ;; *) echo broken; exit 1 ;; esac
        prev=$(printf '%s' "$line" | sha256sum | cut -d' ' -f1)
      done < "$1/journal.jsonl"
      digest=$(sha256sum < "$1/sources/runbooks/daily-health.yaml" | cut -d' ' -f1)
      head -n 1 "$1/journal.jsonl" | grep -q "$digest"
      wc -l < "$1/journal.jsonl"
      """
    #expect(try shell(script, folder.path) == "10")
  }

  @Test("Nobody else reads a project's runs; the group reads an installed state's", arguments: [0o700, 0o750])
  func modes(folderMode: Int) async throws {
    let state = StateFolder(temporary.path + "/other", access: folderMode == 0o700 ? .owner : .group)
    let folder = try await SampleRun.record(
      in: state, events: [SampleRun.result("a", output: .string(String(repeating: "x", count: 70_000)))])
    let fileMode = folderMode & 0o640
    for name in ["", "/sources", "/sources/checks/turn", "/outputs"] {
      #expect(try mode(folder.path + name) == folderMode, "\(name)")
    }
    let output = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.outputs).first)
    for name in ["/journal.jsonl", "/params.json", "/sources/checks/turn/relay.yaml", "/outputs/\(output)"] {
      #expect(try mode(folder.path + name) == fileMode, "\(name)")
    }
  }

  @Test("An installed state passes its group on to every folder of a run")
  func group() async throws {
    let state = StateFolder(temporary.path + "/installed", access: .group)
    #expect(mkdir(state.path, 0o750) == 0 && chmod(state.path, 0o2750) == 0)
    let folder = try await SampleRun.record(in: state)
    for path in [state.runs, folder.path, folder.sources, folder.sources + "/checks/turn"] {
      #expect(try mode(path) == 0o2750, "\(path)")
    }
  }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test(
    "A source that would leave the run's folder is refused, and nothing is left of the run",
    arguments: ["../x", "/etc/passwd", "a/../../x", "a//b", "", "./a", "a\0b"])
  func escapingSource(path: String) async throws {
    let error = await #expect(throws: JournalError.self) {
      try await JournalWriter.begin(
        SampleRun.started, sources: [RunSource(path: path, bytes: [1])], in: state)
    }
    #expect(error?.code == .badSource)
    #expect(temporary.names() == ["state"])
    #expect(try runNames() == [])
  }

  private func runNames() throws -> [String] {
    try Folder.names(in: state.runs).filter { ![".lock", ".number", ".id"].contains($0) }
  }

  @Test("What a crash left half-built is removed with the next run")
  func abandonedFolder() async throws {
    try temporary.write("x", to: "state/runs/.new-\(SampleRun.id)/sources/a/b")
    let folder = try await SampleRun.record(in: state)
    #expect(try runNames() == [folder.id])
  }

  @Test("A symbolic link in place of the journal is not followed")
  func symbolicLink() async throws {
    let folder = try await SampleRun.record(in: state)
    try FileManager.default.moveItem(atPath: folder.journal, toPath: temporary.path + "/elsewhere")
    try FileManager.default.createSymbolicLink(
      atPath: folder.journal, withDestinationPath: temporary.path + "/elsewhere")
    let error = await #expect(throws: JournalError.self) { try await JournalWriter.reopen(folder) }
    #expect(error?.code == .refused)
    #expect(throws: JournalError.self) { try RecordedRun.read(folder) }
  }

  @Test("A pipe in place of the journal is refused, and keeps nobody waiting")
  func pipe() throws {
    let folder = state.run(SampleRun.id)
    try temporary.write("{}", to: "state/runs/\(SampleRun.id)/params.json")
    #expect(mkfifo(folder.journal, 0o600) == 0)
    let error = #expect(throws: JournalError.self) { try RecordedRun.read(folder) }
    #expect(error?.code == .damaged && error?.message.contains("no regular file") == true)
  }

  @Test("A journal shows whether its run goes on, and belongs to one writer")
  func liveness() async throws {
    let writer = try await JournalWriter.begin(SampleRun.started, sources: [], in: state)
    let run = try RecordedRun.read(writer.folder)
    #expect(run.isBeingWritten && !run.isFinished)
    let error = await #expect(throws: JournalError.self) { try await JournalWriter.reopen(writer.folder) }
    #expect(error?.code == .busy)
    try await writer.append(SampleRun.emptyEnd)
  }

  @Test("A run whose writer is gone is not being written")
  func deadWriter() async throws {
    let folder = try await SampleRun.record(in: state, events: [SampleRun.step("a", effect: .observe)])
    let run = try RecordedRun.read(folder)
    #expect(!run.isBeingWritten && !run.isFinished)
  }

  @Test("A wall clock that went back is recorded before the event that shows it")
  func clockStep() async throws {
    let start = Moment(
      wall: try #require(Timestamp(seconds: 10_000, nanoseconds: 0)), monotonic: 0, boot: "b")
    let later = Moment(
      wall: try #require(Timestamp(seconds: 6_401, nanoseconds: 0)), monotonic: 1_000_000_000, boot: "b")
    let moments = Readings([start, later])
    let writer = try await JournalWriter.begin(
      SampleRun.started, sources: [], in: state, clock: { moments.next() })
    try await writer.append(SampleRun.emptyEnd)
    let run = try RecordedRun.read(writer.folder)
    #expect(run.events.map(\.event.type) == ["run.started", "clock.stepped", "run.finished"])
    #expect(run.events[1].event == .clockStepped(ClockStepped(back: .seconds(3600))))
  }

  @Test("After an error every further event fails with the same one")
  func poisoned() async throws {
    let writer = try await JournalWriter.begin(SampleRun.started, sources: [], in: state)
    // A file where the folder of outputs is due.
    try Data().write(to: URL(filePath: writer.folder.outputs))
    let large = SampleRun.result("a", output: .string(String(repeating: "x", count: 70_000)))
    let first = await #expect(throws: JournalError.self) { try await writer.append(large) }
    let second = await #expect(throws: JournalError.self) { try await writer.append(SampleRun.end) }
    #expect(first == second)
    #expect(first?.message.contains("outputs") == true)
    #expect(try RecordedRun.read(writer.folder).events.count == 1)
  }

  @Test("A full disk is named, with the way round it")
  func devFull() throws {
    let error = #expect(throws: JournalError.self) {
      try onDisk(try File(opening: "/dev/full", O_WRONLY).write(Array("x".utf8)))
    }
    #expect(error?.code == .diskFull)
    #expect(error?.advice?.contains("--volatile") == true)
  }

  @Test(
    "A disk that fills up stops the journal and leaves a readable one",
    .enabled(if: geteuid() == 0, "mounting takes root"))
  func diskFillsUp() async throws {
    let mount = temporary.path + "/small"
    _ = try shell("mkdir \"$1\" && mount -t tmpfs -o size=128k none \"$1\"", mount)
    defer { _ = try? shell("umount -l \"$1\"", mount) }
    let writer = try await JournalWriter.begin(SampleRun.started, sources: [], in: StateFolder(mount))
    let event = SampleRun.result("a", output: .string(String(repeating: "x", count: 5000)))
    var recorded = 1
    var failure: JournalError?
    while failure == nil, recorded < 1000 {
      do throws(JournalError) {
        try await writer.append(event)
        recorded += 1
      } catch { failure = error }
    }
    #expect(failure?.code == .diskFull)
    #expect(failure?.advice?.contains("--volatile") == true)
    #expect(try RecordedRun.read(writer.folder).events.count == recorded)
    let again = await #expect(throws: JournalError.self) { try await writer.append(event) }
    #expect(again == failure)
  }

  @Test("A volatile run lies in memory, its project's alone, says so, and takes no number")
  func volatile() async throws {
    #expect(state.existingInMemory(runtimeFolder: nil) == nil)
    let memory = try state.inMemory(runtimeFolder: nil)
    defer { try? Folder.remove(memory.path) }
    #expect(memory.isVolatile && memory.path.hasPrefix("/dev/shm/"))
    #expect(state.existingInMemory(runtimeFolder: nil) == memory)
    #expect(StateFolder(temporary.path + "/other").existingInMemory(runtimeFolder: nil) == nil)
    let writer = try await JournalWriter.begin(SampleRun.started, sources: SampleRun.sources, in: memory)
    try await writer.append(SampleRun.emptyEnd)
    let run = try RecordedRun.read(writer.folder)
    #expect(run.started.volatile)
    #expect(run.started.number == 0)
  }
}

/// Clock readings given out one after another, the last of them again and again.
private final class Readings: Sendable {
  private let moments: [Moment]
  private let position = Atomic(0)
  init(_ moments: [Moment]) { self.moments = moments }
  func next() -> Moment { moments[min(position.add(1, ordering: .relaxed).oldValue, moments.count - 1)] }
}
