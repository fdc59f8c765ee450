import Backups
package import Journal
import Schema
package import Steps
import Vault

/// What changed from one backup to another, or since.
package struct BackupDiff: StepModule {
  package struct Input: Hashable, Sendable {
    package var vault: String?
    package var set: String
    package var from: String?
    package var to: String?
    package var live: Bool
    package var lines: Int
  }

  package struct Output: Hashable, Sendable {
    package var from: String
    package var to: String?
    package var added: [String]
    package var removed: [String]
    package var changed: [String]
    package var attributesChanged: [String]
    package var lines: [String]
    package var linesLeftOut: Int
    package var missing: [String]
    package var same: Bool
  }

  package static let declaration = ModuleDeclaration(
    "backup.diff", "Tells what changed from one backup of a set to another, or to what this host has now.",
    discussion: """
      Nothing is decrypted, and no identity is needed: files are compared by the digests beside the archives, which are made
      under the host's own key, and lines of configuration as they stand there, with an HMAC in the place of everything that may
      be secret. A password that changed shows as another HMAC; what it was and is, nobody learns.

      Without names it compares the newest two backups. With `live: true` it reads the set as `backup.create` does, its commands
      included, writes nothing, and tells what changed on this host since the newest backup, or since `from`. The host's key is needed for
      that: it runs where the backups are made.
      """,
    effect: .observe, judges: false, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("vault", \.vault, .optional(.path), "The vault; the project's, if not given."),
      Field("set", \.set, .string, "The set."),
      Field("from", \.from, .optional(.string), "The older backup; the one before `to`, if not given."),
      Field("to", \.to, .optional(.string), "The newer backup; the newest, if not given."),
      Field(
        "live", \.live, .bool, default: false, "Whether to compare with the files of this host, and not with `to`."),
      Field("lines", \.lines, .int.within(0...10_000), default: 200, "How many changed lines of configuration to show.")
    ),
    output: Record(
      Output.init,
      Field("from", \.from, .string, "The older backup."),
      Field("to", \.to, .optional(.string), "The newer backup; absent if it is this host as it is now."),
      Field("added", \.added, .list(.string), "What only the newer one has."),
      Field("removed", \.removed, .list(.string), "What only the older one has."),
      Field("changed", \.changed, .list(.string), "What has another content."),
      Field("attributesChanged", \.attributesChanged, .list(.string), "What has only another mode or owner."),
      Field("lines", \.lines, .list(.string), "Lines of configuration that changed, with - and + before them."),
      Field("linesLeftOut", \.linesLeftOut, .int, "How many more there are."),
      Field("missing", \.missing, .list(.string), "What the newer one lacks, and why."),
      Field("same", \.same, .bool, "Whether nothing changed.")
    ),
    examples: [
      .init(
        "Nothing changed since the backup before",
        with: "set: coturn-config", expect: ["output.same"]),
      .init(
        "Nobody changed the configuration since the newest backup",
        with: "set: coturn-config\nlive: true", expect: ["output.same"]),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.live, input.to != nil else { return nil }
    return Finding(
      "backup.twoEnds", "`live` and `to` both say what to compare with", advice: "Give `from` and one of both.")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    let path = try context.vaultPath(input.vault)
    guard input.live else {
      return try await VaultWork.run { _ in try Self.compare(input, try VaultRepository(opening: path)) }
    }
    let settings = try context.vault()
    let set = try context.backupSet(input.set)
    // Whoever only reads makes no key.
    _ = try VaultWork.hostDigest(settings.keyFile)
    let outputs = try await BackupCreate.outputs(of: set, in: context)
    return try await VaultWork.run { checkpoint in
      let vault = try VaultRepository(opening: path)
      let older =
        try input.from.map { name in try vault.backup(name, of: input.set) } ?? newest(of: input.set, in: vault)
      let key = try ContentKey(file: settings.keyFile)
      let now = try withoutActuallyEscaping(checkpoint) { checkpoint in
        try BackupCreate.creation(of: set, outputs, settings, key, checkpoint).look()
      }
      return .done(
        Self.output(
          from: older, to: nil, now.manifest,
          VaultRepository.changedLines(from: try vault.redactedLines(of: older), to: now.redacted), input.lines))
    }
  }

  private static func compare(_ input: Input, _ vault: borrowing VaultRepository) throws -> StepResult<Output> {
    let newer = try input.to.map { name in try vault.backup(name, of: input.set) } ?? newest(of: input.set, in: vault)
    let older: Backup
    if let from = input.from {
      older = try vault.backup(from, of: input.set)
    } else {
      // In the order of their commits. One that was pruned is before all that are kept and have a later name.
      let all = try vault.backups(of: input.set)
      let before =
        all.firstIndex { $0.name == newer.name }.map { all[($0 + 1)...].first }
        ?? all.first {
          $0.created < newer.created
        }
      guard let before else {
        throw StepError.failed(
          "backup.none", "the set \(input.set) has no backup before \(newer.name)",
          advice: "The first backup of a set has none to be compared with. `runbook backup list` tells what there is."
        )
      }
      older = before
    }
    return .done(
      output(
        from: older, to: newer.name, newer.manifest, try vault.changedLines(from: older, to: newer), input.lines))
  }

  private static func output(
    from older: Backup, to name: String?, _ newer: BackupManifest, _ lines: [String], _ limit: Int
  ) -> Output {
    let difference = BackupDifference(from: older.manifest, to: newer)
    return Output(
      from: older.name, to: name, added: difference.added, removed: difference.removed, changed: difference.changed,
      attributesChanged: difference.attributesChanged, lines: Array(lines.prefix(limit)),
      linesLeftOut: max(0, lines.count - limit), missing: newer.incomplete.map(\.text),
      same: difference.isEmpty && lines.isEmpty)
  }
}

private func newest(of set: String, in vault: borrowing VaultRepository) throws -> Backup {
  if let newest = try vault.backups(of: set).first { return newest }
  throw StepError.failed(
    "backup.none", "the vault has no backup of the set \(set)", advice: "`runbook backup list` tells what it has.")
}
