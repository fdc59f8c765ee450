import Backups
import Journal
import Processes
import Schema
package import Steps
import Vault

/// Removes what the retention of a set does not keep.
package struct BackupPrune: StepModule {
  package struct Input: Hashable, Sendable {
    package var set: String
    package var remove: Bool
  }

  package struct Output: Hashable, Sendable {
    package var kept: [String]
    package var removed: [String]
    package var done: Bool
    package var history: [String]
    package var historyBytes: Int
  }

  package static let declaration = ModuleDeclaration(
    "backup.prune", "Takes the backups of a set that its `keep` does not keep off its branch.",
    discussion: """
      Without `remove: true` nothing is changed, and `removed` is what would go. A backup stays if one of the rules names it. The
      newest, and the newest with nothing missing, always stay.

      What goes is removed by a commit: git's history still holds it, and `history` names all that it holds besides the backups that
      stay. Nothing is freed on the disk. `runbook backup prune SET --free-history --yes` does that, by hand.
      """,
    effect: .change, repetition: .idempotent, judges: false, services: [.vault], deadline: .seconds(120),
    input: Record(
      Input.init, Field("set", \.set, .string, "The set; its `keep` has the rules."),
      Field(
        "remove", \.remove, .bool, default: false, "Whether to remove anything; else it is only told what would go.")
    ),
    output: Record(
      Output.init,
      Field("kept", \.kept, .list(.string), "Backups that stay, newest first, each with the reason: `NAME: REASON`."),
      Field("removed", \.removed, .list(.string), "Backups that were removed, or would be."),
      Field("done", \.done, .bool, "Whether they were removed."),
      Field("history", \.history, .list(.string), "Pruned backups that git's history still holds, newest first."),
      Field("historyBytes", \.historyBytes, .byteSize, "What their archives have together.")
    ),
    examples: [
      .init(
        "Old backups are gone, the last good one is not", with: "set: coturn-config\nremove: true",
        expect: ["output.kept.size() > 0"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let settings = try context.vault()
    guard let retention = try context.backupSet(input.set).retention else {
      throw .notStarted(
        "backup.noRetention", "the set \(input.set) does not say which backups are kept, so all are",
        advice: "Write `keep: {last: 3, monthly: 12}` into its file in `backups/`.")
    }
    return try await VaultWork.run { checkpoint in
      let plan: PrunePlan
      if input.remove {
        plan = try VaultRepository.prune(
          input.set, in: settings.path, host: hostName(), at: Moment.now().wall, by: { PrunePlan($0, by: retention) },
          checkpoint: { () throws(VaultError) in
            do { try checkpoint() } catch {
              throw VaultError(.interrupted, "the work was to end before anything was removed")
            }
          })
      } else {
        plan = PrunePlan(try VaultRepository(opening: settings.path).backups(of: input.set), by: retention)
      }
      guard !plan.lines.isEmpty else {
        throw StepError.failed(
          "backup.none", "the vault has no backup of the set \(input.set)", advice: "Make one with `backup.create`.")
      }
      let history = try VaultRepository(opening: settings.path).pruned(of: input.set)
      return .done(
        Output(
          kept: plan.lines.filter(\.isKept).map { "\($0.backup.name): \($0.reasons.joined(separator: ", "))" },
          removed: plan.removed.map(\.name), done: input.remove, history: history.map(\.name),
          historyBytes: history.reduce(0) { $0 + $1.archiveSize }))
    }
  }
}
