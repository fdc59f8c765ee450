package import ArgumentParser

/// `runbook backup`.
package struct BackupCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "List, verify, compare, restore and prune the backups in the vault, and make keys for them.",
    discussion: """
      What is backed up is written in `backups/SET.yaml`; the step `backup.create` of a runbook makes the backups, and \
      `runbook run monthly-config-backup` is one that ships. docs/vault.md says what a vault holds and how to read it \
      without this tool.

        runbook backup keygen operations.key
        runbook backup list
        runbook backup verify --identity operations.key
        runbook backup restore coturn-config --to /srv/restored --identity operations.key
        runbook backup prune coturn-config
      """,
    subcommands: [
      BackupListCommand.self, BackupVerifyCommand.self, BackupDiffCommand.self, BackupRestoreCommand.self,
      BackupPruneCommand.self, BackupKeygenCommand.self,
    ])

  package init() {}
}
