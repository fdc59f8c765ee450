package import ArgumentParser
import Backups
import FoundationEssentials
import Language
import Schema
import TerminalText
import Vault

/// `runbook backup prune`.
package struct BackupPruneCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Remove backups of a set that its `keep` does not keep; without --yes, list them only.",
    discussion: """
      Each backup stays if one of the rules names it: the newest so many, and the newest of so many days, weeks (from Monday) \
      and months, all in UTC. The newest, and the newest with nothing missing, always stay. What goes is removed by a commit: \
      git's history still holds it, and the tag backup/SET/NAME still leads to it.

        runbook backup prune coturn-config
        runbook backup prune coturn-config --yes
      """)

  @Argument(help: "The set.") var set: String
  @Flag(help: "Remove them.") var yes = false
  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() throws {
    let project = try options.load()
    let settings = project.vaultSettings
    let declared: BackupSet
    do throws(Issues) { declared = try project.backupSet(set) } catch {
      throw Diagnostics(root: project.root).failure(error.all)
    }
    guard let retention = declared.retention else {
      throw CommandFailure(
        .invalid, "the set \(set) does not say which backups are kept, so all are",
        advice: "write `keep: {last: 3, monthly: 12}` into backups/\(set).yaml")
    }
    do throws(VaultError) {
      let plan: PrunePlan
      if yes {
        let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970), nanoseconds: 0) ?? .unixEpoch
        let end = ContinuousClock.now.advanced(by: .seconds(60))
        plan = try VaultRepository.prune(
          set, in: settings.path, host: ProcessInfo.processInfo.hostName, at: now,
          by: { PrunePlan($0, by: retention) },
          checkpoint: { () throws(VaultError) in
            if ContinuousClock.now > end { throw VaultError(.busy, "the vault is in use") }
          })
      } else {
        plan = PrunePlan(try VaultRepository(opening: settings.path).backups(of: set), by: retention)
      }
      let history = try VaultRepository(opening: settings.path).pruned(of: set)
      switch format {
      case .text: Terminal.standardOutput.write(text(plan, history))
      case .json: Terminal.standardOutput.write(json(plan, history).text(.indented) + "\n")
      }
    } catch { throw CommandFailure(error) }
  }

  private func text(_ plan: PrunePlan, _ history: [Backup]) -> String {
    var text = columns(
      plan.lines.map { line in
        [
          line.isKept ? "keep" : yes ? "removed" : "remove", terminalSafe(line.backup.name),
          sizeText(line.backup.archiveSize), line.isKept ? line.reasons.joined(separator: ", ") : "no rule keeps it",
        ]
      })
    let count = plan.removed.count
    let amount = "\(count) \(count == 1 ? "backup" : "backups")"
    text +=
      count == 0
      ? "nothing to remove\n" : yes ? "\(amount) removed\n" : "\(amount) would be removed; --yes removes them\n"
    if !history.isEmpty {
      let size = sizeText(history.reduce(0) { $0 + $1.archiveSize })
      text +=
        "git's history still holds \(history.count) pruned \(history.count == 1 ? "backup" : "backups"), \(size): nothing was freed on the disk\n"
    }
    return text
  }

  private func json(_ plan: PrunePlan, _ history: [Backup]) -> JSON {
    [
      "schema": "runbook.backup-prune/1", "set": .string(set), "done": .bool(yes),
      "backups": .array(
        plan.lines.map { line in
          [
            "name": .string(line.backup.name), "created": .string(line.backup.created.description),
            "archiveBytes": .int(Int64(line.backup.archiveSize)), "kept": .bool(line.isKept),
            "reasons": .array(line.reasons.map(JSON.string)),
          ]
        }),
      "history": .array(history.map { .string($0.name) }),
    ]
  }
}
