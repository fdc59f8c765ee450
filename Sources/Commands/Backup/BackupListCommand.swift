package import ArgumentParser
import Backups
import Language
import Reports
import Schema
import TerminalText
import Vault

/// `runbook backup list`.
package struct BackupListCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the backups in the vault, newest first.",
    discussion: """
      A backup with something missing is marked, and says what. `checked` is when the set was read last and found equal to \
      its newest backup.

        runbook backup list
        runbook backup list coturn-config --format json
      """)

  @Argument(help: "Only those of this set.") var set: String?
  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() throws {
    let settings = try options.load().vaultSettings
    do throws(VaultError) {
      let vault = try VaultRepository(opening: settings.path)
      var sets = try vault.sets()
      if let set {
        guard sets.contains(set) else {
          throw VaultError(.unknownBackup, "the vault \(settings.path) has no backup of the set \(set)")
        }
        sets = [set]
      }
      var lists: [(set: String, backups: [Backup], check: VaultCheck?)] = []
      for set in sets { lists.append((set, try vault.backups(of: set), try vault.lastCheck(of: set))) }
      switch format {
      case .text: Terminal.standardOutput.write(Self.text(lists))
      case .json: Terminal.standardOutput.write(Self.json(lists).text(.indented) + "\n")
      }
    } catch { throw CommandFailure(error) }
  }

  private static func text(_ lists: [(set: String, backups: [Backup], check: VaultCheck?)]) -> String {
    var text = ""
    for (set, backups, check) in lists {
      text += "\(terminalSafe(set)): \(backups.count) \(backups.count == 1 ? "backup" : "backups")"
      text += check.map { ", checked \($0.checked)" } ?? ", never read with nothing missing"
      let rows = backups.flatMap { backup in
        [
          [
            "  \(terminalSafe(backup.name))", backup.isComplete ? "complete" : "incomplete",
            "\(backup.manifest.fileCount) files", sizeText(backup.manifest.contentSize),
            "encrypted \(sizeText(backup.archiveSize))", terminalSafe(backup.manifest.host),
          ]
        ] + backup.manifest.incomplete.map { ["    missing: \(terminalSafe($0.text))"] }
      }
      text += "\n" + columns(rows)
    }
    return text.isEmpty ? "the vault holds no backup\n" : text
  }

  private static func json(_ lists: [(set: String, backups: [Backup], check: VaultCheck?)]) -> JSON {
    [
      "schema": "runbook.backups/1",
      "sets": .array(
        lists.map { set, backups, check in
          [
            "set": .string(set), "checked": check.map { .string($0.checked.description) } ?? .null,
            "backups": .array(backups.map(\.json)),
          ]
        }),
    ]
  }
}

extension Backup {
  /// As `runbook.backups/1` has it.
  var json: JSON {
    [
      "name": .string(name), "created": .string(created.description), "host": .string(manifest.host),
      "complete": .bool(isComplete), "incomplete": .array(manifest.incomplete.map { .string($0.text) }),
      "files": .int(Int64(manifest.fileCount)), "bytes": .int(Int64(manifest.contentSize)),
      "archiveBytes": .int(Int64(archiveSize)), "sha256": manifest.archive.map { .string($0.sha256) } ?? .null,
    ]
  }
}

extension CommandFailure {
  /// What kept a command from working with the vault.
  init(_ error: VaultError) {
    let status: ExitStatus =
      switch error.kind {
      case .missing, .unknownBackup: .invalid
      default: .error
      }
    self.init(status, error.message, advice: error.advice)
  }
}
