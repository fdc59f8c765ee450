import Age
import Backups
import Foundation
import Glibc
import Processes
import Schema
import TestSupport
import Testing
import Vault

/// Backups, as users verify and restore them.
@Suite struct BackupRestoreTests {
  private let project: CommandLineProject
  private let identity = AgeIdentity()

  init() throws {
    project = try CommandLineProject(isEmpty: true)
    try project.write("runbook.yaml", "project: test\n")
    try project.write("etc/turnserver.conf", "listening-port=3478\nrealm=turn.example.com\n")
    try project.write("etc/more/größe.conf", "one\n")
    try project.write("operations.key", "# made for this test\n\(identity.secretText)\n")
  }

  @discardableResult
  private func create(at time: String, and paths: [String] = []) throws -> String {
    let set = BackupSet(
      name: "conf", paths: ["\(project.root)/etc"] + paths, recipients: [identity.recipient, AgeIdentity().recipient])
    let time = try #require(Timestamp(time))
    return try BackupCreation(
      of: set, outputs: [], vault: "\(project.root)/backups/vault", key: ContentKey(file: "\(project.root)/key"),
      host: "turn1", now: { time }
    ).make().backup.name
  }

  @Test("A backup is verified and restored, told by exit code, text and JSON")
  func verifyAndRestore() async throws {
    let missing = try await project.runbook("backup", "verify", "--identity", "operations.key")
    #expect(missing.status == 2 && missing.stdout.contains("backup.noVault"), "\(missing)")
    let name = try create(at: "2026-11-01T04:00:00Z")

    let verified = try await project.runbook("backup", "verify", "--identity", "operations.key", "--format", "json")
    #expect(verified.status == 0, "\(verified)")
    #expect(try verified.json["output"]?["verified"] == [.string("conf/\(name)")])
    let blind = try await project.runbook("backup", "verify", "conf")
    #expect(blind.status == 0 && blind.stdout.contains("backup.contentNotVerified"), "\(blind)")

    let restored = try await project.runbook(
      "backup", "restore", "conf", "--to", "restored", "--identity", "operations.key")
    #expect(restored.status == 0 && restored.stdout.contains(name), "\(restored)")
    #expect(!restored.stdout.contains("AGE-SECRET-KEY") && !restored.stderr.contains("AGE-SECRET-KEY"))
    #expect(try project.read("restored/files\(project.root)/etc/more/größe.conf") == "one\n")
    let again = try await project.runbook(
      "backup", "restore", "conf", "--to", "restored", "--identity", "operations.key")
    #expect(again.status == 2 && again.stdout.contains("is not empty"), "\(again)")
    let replaced = try await project.runbook(
      "backup", "restore", "conf", "--to", "restored", "--replace", "--identity", "operations.key", "--format", "json")
    #expect(replaced.status == 0, "\(replaced)")
    let kept = try #require(try replaced.json["output"]?["kept"]?.string)
    #expect(FileManager.default.fileExists(atPath: "\(kept)/manifest.json"))

    try project.write("other.key", AgeIdentity().secretText + "\n")
    let wrong = try await project.runbook("backup", "restore", "conf", "--to", "other", "--identity", "other.key")
    #expect(wrong.status == 3 && wrong.stdout.contains("backup.wrongIdentity"), "\(wrong)")
    #expect(!project.exists("other"))
  }

  @Test("A restore that is killed leaves the old tree whole, and the next one clears away what it left")
  func killed() async throws {
    var random = SplitMix(state: 3)
    let noise = Data((0..<(1 << 20)).map { _ in UInt8.random(in: 0...255, using: &random) })
    for number in 0..<12 {
      var content = noise
      content.append(UInt8(number))
      try content.write(to: URL(filePath: "\(project.root)/etc/noise\(number)"))
    }
    try create(at: "2026-11-01T04:00:00Z")
    try project.write("target/old", "old")
    var hits = 0
    for wait in 0..<4 {
      let process = Process()
      process.executableURL = URL(filePath: CommandLineProject.executable)
      process.arguments = ["backup", "restore", "conf", "--to", "target", "--replace", "--identity", "operations.key"]
      process.currentDirectoryURL = URL(filePath: project.root)
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      let deadline = ContinuousClock.now + .seconds(60)
      var staged: String?
      while staged == nil, process.isRunning, ContinuousClock.now < deadline {
        staged = try FileManager.default.contentsOfDirectory(atPath: project.root).first { $0.hasSuffix(".restoring") }
        usleep(500)
      }
      // Further in each time.
      while let staged, process.isRunning, ContinuousClock.now < deadline,
        ((try? FileManager.default.subpathsOfDirectory(atPath: "\(project.root)/\(staged)"))?.count ?? .max) < wait * 4
      { usleep(500) }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      if process.terminationReason == .uncaughtSignal { hits += 1 }
      if try FileManager.default.contentsOfDirectory(atPath: "\(project.root)/target") == ["old"] {
        #expect(try project.read("target/old") == "old")
      } else {
        // It was faster: then all of the new tree is there, and all of the old one kept.
        #expect(project.exists("target/manifest.json"))
        try FileManager.default.removeItem(atPath: "\(project.root)/target")
        try project.write("target/old", "old")
      }
    }
    #expect(hits > 0)
    let last = try await project.runbook(
      "backup", "restore", "conf", "--to", "target", "--replace", "--identity", "operations.key", "--format", "json")
    #expect(last.status == 0, "\(last)")
    let kept = try #require(try last.json["output"]?["kept"]?.string)
    #expect(try String(contentsOfFile: "\(kept)/old", encoding: .utf8) == "old")
    let left = try FileManager.default.contentsOfDirectory(atPath: project.root).filter { $0.hasSuffix(".restoring") }
    #expect(left == [])
  }

  @Test("One file of a backup is restored to a folder of its own, and never in the place of a tree")
  func oneFile() async throws {
    try create(at: "2026-11-01T04:00:00Z")
    let file = "\(project.root)/etc/turnserver.conf"
    let one = try await project.runbook(
      "backup", "restore", "conf", "--only", file, "--to", "one", "--identity", "operations.key")
    #expect(one.status == 0, "\(one)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(project.root)/one") == ["turnserver.conf"])
    #expect(try project.read("one/turnserver.conf") == "listening-port=3478\nrealm=turn.example.com\n")
    let refused = try await project.runbook(
      "backup", "restore", "conf", "--only", file, "--to", "etc", "--replace", "--identity", "operations.key")
    #expect(refused.status == 2 && refused.stdout.contains("backup.targetRefused"), "\(refused)")
    #expect(project.exists("etc/more"))
  }

  @Test("What docs/vault.md says to type restores the same without this tool")
  func byHand() async throws {
    try create(at: "2026-11-01T04:00:00Z")
    try project.write("etc/turnserver.conf", "listening-port=3479\n")
    try create(at: "2026-11-02T04:00:00Z")
    // A clock that was wrong, and a backup that lacks something, lead nobody astray.
    try project.write("etc/turnserver.conf", "listening-port=3480\n")
    try create(at: "2026-11-03T04:00:00Z", and: ["\(project.root)/gone"])
    let page = try String(
      contentsOf: CommandLineProject.repositoryURL.appending(path: "docs/vault.md"), encoding: .utf8)
    let section = try #require(
      page.components(separatedBy: "\n## ").first { $0.hasPrefix("The day when everything is gone") })
    let blocks = section.components(separatedBy: "```sh\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
    try #require(blocks.count == 3)
    // The first says where things are, which is elsewhere here.
    let places = "vault=\(project.root)/backups/vault\nkey=\(project.root)/operations.key\nset=conf\n"
    #expect(
      places.split(separator: "\n").map { $0.prefix { $0 != "=" } }
        == blocks[0].split(separator: "\n").map { $0.prefix { $0 != "=" } })
    var command = Command("bash", ["-euo", "pipefail", "-c", places + blocks[1...].joined()])
    command.directory = project.root
    let run = try await command.run()
    #expect(run.isSuccess, "\(run.standardError.text)\(run.standardOutput.text)")
    #expect(try project.read("restored/files\(project.root)/etc/turnserver.conf") == "listening-port=3479\n")
    let restored = try await project.runbook(
      "backup", "restore", "conf", "--to", "ours", "--identity", "operations.key")
    #expect(restored.status == 0, "\(restored)")
    let same = try await Command("diff", ["-r", "\(project.root)/restored", "\(project.root)/ours"]).run()
    #expect(same.isSuccess && same.standardOutput.text == "", "\(same.standardOutput.text)")
    let listing = "find . -mindepth 1 -type f -printf '%P %m %U %G %s %T@\\n' | grep -v manifest.json | sort"
    var texts: [String] = []
    for folder in ["restored", "ours"] {
      var list = Command("sh", ["-c", listing])
      list.directory = "\(project.root)/\(folder)"
      texts.append(try await list.run().standardOutput.text)
    }
    #expect(texts[0] == texts[1])
  }
}
