import Backups
import FoundationEssentials
import Git
import Glibc
import Schema
import TestSupport
import Testing

@testable import Vault

@Suite("A vault of which git has lost something", .timeLimit(.minutes(1)))
struct LostObjectTests {
  private static func object(_ id: GitID, in vault: VaultCase) -> String {
    "\(vault.vaultPath)/objects/\(id.description.prefix(2))/\(id.description.dropFirst(2))"
  }

  private static func file(_ name: String, in vault: VaultCase) throws -> String {
    let repository = try GitRepository(path: vault.vaultPath)
    let head = try #require(try repository.head(of: "backup/conf"))
    return object(try #require(try repository.files(of: head).first { $0.name == name }).id, in: vault)
  }

  private static func spoil(_ path: String, how: String) throws {
    switch how {
    case "gone": try #require(unlink(path) == 0)
    case "cut off":
      chmod(path, 0o600)
      try #require(truncate(path, 30) == 0)
    default:
      chmod(path, 0o600)
      var bytes = try Data(contentsOf: URL(filePath: path))
      bytes[bytes.count / 2] ^= 0x10
      try bytes.write(to: URL(filePath: path))
    }
  }

  @Test(
    "is no reason to say that nothing changed: the newest archive is made anew, and what is lost is named and left out",
    arguments: ["gone", "cut off", "altered"])
  func newestArchive(how: String) async throws {
    let vault = try VaultCase()
    let first = try vault.create().backup
    try Self.spoil(try Self.file("\(first.name).tar.zst.age", in: vault), how: how)
    try vault.later(by: 60)
    let made = try vault.create()
    #expect(made.isNew)
    #expect(made.lost.map(\.name) == [first.name])
    let content = try VaultRepository(opening: vault.vaultPath).content(of: "conf")
    #expect(content.backups.map(\.name) == [made.backup.name])
    #expect(content.lost == [])
    let message = try await vault.git("log", "-1", "--format=%B", "backup/conf")
    #expect(message.contains("Backup-Lost: \(first.name): "), "\(message)")
    try vault.later(by: 60)
    #expect(try !vault.create().isNew)
  }

  @Test("still gives the other backups, and names the one that it lost", arguments: ["gone", "cut off"])
  func oldManifest(how: String) throws {
    let vault = try VaultCase()
    let first = try vault.create().backup
    try vault.folder.write("two\n", to: "etc/more/a.conf")
    try vault.later(by: 60)
    let second = try vault.create().backup
    try Self.spoil(try Self.file("\(first.name).manifest.json", in: vault), how: how)
    let repository = try VaultRepository(opening: vault.vaultPath)
    let content = try repository.content(of: "conf")
    #expect(content.backups == [second])
    #expect(content.lost.map(\.name) == [first.name])
    #expect(#expect(throws: VaultError.self) { try repository.backup(first.name, of: "conf") }?.kind == .damaged)
    #expect(try !vault.create().isNew)
    let retention = BackupRetention(last: 1)
    let refused = #expect(throws: VaultError.self) {
      try VaultRepository.prune(
        "conf", in: vault.vaultPath, host: "h", at: vault.time, by: { PrunePlan($0, by: retention) }, checkpoint: {})
    }
    #expect(refused?.kind == .damaged)
  }

  @Test("says so and ends, if a commit or tree of it is cut off", arguments: ["commit", "tree"])
  func head(kind: String) throws {
    let vault = try VaultCase()
    _ = try vault.create()
    let head = try #require(try GitRepository(path: vault.vaultPath).head(of: "backup/conf"))
    try Self.spoil(Self.object(kind == "tree" ? head.tree : head.id, in: vault), how: "cut off")
    #expect(#expect(throws: VaultError.self) { try vault.create() }?.kind == .damaged)
    #expect(
      #expect(throws: VaultError.self) { try VaultRepository(opening: vault.vaultPath).backups(of: "conf") }?.kind
        == .damaged)
  }

  @Test("The newest backup is that of the newest commit, whatever a clock said")
  func clock() throws {
    let vault = try VaultCase()
    let right = vault.time
    vault.time = try #require(Timestamp("2126-01-01T00:00:00Z"))
    let future = try vault.create().backup
    vault.time = right
    try vault.folder.write("two\n", to: "etc/more/a.conf")
    let present = try vault.create().backup
    let repository = try VaultRepository(opening: vault.vaultPath)
    #expect(try repository.backups(of: "conf").map(\.name) == [present.name, future.name])
    // Equal to the newest by its commit: nothing is committed again and again.
    #expect(try !vault.create().isNew)
    let plan = try VaultRepository.prune(
      "conf", in: vault.vaultPath, host: "h", at: right, by: { PrunePlan($0, by: BackupRetention(last: 1)) },
      checkpoint: {})
    #expect(plan.removed.map(\.name) == [future.name])
  }
}
