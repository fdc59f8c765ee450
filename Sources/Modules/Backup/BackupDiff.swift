import Journal
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
    package var lines: Int
  }

  package struct Output: Hashable, Sendable {
    package var from: String
    package var to: String
    package var added: [String]
    package var removed: [String]
    package var changed: [String]
    package var attributesChanged: [String]
    package var lines: [String]
    package var linesLeftOut: Int
    package var same: Bool
  }

  package static let declaration = ModuleDeclaration(
    "backup.diff", "Tells what changed from one backup of a set to another.",
    discussion: """
      Nothing is decrypted, and no identity is needed: files are compared by the digests beside the archives, which are made
      under the host's own key, and lines of configuration as they stand there, with an HMAC in the place of everything that may
      be secret. A password that changed shows as another HMAC; what it was and is, nobody learns.

      Without names it compares the newest two backups. What changed since the newest one on the host itself, `backup.spotCheck`
      tells.
      """,
    effect: .observe, judges: false, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("vault", \.vault, .optional(.path), "The vault; the project's, if not given."),
      Field("set", \.set, .string, "The set."),
      Field("from", \.from, .optional(.string), "The older backup; the one before `to`, if not given."),
      Field("to", \.to, .optional(.string), "The newer backup; the newest, if not given."),
      Field("lines", \.lines, .int.within(0...10_000), default: 200, "How many changed lines of configuration to show.")
    ),
    output: Record(
      Output.init,
      Field("from", \.from, .string, "The older backup."),
      Field("to", \.to, .string, "The newer backup."),
      Field("added", \.added, .list(.string), "What only the newer one has."),
      Field("removed", \.removed, .list(.string), "What only the older one has."),
      Field("changed", \.changed, .list(.string), "What has another content."),
      Field("attributesChanged", \.attributesChanged, .list(.string), "What has only another mode or owner."),
      Field("lines", \.lines, .list(.string), "Lines of configuration that changed, with - and + before them."),
      Field("linesLeftOut", \.linesLeftOut, .int, "How many more there are."),
      Field("same", \.same, .bool, "Whether nothing changed.")
    ),
    examples: [
      .init(
        "Nothing changed since the backup before",
        with: "set: coturn-config", expect: ["output.same"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let path = try context.vaultPath(input.vault)
    return try await VaultWork.run { _ in
      let vault = try VaultRepository(opening: path)
      let all = try vault.backups(of: input.set)
      guard let newest = all.first else {
        throw StepError.failed(
          "backup.none", "the vault has no backup of the set \(input.set)",
          advice: "`runbook backup list` tells what it has.")
      }
      let newer = try input.to.map { name in try vault.backup(name, of: input.set) } ?? newest
      let older: Backup
      if let from = input.from {
        older = try vault.backup(from, of: input.set)
      } else {
        guard let before = all.first(where: { ($0.created, $0.name) < (newer.created, newer.name) }) else {
          throw StepError.failed(
            "backup.none", "the set \(input.set) has no backup before \(newer.name)",
            advice: "The first backup of a set has none to be compared with. `runbook backup list` tells what there is."
          )
        }
        older = before
      }
      let difference = BackupDifference(from: older.manifest, to: newer.manifest)
      let lines = try vault.changedLines(from: older, to: newer)
      return .done(
        Output(
          from: older.name, to: newer.name, added: difference.added, removed: difference.removed,
          changed: difference.changed, attributesChanged: difference.attributesChanged,
          lines: Array(lines.prefix(input.lines)), linesLeftOut: max(0, lines.count - input.lines),
          same: difference.isEmpty && lines.isEmpty))
    }
  }
}
