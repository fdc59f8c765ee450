import Age
import Backups
import Foundation
import Journal
import Schema
import Steps
import TestSupport
import Testing
import Vault

@testable import Modules

/// Backups of real files in a real vault.
@Suite struct BackupModuleTests {
  private let folder: TemporaryFolder
  private let root: String
  private let identities = [AgeIdentity(), AgeIdentity()]

  init() throws {
    folder = try TemporaryFolder()
    root = URL(filePath: folder.path).resolvingSymlinksInPath().path
    try folder.write("listening-port=3478\n", to: "etc/turnserver.conf", mode: 0o640)
    try folder.write("one\n", to: "etc/more/a.conf")
  }

  private var vault: String { "\(root)/vault" }
  private var key: String { "\(root)/state/backup.key" }

  @discardableResult
  private func create(
    at time: String, paths: [String] = ["etc"], recipients: Int = 2
  ) throws -> BackupCreation.Made {
    let set = BackupSet(
      name: "conf", paths: paths.map { "\(root)/\($0)" }, recipients: identities.prefix(recipients).map(\.recipient),
      minimumRecipients: recipients)
    let time = try #require(Timestamp(time))
    return try BackupCreation(
      of: set, outputs: [], vault: vault, key: ContentKey(file: key), host: "turn1",
      redact: { _, content in String(decoding: content, as: UTF8.self) }, now: { time }
    ).make()
  }

  private func members(_ more: [Value.Member]) -> [Value.Member] {
    [.init("vault", .string(vault)), .init("set", .string("conf"))] + more
  }

  private var identity: Value.Member { .init("identity", .secret(Secret(identities[1].secretText + "\n"))) }

  private func outcome(_ name: String, _ more: Value.Member...) async throws -> (code: String?, output: Value?) {
    do {
      let result = try await run(name, members(more))
      return (result.objection?.finding.code, result.output)
    } catch let error as StepError { return (error.finding.code, nil) }
  }

  private var archive: URL {
    get throws {
      // The largest loose object is the archive.
      let objects = URL(filePath: "\(vault)/objects")
      let files = try #require(FileManager.default.enumerator(at: objects, includingPropertiesForKeys: [.fileSizeKey]))
        .compactMap { $0 as? URL }.filter { !$0.hasDirectoryPath }
      return try #require(files.max { Self.size($0) < Self.size($1) })
    }
  }

  private static func size(_ url: URL) -> Int { (try? url.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0 }

  @Test(
    "A restore brings back what was there, and a populated target only if it is to be replaced; the old one is kept")
  func restore() async throws {
    let made = try create(at: "2026-11-01T04:00:00Z")
    let target = Value.Member("target", .string("\(root)/restored"))
    let first = try await run("backup.restore", members([identity, target]))
    #expect(first.objection == nil && first.output["files"] == .int(2), "\(first)")
    #expect(first.output["backup"] == .string(made.backup.name))
    #expect(folder.read("restored/files\(root)/etc/turnserver.conf") == "listening-port=3478\n")
    #expect(folder.mode("restored/files\(root)/etc/turnserver.conf") == 0o640)
    #expect(folder.read("restored/manifest.json").contains("\"digests\": \"sha256\""))

    let refused = try await stepError { _ = try await run("backup.restore", members([identity, target])) }
    #expect(refused.kind == .notStarted && refused.finding.code == "backup.targetRefused")

    try folder.write("changed\n", to: "etc/turnserver.conf")
    let only = [
      Value.Member("target", .string("\(root)/etc")), .init("only", .string("\(root)/etc")),
      .init("replace", .bool(true)),
      .init("keyFile", .string(key)),
    ]
    let replaced = try await run("backup.restore", members([identity] + only))
    #expect(folder.read("etc/turnserver.conf") == "listening-port=3478\n")
    guard case .string(let kept) = replaced.output["kept"] else { return #expect(Bool(false), "\(replaced)") }
    #expect(try String(contentsOfFile: "\(kept)/turnserver.conf", encoding: .utf8) == "changed\n")
    #expect(folder.names().filter { $0.hasSuffix(".restoring") } == [])
  }

  @Test("What keeps a restore from its place is told, and nothing is left beside it")
  func refusals() async throws {
    let target = Value.Member("target", .string("\(root)/restored"))
    #expect(try await outcome("backup.restore", identity, target).code == "backup.noVault")
    try create(at: "2026-11-01T04:00:00Z")
    let other = Value.Member("identity", .secret(Secret(AgeIdentity().secretText)))
    let wrong = try await stepError { _ = try await run("backup.restore", members([other, target])) }
    #expect(wrong.finding.code == "backup.wrongIdentity" && wrong.kind == .broken)
    #expect(
      try await outcome("backup.restore", .init("identity", .secret(Secret("nonsense"))), target).code
        == "backup.identityInvalid")
    #expect(
      try await outcome("backup.restore", identity, target, .init("backup", .string("20000101T000000Z"))).code
        == "backup.notFound")
    #expect(
      try await outcome("backup.restore", identity, target, .init("only", .string("/nowhere"))).code
        == "backup.notInBackup")
    for place in ["vault", "vault/inside"] {
      #expect(
        try await outcome(
          "backup.restore", identity, .init("target", .string("\(root)/\(place)")), .init("replace", .bool(true))
        ).code == "backup.targetRefused")
    }
    #expect(
      try await outcome("backup.restore", identity, .init("target", .string("\(root)/no/where"))).code
        == "backup.restoreFailed")
    #expect(Set(folder.names()) == ["etc", "state", "vault"])
  }

  @Test("One altered byte in the vault fails verification and restore alike, and nothing is put in place")
  func damaged() async throws {
    try create(at: "2026-11-01T04:00:00Z")
    let file = try archive
    let bytes = try Data(contentsOf: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
    for place in stride(from: 60, to: bytes.count - 8, by: max(1, bytes.count / 25)) {
      var wrong = bytes
      wrong[place] ^= 0x10
      try wrong.write(to: file)
      let verified = try await outcome("backup.verify", identity)
      #expect(verified.code == "backup.damaged", "\(place)")
      // Nobody needs an identity to find that out.
      #expect(try await outcome("backup.verify").code == "backup.damaged", "\(place)")
      #expect(
        try await outcome("backup.restore", identity, .init("target", .string("\(root)/restored"))).code
          == "backup.damaged", "\(place)")
    }
    #expect(Set(folder.names()) == ["etc", "state", "vault"])
    try bytes.write(to: file)
    #expect(try await outcome("backup.verify", identity).code == nil)
  }

  @Test(
    "Verification says what it read: without an identity a warning, with a budget the rest, too few recipients a failure"
  )
  func verify() async throws {
    #expect(try await outcome("backup.verify", identity).code == "backup.noVault")
    for (number, text) in ["one", "two", "three"].enumerated() {
      try folder.write("\(text)\n", to: "etc/more/a.conf")
      try create(at: "2026-11-0\(number + 1)T04:00:00Z")
    }
    let all = try await run("backup.verify", members([identity, .init("keyFile", .string(key))]))
    #expect(all.objection == nil && all.output["backups"] == .int(3) && all.output["remaining"] == .int(0), "\(all)")
    #expect(all.output["oldest"] != .null)
    let blind = try await run("backup.verify", members([]))
    #expect(blind.objection?.finding.code == "backup.contentNotVerified")
    #expect(blind.output["contentVerified"] == .bool(false))

    // A part each time: all come round, the one that was not read for longest first.
    try FileManager.default.removeItem(atPath: "\(vault)/runbook/_verified.json")
    var seen: Set<Value> = []
    for turn in 1...3 {
      let part = try await run("backup.verify", members([identity, .init("budget", .int(1))]))
      guard case .list(let verified) = part.output["verified"] else { return #expect(Bool(false)) }
      #expect(verified.count == 1 && part.output["remaining"] == .int(2))
      seen.formUnion(verified)
      #expect((part.objection?.finding.code == "backup.verificationOverdue") == (turn < 3), "\(turn)")
    }
    #expect(seen.count == 3)
    #expect(
      try await outcome("backup.verify", identity, .init("recipients", .int(3))).code == "backup.tooFewRecipients")
    let other = Value.Member("identity", .secret(Secret(AgeIdentity().secretText)))
    #expect(try await stepError { _ = try await run("backup.verify", members([other])) }.kind == .broken)
    #expect(try await outcome("backup.verify", identity, .init("limit", .int(1))).code == "backup.tooLarge")
  }

  @Test("A tag that points elsewhere, or is gone, fails verification")
  func tags() async throws {
    let first = try create(at: "2026-11-01T04:00:00Z").backup
    try folder.write("two\n", to: "etc/more/a.conf")
    let second = try create(at: "2026-11-02T04:00:00Z").backup
    let tags = "\(vault)/refs/tags/backup/conf"
    let old = try String(contentsOfFile: "\(tags)/\(first.name)", encoding: .utf8)
    try old.write(toFile: "\(tags)/\(second.name)", atomically: true, encoding: .utf8)
    let moved = try await run("backup.verify", members([identity]))
    #expect(moved.objection?.finding.code == "backup.damaged", "\(moved)")
    #expect(moved.objection?.finding.message.contains("points to the commit") == true)
    #expect(moved.output["damaged"] == .list([.string("conf/\(second.name)")]))
    try FileManager.default.removeItem(atPath: "\(tags)/\(second.name)")
    let gone = try await run("backup.verify", members([identity]))
    #expect(gone.objection?.finding.message.contains("is missing") == true, "\(gone)")
  }

  @Test("Freshness counts from when the set was last found equal, never from an incomplete backup")
  func freshness() async throws {
    #expect(try await outcome("backup.freshness").code == "backup.noVault")
    let now = try #require(Timestamp(seconds: Int64(Date().timeIntervalSince1970), nanoseconds: 0))
    func ago(_ hours: Int64) throws -> String { try #require(now.earlier(by: .seconds(hours * 3600))).description }
    try create(at: try ago(100))
    let within = Value.Member("within", .duration(.seconds(50 * 3600)))
    #expect(try await outcome("backup.freshness", within).code == "backup.stale")
    // Nothing changed: nothing is committed, and it counts.
    #expect(try create(at: try ago(10)).isNew == false)
    let fresh = try await run("backup.freshness", members([within]))
    #expect(fresh.objection == nil, "\(fresh)")
    guard case .duration(let age) = fresh.output["age"] else { return #expect(Bool(false)) }
    #expect(age > .seconds(9 * 3600) && age < .seconds(11 * 3600))
    try create(at: try ago(1), paths: ["etc", "missing"])
    let incomplete = try await run("backup.freshness", members([within]))
    #expect(incomplete.objection?.finding.code == "backup.incomplete" && incomplete.objection?.severity == .warn)
    #expect(incomplete.output["age"] != .duration(.zero) && incomplete.output["created"] == fresh.output["created"])
  }

  @Test("A spot check tells what changed since from what differs though nothing touched it")
  func spotCheck() async throws {
    // In the past, so that files count as touched only if they are.
    try create(at: "2026-11-01T04:00:00Z")
    let keyFile = Value.Member("keyFile", .string(key))
    #expect(try await outcome("backup.spotCheck").code == "backup.noKey")
    for way in [keyFile, identity] {
      let same = try await run("backup.spotCheck", members([way]))
      #expect(same.objection == nil && same.output["same"] == .int(2), "\(same)")
    }
    try folder.write("listening-port=3479\n", to: "etc/turnserver.conf")
    try FileManager.default.removeItem(atPath: "\(root)/etc/more/a.conf")
    let changed = try await run("backup.spotCheck", members([keyFile]))
    #expect(changed.objection == nil)
    #expect(changed.output["changedSince"] == text("\(root)/etc/turnserver.conf"))
    #expect(changed.output["gone"] == text("\(root)/etc/more/a.conf"))
    // A backup from the future: what is on the disk was not touched since it was made.
    try create(at: "2126-11-01T04:00:00Z")
    try folder.write("listening-port=3480\n", to: "etc/turnserver.conf")
    let wrong = try await run("backup.spotCheck", members([keyFile]))
    #expect(wrong.objection?.finding.code == "backup.differs", "\(wrong)")
  }

  @Test("A difference names files and lines, with nothing decrypted")
  func diff() async throws {
    try create(at: "2026-11-01T04:00:00Z")
    #expect(try await outcome("backup.diff").code == "backup.none")
    try folder.write("listening-port=3479\n", to: "etc/turnserver.conf", mode: 0o640)
    try folder.write("new\n", to: "etc/more/b.conf")
    try FileManager.default.removeItem(atPath: "\(root)/etc/more/a.conf")
    try create(at: "2026-11-02T04:00:00Z")
    let diff = try await run("backup.diff", members([]))
    #expect(diff.output["same"] == .bool(false))
    #expect(diff.output["added"] == text("\(root)/etc/more/b.conf"))
    #expect(diff.output["removed"] == text("\(root)/etc/more/a.conf"))
    #expect(diff.output["changed"] == text("\(root)/etc/turnserver.conf"))
    guard case .list(let lines) = diff.output["lines"] else { return #expect(Bool(false)) }
    #expect(lines.contains(.string("-listening-port=3478")) && lines.contains(.string("+listening-port=3479")))
  }
}
