package import ArgumentParser

/// `runbook backup`.
package struct BackupCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Verify, compare and restore the backups in the vault.",
    discussion: """
      docs/vault.md says what a vault holds, and how to read it without this tool.

        runbook backup verify --identity operations.key
        runbook backup restore coturn-config --to /srv/restored --identity operations.key
      """,
    subcommands: [BackupVerifyCommand.self, BackupRestoreCommand.self, BackupDiffCommand.self])

  package init() {}
}
