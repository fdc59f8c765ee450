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
      its newest backup. The archive of each backup is read to its end, without a key: one that is cut off, altered or gone is \
      listed as lost; exit code 1 then.

        runbook backup list
        runbook backup list coturn-config --format json
      """)

  @Argument(help: "Only those of this set.") var set: String?
  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var place: VaultOptions

  package init() {}

  package func run() throws {
    let path = try place.path()
    do throws(VaultError) {
      let vault = try VaultRepository(opening: path)
      var sets = try vault.sets()
      if let set {
        guard sets.contains(set) else {
          throw VaultError(.unknownBackup, "the vault \(path) has no backup of the set \(set)")
        }
        sets = [set]
      }
      var lists: [Listed] = []
      for set in sets {
        lists.append(Listed(set: set, content: try vault.wholeContent(of: set), check: try vault.lastCheck(of: set)))
      }
      switch format {
      case .text: Terminal.standardOutput.write(Self.text(lists))
      case .json: Terminal.standardOutput.write(Self.json(lists).text(.indented) + "\n")
      }
      let damaged = lists.filter { !$0.content.lost.isEmpty }
      guard damaged.isEmpty else {
        let count = damaged.reduce(0) { $0 + $1.content.lost.count }
        throw VaultError(
          .damaged,
          "\(count) \(count == 1 ? "backup is" : "backups are") damaged and cannot be restored: what is listed as lost",
          advice: damaged.map(Self.advice).joined(separator: "\n"))
      }
    } catch { throw CommandFailure(error) }
  }

  /// What to do for a set of which something is lost.
  private static func advice(for list: Listed) -> String {
    let set = terminalSafe(list.set)
    guard let good = list.content.backups.first(where: \.isComplete) else {
      return
        "\(set) has no good backup left here: look for one in another copy of the vault, and make a new one (backup.create); then look at the disk"
    }
    return
      "the newest good backup of \(set) is \(good.name): runbook backup restore \(set) --backup \(good.name) --to DIR --identity FILE; make a new one (backup.create), and look at the disk"
  }

  private struct Listed {
    let set: String
    let content: SetContent
    let check: VaultCheck?
  }

  private static func text(_ lists: [Listed]) -> String {
    var text = ""
    for list in lists {
      let (set, backups, check) = (list.set, list.content.backups, list.check)
      text += "\(terminalSafe(set)): \(backups.count) \(backups.count == 1 ? "backup" : "backups")"
      if !list.content.lost.isEmpty { text += ", \(list.content.lost.count) lost" }
      text += check.map { ", checked \($0.checked)" } ?? ", never read with nothing missing"
      let rows = backups.flatMap { backup in
        [
          [
            "  \(terminalSafe(backup.name))", backup.isComplete ? "complete" : "incomplete",
            "\(backup.manifest.fileCount) \(backup.manifest.fileCount == 1 ? "file" : "files")",
            sizeText(backup.manifest.contentSize),
            "encrypted \(sizeText(backup.archiveSize))", terminalSafe(backup.manifest.host),
          ]
        ] + backup.manifest.incomplete.map { ["    missing: \(terminalSafe($0.text))"] }
      }
      text += "\n" + columns(rows)
      for lost in list.content.lost {
        text += "  \(terminalSafe(lost.name))  lost: \(terminalSafe(lost.error.message))\n"
      }
    }
    return text.isEmpty ? "the vault holds no backup\n" : text
  }

  private static func json(_ lists: [Listed]) -> JSON {
    [
      "schema": "runbook.backups/1",
      "sets": .array(
        lists.map { list in
          [
            "set": .string(list.set), "checked": list.check.map { .string($0.checked.description) } ?? .null,
            "backups": .array(list.content.backups.map(\.json)),
            "lost": .array(
              list.content.lost.map { ["name": .string($0.name), "reason": .string($0.error.message)] }),
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
      case .damaged: .failed
      default: .error
      }
    self.init(status, error.message, advice: error.advice)
  }
}
