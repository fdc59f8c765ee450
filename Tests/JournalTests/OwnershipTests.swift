import Files
import Foundation
import TestSupport
import Testing

@testable import Journal
@testable import Schema

/// Whose the files are that root, or one of several users, records.
@Suite(.enabled(if: geteuid() == 0, "giving files away takes root")) struct OwnershipTests {
  let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  private func everything(in path: String) throws -> [String] {
    try [path] + #require(FileManager.default.enumerator(atPath: path)).map { "\(path)/\($0)" }
  }

  private func status(_ path: String) throws -> stat {
    var status = stat()
    try #require(lstat(path, &status) == 0)
    return status
  }

  @Test("What root records in an operator's folder is the operator's, to the last file")
  func rootsRun() async throws {
    #expect(chown(temporary.path, 4711, 4712) == 0)
    let state = StateFolder(temporary.path + "/.runbook")
    let folder = try await SampleRun.record(
      in: state, events: [SampleRun.result("a", output: .string(String(repeating: "x", count: 70_000)))])
    #expect(try Folder.names(in: folder.outputs).count == 1)
    for path in try everything(in: state.path) {
      let status = try status(path)
      #expect(status.st_uid == 4711 && status.st_gid == 4712, "\(path)")
      #expect(status.st_mode & 0o077 == 0, "\(path)")
    }
  }

  @Test("A folder that its group may write to is shared with the group")
  func sharedFolder() async throws {
    let path = temporary.path + "/shared"
    #expect(mkdir(path, 0o770) == 0 && chown(path, 0, 4712) == 0 && chmod(path, 0o2770) == 0)
    let state = StateFolder(path)
    _ = try await SampleRun.record(in: state)
    for path in try everything(in: state.runs) {
      let status = try status(path)
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      #expect(status.st_gid == 4712, "\(path)")
      // Who shares the folder may read what a run has recorded, and write it no more.
      let isOfRun = path.dropFirst(state.runs.count + 1).contains("/")
      #expect(status.st_mode & 0o777 == (isFolder ? 0o770 : isOfRun ? 0o640 : 0o660), "\(path)")
    }
  }

  @Test("A lock file that is there already is nobody else's to give away")
  func existingLock() async throws {
    #expect(chown(temporary.path, 4711, 4712) == 0)
    try temporary.write("", to: "runs/.lock", mode: 0o600)
    _ = try await SampleRun.record(in: StateFolder(temporary.path))
    #expect(try status(temporary.path + "/runs/.lock").st_uid == 0)
  }
}
