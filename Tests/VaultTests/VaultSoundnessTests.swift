import Backups
import FoundationEssentials
import Glibc
import Processes
import Schema
import TestSupport
import Testing

@testable import Vault

@Suite("A vault stays sound", .timeLimit(.minutes(2)))
struct VaultSoundnessTests {
  @Test("with a lock of git in the way, which is named with its age and owner, and stays")
  func locked() async throws {
    let vault = try VaultCase()
    _ = try vault.create()
    let user = try #require(getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) })
    for name in ["index.lock", "refs/heads/backup/conf.lock"] {
      try vault.folder.write("", to: "vault/\(name)")
      _ = try await vault.shell("touch -d '3 hours ago' \(vault.vaultPath)/\(name)")
      let error = #expect(throws: VaultError.self) { try vault.create() }
      #expect(error?.kind == .locked)
      #expect(
        error?.message == "the lock \(vault.vaultPath)/\(name) is in the way: it is 3 h old and belongs to \(user)")
      #expect(vault.folder.mode("vault/\(name)") != nil)
      _ = try await vault.shell("rm \(vault.vaultPath)/\(name)")
    }
  }

  @Test("with a foreign commit on its branch, on which nothing is built")
  func foreignCommit() async throws {
    let vault = try VaultCase()
    _ = try vault.create()
    _ = try await vault.shell(
      "cd \(vault.vaultPath); c=$(git -c user.name=Eve -c user.email=eve@example.com commit-tree -m 'Tidy up' -p backup/conf backup/conf^{tree}); git update-ref refs/heads/backup/conf $c"
    )
    try vault.folder.write("changed\n", to: "etc/more/a.conf")
    let error = #expect(throws: VaultError.self) { try vault.create() }
    #expect(error?.kind == .foreignCommit)
    #expect(error?.message.hasSuffix("was not made by runbook but by Eve <eve@example.com>: Tidy up") == true)
    _ = try await vault.shell("cd \(vault.vaultPath); git branch -f backup/conf backup/conf~")
    #expect(try vault.create().isNew)
  }

  @Test("A folder with other things is no vault, and is left as it is")
  func notAVault() throws {
    let vault = try VaultCase()
    try vault.folder.write("x", to: "vault/photo.jpg")
    #expect(#expect(throws: VaultError.self) { try vault.create() }?.kind == .missing)
    #expect(vault.folder.read("vault/photo.jpg") == "x")
  }

  @Test(
    "that is another user's is refused, whoever asks",
    .enabled(if: geteuid() == 0, "only root can give a folder away"))
  func foreignOwner() throws {
    let other = try VaultCase()
    _ = try other.create()
    #expect(chown(other.vaultPath, 65_534, 65_534) == 0)
    #expect(#expect(throws: VaultError.self) { try other.create() }?.kind == .foreignOwner)
  }

  @Test("after a crash between commit and tag, which the next backup makes good")
  func missingTag() async throws {
    let vault = try VaultCase()
    let backup = try vault.create().backup
    try await vault.git("tag", "-d", "backup/conf/\(backup.name)")
    #expect(try !vault.create().isNew)
    #expect(try await vault.git("cat-file", "-t", "backup/conf/\(backup.name)") == "tag\n")
  }

  @Test("with two backups at once: one waits for the other, and both are told the same")
  func concurrent() async throws {
    let vault = try VaultCase()
    for number in 0..<200 { try vault.folder.write("\(number)\n", to: "etc/many/\(number).conf") }
    let (set, time, path, key) = (vault.set, vault.time, vault.vaultPath, "\(vault.folder.path)/state/backup.key")
    let made = try await withThrowingTaskGroup(of: BackupCreation.Made.self) { group in
      for _ in 0..<4 {
        group.addTask {
          try await onBlockingThread { () throws(VaultError) in
            try BackupCreation(
              of: set, outputs: [], vault: path, key: try ContentKey(file: key), host: "turn1", now: { time }
            ).make()
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(made.count { $0.isNew } == 1)
    #expect(Set(made.map(\.backup.name)).count == 1)
    try await vault.git("fsck", "--full", "--strict")
  }

  @Test("that is in use is waited for until the time is over")
  func busy() throws {
    let vault = try VaultCase()
    _ = try vault.create()
    let holder = try VaultFolder.open(vault.vaultPath, checkpoint: {})
    var looks = 0
    let error = #expect(throws: VaultError.self) {
      try vault.create { () throws(VaultError) in
        looks += 1
        if looks > 2 { throw VaultError(.interrupted, "the time is over") }
      }
    }
    // It was told to end; that is what it says, and why it had not begun.
    #expect(error?.kind == .interrupted)
    #expect(error?.message.contains("another run writes to the vault") == true)
    let late = #expect(throws: VaultError.self) {
      try vault.create { () throws(VaultError) in throw VaultError(.busy, "long enough") }
    }
    #expect(late?.kind == .busy)
    _ = holder.path
  }

  @Test("with the work ended at any of its checkpoints: no half backup, no left-over that git minds")
  func endedAnywhere() async throws {
    let vault = try VaultCase()
    try vault.folder.write(String(repeating: "large ", count: 400_000), to: "etc/large")
    for limit in 1... {
      var looks = 0
      do throws(VaultError) {
        _ = try vault.create { () throws(VaultError) in
          looks += 1
          if looks == limit { throw VaultError(.interrupted, "ended") }
        }
        break
      } catch { #expect(error.kind == .interrupted || error.kind == .busy) }
      try #require(limit < 200)
    }
    try await vault.git("fsck", "--full", "--strict")
    #expect(try VaultRepository(opening: vault.vaultPath).backups(of: "conf").count == 1)
  }

  @Test(
    "on a full disk: the error says so, what was there stays readable, and room makes it work again",
    .enabled(if: geteuid() == 0, "only root can mount a small disk"))
  func fullDisk() async throws {
    let vault = try VaultCase()
    _ = try await vault.shell("mkdir -p \(vault.vaultPath); mount -t tmpfs -o size=700k tmpfs \(vault.vaultPath)")
    defer { umount2(vault.vaultPath, Int32(MNT_DETACH)) }
    let first = try vault.create().backup
    let noise = (0..<900_000).map { _ in UInt8.random(in: 0...255) }
    try Data(noise).write(to: vault.folder.url.appending(path: "etc/noise"))
    let error = #expect(throws: VaultError.self) { try vault.create() }
    #expect(error?.kind == .full, "\(error?.message ?? "")")
    #expect(try VaultRepository(opening: vault.vaultPath).backups(of: "conf") == [first])
    try await vault.git("fsck", "--full", "--strict")
    _ = try await vault.shell("rm \(vault.host)/noise; echo more >> \(vault.host)/turnserver.conf")
    #expect(try vault.create().isNew)
  }
}
