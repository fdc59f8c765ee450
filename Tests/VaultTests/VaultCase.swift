import Age
import Backups
import FoundationEssentials
import Glibc
import Processes
import Schema
import TestSupport
import Testing

@testable import Vault

/// A host's files, a set of them, and a vault, in a folder of one test.
final class VaultCase {
  let folder: TemporaryFolder
  let identities: [AgeIdentity]
  var set: BackupSet
  var time: Timestamp
  var outputs: [CommandOutput] = []
  var ownFolders: [String] = []
  var redact: (_ path: [UInt8], _ content: [UInt8]) -> String? = { _, _ in nil }

  init() throws {
    folder = try TemporaryFolder()
    identities = [AgeIdentity(), AgeIdentity()]
    set = BackupSet(name: "conf", paths: ["\(folder.path)/etc"], recipients: identities.map(\.recipient))
    time = try #require(Timestamp("2026-11-28T15:47:25Z"))
    try folder.write("listening-port=3478\n", to: "etc/turnserver.conf", mode: 0o640)
    try folder.write("one\n", to: "etc/more/a.conf")
  }

  var vaultPath: String { "\(folder.path)/vault" }
  var host: String { "\(folder.path)/etc" }

  func create(checkpoint: @escaping () throws(VaultError) -> Void = {}) throws(VaultError) -> BackupCreation.Made {
    let key = try ContentKey(file: "\(folder.path)/state/backup.key")
    let creation = BackupCreation(
      of: set, outputs: outputs, vault: vaultPath, ownFolders: ownFolders, key: key, host: "turn1", redact: redact,
      now: { self.time },
      checkpoint: checkpoint)
    return try creation.make()
  }

  func later(by seconds: Int64) throws {
    time = try #require(Timestamp(seconds: time.seconds + seconds, nanoseconds: 0))
  }

  @discardableResult
  func git(_ arguments: String...) async throws -> String {
    let run = try await Command("git", ["-C", vaultPath] + arguments).run()
    try #require(run.isSuccess, "\(arguments): \(run.standardError.text)")
    return run.standardOutput.text
  }

  func shell(_ script: String) async throws -> String {
    let run = try await Command("sh", ["-ec", script]).run()
    try #require(run.isSuccess, "\(script): \(run.standardError.text)")
    return run.standardOutput.text
  }

  /// The archive without its encryption and compression, through the programs of the host; gives the path of the tar.
  func tar(of backup: Backup, identity: Int = 0) async throws -> String {
    try folder.write(identities[identity].secretText + "\n", to: "key.txt", mode: 0o600)
    let tar = "\(folder.path)/\(backup.name).tar"
    _ = try await shell(
      "git -C \(vaultPath) show backup/conf:\(backup.name).tar.zst.age | age -d -i \(folder.path)/key.txt | zstd -dq > \(tar)"
    )
    return tar
  }

  func file(_ name: String, of backup: Backup) async throws -> String {
    try await shell("tar -xOf \(try await tar(of: backup)) 'files\(host)/\(name)'")
  }
}

extension Backup {
  func member(_ suffix: String) -> BackupManifest.Member? {
    manifest.members.first { String(decoding: $0.name, as: UTF8.self).hasSuffix(suffix) }
  }

  var missingTexts: [String] { manifest.incomplete.map(\.text) }
}

extension [UInt8] {
  func ends(with text: some Collection<UInt8>) -> Bool { suffix(text.count).elementsEqual(text) }
  func ends(with text: String) -> Bool { ends(with: Array(text.utf8)) }
}
