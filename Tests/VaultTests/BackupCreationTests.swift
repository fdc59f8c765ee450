import Age
import Backups
import Foundation
import Git
import Glibc
import Processes
import Schema
import TestSupport
import Testing

@testable import Vault

@Suite("A backup", .timeLimit(.minutes(1)))
struct BackupCreationTests {
  @Test("is what age, zstd, tar and git read, for each recipient, and git finds the vault sound")
  func roundTrip() async throws {
    let vault = try VaultCase()
    vault.outputs = [CommandOutput(name: "version", content: .success(Array("4.6.1\n".utf8)))]
    let made = try vault.create()
    #expect(made.isNew)
    #expect(made.backup.name == "20261128T154725Z")
    #expect(made.backup.isComplete)
    for identity in [0, 1] {
      let tar = try await vault.tar(of: made.backup, identity: identity)
      let names = try await vault.shell("tar -tf \(tar)").split(separator: "\n").map(String.init)
      let root = "files\(vault.host)"
      #expect(
        names == [
          "commands/version", "\(root)/", "\(root)/more/", "\(root)/more/a.conf", "\(root)/turnserver.conf",
          "manifest.json",
        ])
      #expect(try await vault.shell("tar -xOf \(tar) commands/version") == "4.6.1\n")
      #expect(try await vault.shell("tar -xOf \(tar) \(root)/turnserver.conf") == "listening-port=3478\n")
      let inner = try BackupManifest(parsing: Array(try await vault.shell("tar -xOf \(tar) manifest.json").utf8))
      #expect(inner.digests == .sha256)
      #expect(inner.created == nil)
      guard case .file(_, let digest)? = inner.members.first(where: { $0.name.ends(with: "turnserver.conf") })?.kind
      else {
        Issue.record("no file")
        return
      }
      #expect(
        try await vault.shell("sha256sum < \(vault.host)/turnserver.conf").hasPrefix(digest))
    }
    #expect(
      try await vault.git("for-each-ref", "--format=%(refname) %(objecttype)")
        == "refs/heads/backup/conf commit\nrefs/tags/backup/conf/20261128T154725Z tag\n")
    let message = try await vault.git("log", "-1", "--format=%B", "backup/conf")
    #expect(message.hasPrefix("conf: 3 files, 30 bytes\n\nBackup-Set: conf\nBackup-Name: 20261128T154725Z\n"))
    let archive = try #require(made.backup.manifest.archive)
    #expect(message.contains("Backup-Archive-SHA256: \(archive.sha256)\n"))
    #expect(
      try await vault.shell(
        "git -C \(vault.vaultPath) show backup/conf:20261128T154725Z.tar.zst.age | sha256sum"
      ).hasPrefix(archive.sha256))
    try await vault.git("fsck", "--full", "--strict")
    #expect(vault.folder.mode("vault") == 0o700)

    let repository = try VaultRepository(opening: vault.vaultPath)
    #expect(try repository.sets() == ["conf"])
    #expect(try repository.backups(of: "conf") == [made.backup])
    var reader = try repository.archive(of: made.backup)
    var buffer = [UInt8](repeating: 0, count: 100)
    var size = 0
    while case let count = try buffer.withUnsafeMutableBytes({ try reader.read(into: $0) }), count > 0 { size += count }
    #expect(size == archive.size)
  }

  @Test("of the same input is the same tar, byte for byte, whenever it is made")
  func deterministic() async throws {
    let vault = try VaultCase()
    let first = try await vault.tar(of: try vault.create().backup)
    try vault.later(by: 86_400)
    _ = try await vault.shell("rm -rf \(vault.vaultPath)")
    let second = try await vault.tar(of: try vault.create().backup)
    #expect(first != second)
    _ = try await vault.shell("cmp \(first) \(second)")
  }

  @Test("is not made again if nothing changed, and the time of the look is kept")
  func unchanged() async throws {
    let vault = try VaultCase()
    let first = try vault.create()
    try vault.later(by: 3600)
    _ = try await vault.shell("touch \(vault.host)/turnserver.conf")
    let second = try vault.create()
    #expect(!second.isNew)
    #expect(second.backup == first.backup)
    #expect(try await vault.git("rev-list", "--count", "backup/conf") == "1\n")
    #expect(
      try VaultRepository(opening: vault.vaultPath).lastCheck(of: "conf")
        == VaultCheck(backup: first.backup.name, checked: vault.time))

    try vault.folder.write("listening-port=3479\n", to: "etc/turnserver.conf", mode: 0o640)
    #expect(try vault.create().isNew)
    _ = try await vault.shell("chmod 600 \(vault.host)/turnserver.conf")
    #expect(try vault.create().isNew)
    #expect(
      try VaultRepository(opening: vault.vaultPath).backups(of: "conf").map(\.name) == [
        "20261128T164725Z-2", "20261128T164725Z", "20261128T154725Z",
      ])
    vault.set.recipients.append(AgeIdentity().recipient)
    #expect(try vault.create().isNew)
  }

  @Test("names what is missing in its manifest and its tag, and does not count as fresh")
  func incomplete() async throws {
    let vault = try VaultCase()
    vault.set.paths += ["\(vault.folder.path)/gone", "\(vault.host)/pipe"]
    vault.set.expectations.files = ["\(vault.host)/must.conf"]
    vault.set.expectations.minimumSize = 1 << 20
    vault.outputs = [CommandOutput(name: "v", content: .failure(.init("it ended with exit code 1")))]
    #expect(mkfifo("\(vault.host)/pipe", 0o600) == 0)
    let made = try vault.create()
    #expect(!made.backup.isComplete)
    #expect(
      Set(made.backup.missingTexts) == [
        "\(vault.folder.path)/gone: it does not exist", "\(vault.host)/pipe: it is a pipe, a socket or a device",
        "\(vault.host)/must.conf: the set expects this file, and has none there",
        "the set: its files have 24 bytes, and it expects at least 1 MiB", "commands/v: it ended with exit code 1",
      ])
    let tag = try await vault.git("tag", "-l", "-n99", "backup/conf/20261128T154725Z-incomplete")
    #expect(tag.contains("Backup-Incomplete: \(vault.folder.path)/gone: it does not exist"))
    #expect(try VaultRepository(opening: vault.vaultPath).lastCheck(of: "conf") == nil)
    #expect(try !vault.create().isNew)
    #expect(try VaultRepository(opening: vault.vaultPath).lastCheck(of: "conf") == nil)

    vault.set.specialFiles = .skip
    vault.set.paths = [vault.host]
    vault.set.expectations = BackupExpectations()
    vault.outputs = []
    #expect(try vault.create().backup.isComplete)
  }

  @Test("follows links, so that Let's Encrypt's certificates are stored and not their names")
  func letsEncrypt() async throws {
    let vault = try VaultCase()
    for (file, text) in [("privkey3.pem", "key\n"), ("fullchain3.pem", "chain\n")] {
      try vault.folder.write(text, to: "letsencrypt/archive/turn.example.org/\(file)", mode: 0o600)
    }
    let live = "\(vault.folder.path)/letsencrypt/live/turn.example.org"
    _ = try await vault.shell(
      "mkdir -p \(live); for f in privkey fullchain; do ln -s ../../archive/turn.example.org/${f}3.pem \(live)/$f.pem; done; ln -s ../../archive \(live)/all; ln -s nowhere \(live)/dangling; ln -s .. \(live)/circle"
    )
    vault.set.paths = [live]
    vault.set.excludes = ["dangling", "**/circle"]
    let followed = try vault.create().backup
    #expect(followed.isComplete)
    #expect(followed.member("live/turn.example.org/privkey.pem")?.notes == [.followed])
    #expect(followed.member("all/turn.example.org/fullchain3.pem") != nil)
    let tar = try await vault.tar(of: followed)
    #expect(try await vault.shell("tar -xOf \(tar) files\(live)/privkey.pem") == "key\n")
    #expect(try await vault.shell("tar -tvf \(tar)").contains { $0 == "l" } == true)

    vault.set.links = .keep
    let kept = try vault.create().backup
    #expect(
      kept.member("privkey.pem")?.kind
        == .symbolicLink(target: Array("../../archive/turn.example.org/privkey3.pem".utf8)))

    vault.set.links = .follow
    vault.set.excludes = []
    let texts = try vault.create().backup.missingTexts
    #expect(texts.contains("\(live)/dangling: it is a link to nowhere, and it does not exist"))
    #expect(texts.contains { $0.contains("circle") && $0.hasSuffix("it is a link back to a folder above it") })
  }

  @Test("takes names of every encoding, long ones, and files with holes as they are")
  func names() async throws {
    let vault = try VaultCase()
    let long = String(repeating: "ü", count: 120)
    _ = try await vault.shell(
      "cd \(vault.host); printf x > \"$(printf 'latin1-\\374')\"; printf x > \(long); truncate -s 3M hole; echo end >> hole"
    )
    let made = try vault.create().backup
    #expect(made.isComplete)
    #expect(made.manifest.members.contains { $0.name.ends(with: Array("latin1-".utf8) + [0xFC]) })
    #expect(made.member(long) != nil)
    let tar = try await vault.tar(of: made)
    _ = try await vault.shell(
      "mkdir \(vault.folder.path)/out; tar -xf \(tar) -C \(vault.folder.path)/out; diff -r \(vault.host) \(vault.folder.path)/out/files\(vault.host)"
    )
    #expect(try await vault.shell("tar -tvf \(tar) | grep hole | grep -c 3145732") == "1\n")
  }

  @Test("misses what a restore would refuse, and names it", arguments: ["new\nline", "esc\u{1b}[2J"])
  func refusedNames(name: String) throws {
    let vault = try VaultCase()
    try Data("x".utf8).write(to: URL(filePath: "\(vault.host)/\(name)"))
    let made = try vault.create().backup
    #expect(!made.isComplete)
    #expect(made.missingTexts.contains { $0.contains("a restore would refuse it: its name holds a control character") })
    #expect(!made.manifest.members.contains { $0.name.ends(with: Array(name.utf8)) })
  }

  @Test("of a SQLite database is a sound copy although a writer is at work", arguments: ["delete", "wal"])
  func database(mode: String) async throws {
    let vault = try VaultCase()
    let database = "\(vault.host)/turndb"
    _ = try await vault.shell(
      "sqlite3 \(database) 'pragma journal_mode=\(mode); create table t(a,b); insert into t values(1,-1);'")
    try await withWriter(of: database) { try await copies(of: database, in: vault) }
  }

  private func copies(of database: String, in vault: VaultCase) async throws {
    for _ in 0..<3 {
      let backup = try vault.create().backup
      try #require(backup.isComplete, "\(backup.missingTexts)")
      #expect(backup.member("turndb")?.notes == [.sqlite])
      #expect(backup.member("turndb-wal") == nil)
      let tar = try await vault.tar(of: backup)
      let copy = "\(vault.folder.path)/copy"
      _ = try await vault.shell("rm -f \(copy)*; tar -xOf \(tar) files\(database) > \(copy)")
      #expect(
        try await vault.shell(
          "sqlite3 \(copy) 'pragma integrity_check; select count(*) > 0 and sum(a) = -sum(b) from t;'"
        )
        .hasSuffix("ok\n1\n"))
    }
  }

  @Test("has what the set names although a pattern leaves it out, and is never complete with no file in it")
  func namedAndExcluded() throws {
    let vault = try VaultCase()
    vault.set.paths = ["\(vault.host)/turnserver.conf"]
    vault.set.excludes = ["turnserver.conf"]
    let made = try vault.create().backup
    #expect(made.isComplete && made.member("turnserver.conf") != nil)
    vault.set.paths = ["\(vault.host)/more"]
    vault.set.excludes = ["*"]
    let empty = try vault.create().backup
    #expect(!empty.isComplete)
    #expect(empty.missingTexts == ["the set: there is no file in it"])
  }

  @Test("leaves out the vault and the state of this tool, by whatever path they are reached")
  func ownFolders() throws {
    let vault = try VaultCase()
    vault.set.paths = [vault.folder.path]
    vault.set.specialFiles = .skip
    vault.ownFolders = ["\(vault.folder.path)/state"]
    #expect(symlink("\(vault.folder.path)/vault", "\(vault.host)/link") == 0)
    _ = try? vault.create()
    try vault.folder.write("more\n", to: "etc/more/b.conf")
    let made = try vault.create().backup
    let paths = made.manifest.members.compactMap(\.path).map { String(decoding: $0, as: UTF8.self) }
    #expect(paths.contains("\(vault.host)/more/b.conf"))
    #expect(
      !paths.contains { $0.hasPrefix("\(vault.folder.path)/vault") || $0.hasPrefix("\(vault.folder.path)/state") })
    #expect(!paths.contains { $0.hasPrefix("\(vault.host)/link") })
    #expect(try !vault.create().isNew)
  }

  @Test("that was incomplete in two ways is not made again if nothing changed")
  func missingTwice() throws {
    let vault = try VaultCase()
    // Not kept in memory, so that each is read again as it is written; the first is gone by then.
    let large = String(repeating: "x", count: 1 << 20)
    for number in 0..<20 { try vault.folder.write(large, to: "etc/a\(number)") }
    vault.set.paths.append("\(vault.host)/a-missing")
    vault.set.paths.append("\(vault.host)/z-missing")
    let last = "\(vault.host)/a9"
    var looks = 0
    let made = try vault.create { () throws(VaultError) in
      looks += 1
      // Each of the 22 files of the walk and the reading was looked at: the archive is being written.
      if looks == 50 { unlink(last) }
    }
    try #require(made.backup.missingTexts.contains { $0.hasPrefix(last) }, "\(made.backup.missingTexts)")
    #expect(
      made.backup.manifest.incomplete
        == made.backup.manifest.incomplete.sorted { $0.path.lexicographicallyPrecedes($1.path) })
  }

  @Test("does not hold a link with a control character in its target, which a restore would refuse")
  func linkTarget() throws {
    let vault = try VaultCase()
    vault.set.links = .keep
    #expect(symlink("a\nb", "\(vault.host)/odd") == 0)
    let made = try vault.create().backup
    #expect(
      made.missingTexts == ["\(vault.host)/odd: a restore would refuse it: the link's target holds a control character"]
    )
  }

  @Test("is refused with one recipient fewer than the set asks for, the same one twice included")
  func recipients() throws {
    let vault = try VaultCase()
    let recipient = vault.identities[0].recipient
    for recipients in [[recipient], [recipient, recipient], []] {
      vault.set.recipients = recipients
      let error = #expect(throws: VaultError.self) { try vault.create() }
      #expect(error?.kind == .tooFewRecipients)
    }
    #expect(vault.folder.names().contains("vault") == false)
  }

  @Test("that is too large is refused, and the largest files are named")
  func tooLarge() throws {
    let vault = try VaultCase()
    vault.set.maxSize = 100
    try vault.folder.write(String(repeating: "x", count: 2000), to: "etc/large.log")
    let error = #expect(throws: VaultError.self) { try vault.create() }
    #expect(error?.kind == .tooLarge)
    #expect(
      error?.message.contains("the largest are \(vault.host)/large.log (2 KiB)") == true, "\(error?.message ?? "")")
  }

  @Test("has a redacted configuration beside it, and nothing of a secret is in the vault")
  func redacted() async throws {
    let vault = try VaultCase()
    try vault.folder.write("static-auth-secret=hunter2-hunter2\n", to: "etc/turnserver.conf")
    vault.redact = { path, _ in path.ends(with: "turnserver.conf") ? "static-auth-secret=‹hidden›\n" : nil }
    _ = try vault.create()
    #expect(
      try await vault.git("show", "backup/conf:configuration.redacted")
        == "==> \(vault.host)/turnserver.conf <==\nstatic-auth-secret=‹hidden›\n")
    let hash = try await vault.shell("sha256sum < \(vault.host)/turnserver.conf").prefix(64)
    #expect(try await !vault.git("show", "backup/conf:20261128T154725Z.manifest.json").contains(hash))
  }
}

/// Writes to a SQLite database while `body` works, and ends with it.
private func withWriter(of database: String, _ body: () async throws -> Void) async throws {
  let script = """
    i=0; (echo 'pragma busy_timeout=5000;'; while [ $i -lt 20000 ]; do i=$((i+1)); \
    echo "begin immediate; insert into t values($i,0); update t set b=-a; commit;"; sleep 0.01; done) | \
    sqlite3 \(database) >/dev/null 2>&1
    """
  /// Nil while SQLite finds the database locked: a journal that the writer is about to remove is one that it waits for no longer.
  func count() async throws -> Int? {
    let run = try await Command("sqlite3", ["-cmd", ".timeout 5000", database, "select count(*) from t"]).run()
    return Int(run.standardOutput.text.trimmingCharacters(in: .whitespacesAndNewlines))
  }
  let before = try #require(try await count())
  let writer = Task { try await Command("sh", ["-c", script]).run() }
  do {
    try await body()
    // A writer that never wrote proves nothing.
    let deadline = ContinuousClock.now + .seconds(20)
    while try await count() ?? before == before {
      try #require(ContinuousClock.now < deadline, "the writer wrote nothing")
    }
  } catch {
    writer.cancel()
    _ = try? await writer.value
    throw error
  }
  writer.cancel()
  _ = try? await writer.value
}
