package import ArgumentParser
import Backups
import FoundationEssentials
import Language
import Processes
import Runs
import Schema
import TerminalText
import Vault

/// `runbook backup prune`.
package struct BackupPruneCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Remove backups of a set that its `keep` does not keep; without --yes, list them only.",
    discussion: """
      Each backup stays if one of the rules names it: the newest so many, and the newest of so many days, weeks (from Monday) \
      and months, all in UTC. The newest, and the newest with nothing missing, always stay. What goes is removed by a commit: \
      git's history still holds it, and the tag backup/SET/NAME still leads to it.

      --free-history also rewrites the set's branch so that it leads to the kept backups alone, and has git remove what nothing \
      leads to any more: what was pruned cannot be had back then, and room is freed on the disk. Clones, remotes and other \
      copies of the vault still hold it. If runbook.yaml names a remote, it is refused: the remote would refuse every push after it. \
      Killed half-way, it leaves a sound vault; run it again.

        runbook backup prune coturn-config
        runbook backup prune coturn-config --yes
        runbook backup prune coturn-config --free-history --yes
      """)

  @Argument(help: "The set.") var set: String
  @Flag(help: "Remove them.") var yes = false
  @Flag(help: "Free what git's history still holds, for good.") var freeHistory = false
  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var place: VaultOptions

  package init() {}

  package func run() async throws {
    let project = try place.options.load()
    let path = try place.path()
    let declared: BackupSet
    do throws(Issues) { declared = try project.backupSet(set) } catch {
      throw Diagnostics(root: project.root).failure(error.all)
    }
    guard let retention = declared.retention else {
      throw CommandFailure(
        .invalid, "the set \(set) does not say which backups are kept, so all are",
        advice: "write `keep: {last: 3, monthly: 12}` into backups/\(set).yaml")
    }
    if freeHistory, let remote = project.vaultSettings.remote {
      throw CommandFailure(
        .invalid,
        "history is not freed while the vault has a remote: \(remote.address) holds it all, and would refuse every push after",
        advice: "take `remote` out of runbook.yaml, free the history, and name a remote that is empty")
    }
    // Held to the end: a git that is at work must not go on without the vault's lock.
    let signals = EndingSignals()
    defer { withExtendedLifetime(signals) {} }
    var freed: FreedHistory?
    do throws(VaultError) {
      let plan: PrunePlan
      if yes {
        let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970), nanoseconds: 0) ?? .unixEpoch
        plan = try VaultRepository.prune(
          set, in: path, host: hostName(), at: now, by: { PrunePlan($0, by: retention) },
          checkpoint: Self.patience(signals))
        if freeHistory {
          freed = try await FreedHistory(of: set, in: path, signals: signals, checkpoint: Self.patience(signals))
        }
      } else {
        plan = PrunePlan(try VaultRepository(opening: path).backups(of: set), by: retention)
      }
      let history = try VaultRepository(opening: path).pruned(of: set)
      switch format {
      case .text: Terminal.standardOutput.write(text(plan, history, freed))
      case .json: Terminal.standardOutput.write(json(plan, history, freed).text(.indented) + "\n")
      }
    } catch {
      if error.kind == .interrupted, let number = signals.first {
        throw CommandFailure(.signalled(number), error.message, advice: error.advice)
      }
      throw CommandFailure(error)
    }
    if let held = freed?.held, !held.isEmpty {
      throw CommandFailure(
        .error, "git still holds what was pruned: \(held.map(\.name).joined(separator: ", "))",
        advice: "another branch, a stash or a pack with a .keep file holds it; remove that, and run it again:\n"
          + held.map { "git --git-dir=\(path) for-each-ref --contains \($0.commitText)\n" }.joined()
          + "ls \(path)/objects/pack/*.keep",
        isAfterOutput: true)
    }
  }

  private static func patience(_ signals: EndingSignals) -> () throws(VaultError) -> Void {
    let end = ContinuousClock.now.advanced(by: .seconds(60))
    return { () throws(VaultError) in
      if signals.first != nil { throw VaultError(.interrupted, "it was interrupted") }
      if ContinuousClock.now > end { throw VaultError(.busy, "the vault is in use") }
    }
  }

  private func text(_ plan: PrunePlan, _ history: [Backup], _ freed: FreedHistory?) -> String {
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
    if let freed {
      let count = freed.backups.count - freed.held.count
      text +=
        "the set's branch leads to the kept backups alone: \(count) pruned \(count == 1 ? "backup is" : "backups are") gone, and \(sizeText(freed.bytes)) freed\n"
      text += "clones, remotes and other copies of the vault still hold what they had\n"
    }
    return text
  }

  private func json(_ plan: PrunePlan, _ history: [Backup], _ freed: FreedHistory?) -> JSON {
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
      "freed": freed.map(Self.freedJSON) ?? .null,
    ]
  }

  private static func freedJSON(_ freed: FreedHistory) -> JSON {
    [
      "backups": .array(freed.backups.map(JSON.string)), "held": .array(freed.held.map { .string($0.name) }),
      "bytes": .int(Int64(freed.bytes)),
    ]
  }
}
