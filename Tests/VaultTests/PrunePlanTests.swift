import Backups
import Git
import Schema
import TestSupport
import Testing

@testable import Vault

@Suite("Which backups stay")
struct PrunePlanTests {
  private static func backup(_ time: String, isComplete: Bool = true) throws -> Backup {
    let created = try #require(Timestamp(time))
    let manifest = BackupManifest(
      set: "s", host: "h", created: created, digests: .hmacSHA256, members: [],
      incomplete: isComplete ? [] : [.init(path: [0x2F], reason: "x")])
    let vault = try VaultCase()
    _ = try vault.create()
    let any = try VaultRepository(opening: vault.vaultPath).backups(of: "conf")[0].archive
    return Backup(name: time, set: "s", manifest: manifest, archive: any)
  }

  private static func kept(_ times: [String], _ retention: BackupRetention, incomplete: Set<String> = []) throws
    -> [String]
  {
    let backups = try times.map { try backup($0, isComplete: !incomplete.contains($0)) }
    return PrunePlan(backups, by: retention).lines.filter(\.isKept).map(\.backup.name)
  }

  @Test("Months are those of UTC, and the newest of each stands for it")
  func months() throws {
    let times = [
      "2026-03-15T00:00:00Z", "2026-03-01T00:30:00Z", "2026-02-28T23:30:00Z", "2026-02-01T00:00:00Z",
      "2026-01-31T23:59:59Z",
    ]
    #expect(try Self.kept(times, .init(monthly: 2)) == [times[0], times[2]])
    #expect(try Self.kept(times, .init(monthly: 9)) == [times[0], times[2], times[4]])
  }

  @Test("Weeks begin on Monday, in UTC, over the end of a year too")
  func weeks() throws {
    // 2026-12-28 and 2027-01-04 are Mondays.
    let times = ["2027-01-04T00:00:00Z", "2027-01-03T23:59:59Z", "2026-12-28T00:00:00Z", "2026-12-27T23:59:59Z"]
    #expect(try Self.kept(times, .init(weekly: 9)) == [times[0], times[1], times[3]])
  }

  @Test("Rules add up, and say why")
  func reasons() throws {
    let times = ["2026-03-02T12:00:00Z", "2026-03-02T11:00:00Z", "2026-03-01T11:00:00Z", "2026-02-01T11:00:00Z"]
    let plan = PrunePlan(try times.map { try Self.backup($0) }, by: .init(last: 1, daily: 2))
    #expect(
      plan.lines.map(\.reasons) == [
        ["one of the newest 1", "the newest of the day 2026-03-02"], [], ["the newest of the day 2026-03-01"], [],
      ])
    #expect(plan.removed.map(\.name) == [times[1], times[3]])
  }

  @Test("The newest with nothing missing never goes, and stands for its day before a newer one that lacks something")
  func lastGood() throws {
    let times = ["2026-03-02T12:00:00Z", "2026-03-01T12:00:00Z", "2026-02-01T12:00:00Z", "2026-02-01T11:00:00Z"]
    #expect(try Self.kept(times, .init(last: 1), incomplete: Set(times.prefix(2))) == [times[0], times[2]])
    #expect(try Self.kept(times, .init(daily: 3), incomplete: [times[2]]) == [times[0], times[1], times[3]])
  }

  @Test("Pruning is a commit: history still holds what went, and its tag leads there")
  func prune() async throws {
    let vault = try VaultCase()
    var names: [String] = []
    for number in 0..<4 {
      try vault.folder.write("\(number)\n", to: "etc/more/a.conf")
      names.append(try vault.create().backup.name)
      try vault.later(by: 86_400)
    }
    let plan = try VaultRepository.prune(
      "conf", in: vault.vaultPath, host: "turn1", at: vault.time, by: { PrunePlan($0, by: .init(last: 2)) },
      checkpoint: {})
    #expect(plan.removed.map(\.name) == [names[1], names[0]])
    let repository = try VaultRepository(opening: vault.vaultPath)
    #expect(try repository.backups(of: "conf").map(\.name) == [names[3], names[2]])
    #expect(try repository.pruned(of: "conf").map(\.name) == [names[1], names[0]])
    #expect(try await vault.git("log", "-1", "--format=%B", "backup/conf").contains("Backup-Pruned: \(names[0])\n"))
    #expect(try await vault.git("rev-list", "--count", "backup/conf") == "5\n")
    let first = try repository.backup(names[0], of: "conf")
    #expect(
      try await vault.shell(
        "git -C \(vault.vaultPath) show backup/conf/\(names[0]):\(names[0]).tar.zst.age | sha256sum"
      ).hasPrefix(first.manifest.archive?.sha256 ?? "none"))
    try await vault.git("fsck", "--full", "--strict")
    #expect(try !vault.create().isNew)
  }
}
