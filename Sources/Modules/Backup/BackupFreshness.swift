import Backups
import Journal
package import Schema
package import Steps
import Vault

/// How old the newest good backup of a set is.
package struct BackupFreshness: StepModule {
  package struct Input: Hashable, Sendable {
    package var vault: String?
    package var set: String
    package var within: Duration?
  }

  package struct Output: Hashable, Sendable {
    package var backup: String
    package var created: Timestamp
    package var current: Timestamp
    package var age: Duration
    package var files: Int
    package var size: Int
    package var newestIncomplete: String?
  }

  package static let declaration = ModuleDeclaration(
    "backup.freshness", "Tells how long ago a set was known to be backed up whole.",
    discussion: """
      That is when its newest complete backup was made, or when the set was read last and found equal to it: a backup that changes
      nothing is not committed, and counts all the same. An incomplete backup does not count.

      The archive of the newest complete backup is read to its end, without a key. If it is damaged, that fails the step, whatever
      its age; the newest one that is whole is told then.

      It fails too if there is no complete backup, if the age is more than `within`, and if the time lies in the future. It warns
      if an incomplete backup is newer than the complete one, and if git has lost an older one. Whether a backup can be decrypted
      and restored, `backup.verify` finds out.
      """,
    effect: .observe, judges: true, deadline: .seconds(120),
    input: Record(
      Input.init,
      Field("vault", \.vault, .optional(.path), "The vault; the project's, if not given."),
      Field("set", \.set, .string, "The set."),
      Field(
        "within", \.within, .optional(.duration),
        "The most that the age may be; what the set expects (`notOlderThan`), if not given.")
    ),
    output: Record(
      Output.init,
      Field("backup", \.backup, .string, "The newest complete backup that is whole."),
      Field("created", \.created, .timestamp, "When its set began to be read."),
      Field("current", \.current, .timestamp, "When the set was last known to be equal to it."),
      Field("age", \.age, .duration, "How long ago that was."),
      Field("files", \.files, .int, "How many files it has."),
      Field("size", \.size, .byteSize, "What they have together."),
      Field("newestIncomplete", \.newestIncomplete, .optional(.string), "An incomplete backup that is newer.")
    ),
    examples: [
      .init(
        "The configuration was backed up within a month",
        with: "set: coturn-config\nwithin: 32d", expect: ["output.files > 0"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let now = Moment.now().wall
    let path = try context.vaultPath(input.vault)
    let within = input.within ?? context.services.vault?.sets[input.set]?.expectations.notOlderThan
    return try await VaultWork.run { checkpoint in
      let vault = try VaultRepository(opening: path)
      let content = try vault.content(of: input.set)
      let all = content.backups
      let (whole, damaged) = try VaultWork.newestWhole(of: input.set, in: vault, checkpoint)
      guard let newest = whole else {
        if let first = damaged.first { throw first.error }
        // There is none: it says why.
        _ = try VaultWork.choose(nil, of: input.set, in: vault)
        throw VaultError(.busy, "the vault \(path) was changed while it was read")
      }
      let check = try vault.lastCheck(of: input.set)
      let current = max(newest.created, check.flatMap { $0.backup == newest.name ? $0.checked : nil } ?? newest.created)
      let incomplete = all.first.flatMap { $0.isComplete ? nil : $0 }
      let age = now.duration(since: current)
      let output = Output(
        backup: newest.name, created: newest.created, current: current, age: max(.zero, age),
        files: newest.manifest.fileCount, size: newest.manifest.contentSize, newestIncomplete: incomplete?.name)
      // A second of leeway: clocks are set.
      guard age > .seconds(-1) else {
        return .failed(
          output,
          Finding(
            "backup.timeInFuture", "the set \(input.set) was backed up in the future, at \(current.description)",
            advice: "Look at the clock of this host, and of the one that made the backup."))
      }
      let gone = content.lost.filter { $0.name > newest.name }
      if let finding = VaultWork.loss(damaged + gone, of: input.set, good: newest) { return .failed(output, finding) }
      var findings = [VaultWork.loss(content.lost, of: input.set, good: newest)].compactMap(\.self)
      if let incomplete {
        findings.append(
          Finding(
            "backup.incomplete",
            "the newest backup, \(incomplete.name), lacks \(String(incomplete.manifest.incomplete.count)) \(incomplete.manifest.incomplete.count == 1 ? "thing" : "things"), such as \(Self.first(incomplete)); the newest complete one is \(newest.name)",
            advice: "Mend what keeps it from being complete, or take the path out of the set."))
      }
      if let within, age > within {
        findings.insert(
          Finding(
            "backup.stale",
            "the set \(input.set) was last known to be backed up \(durationLiteral(age)) ago, and should be within \(durationLiteral(within))",
            advice: "Look why `backup.create` did not run, or did not end well: `runbook history`."), at: 0)
        return .failed(output, Finding.joined(findings) ?? findings[0])
      }
      return Finding.joined(findings).map { .warned(output, $0) } ?? .done(output)
    }
  }

  private static func first(_ backup: Backup) -> String {
    backup.manifest.incomplete.first.map(\.text) ?? "nothing"
  }
}
