import Backups
import Journal
import Schema
import Steps
import Vault

extension StepContext {
  /// The project's vault. The declaration of the module names the service, so that it is there.
  func vault() throws(StepError) -> VaultSettings {
    guard let vault = services.vault else {
      throw .notStarted(
        "backup.noVault", "this project keeps no backups",
        advice: "Name a vault, or write a set: a file `backups/NAME.yaml`. See docs/vault.md.")
    }
    return vault
  }

  /// The vault's folder: what a step names, or the project's.
  func vaultPath(_ given: String?) throws(StepError) -> String {
    if let given { return given }
    return try vault().path
  }

  /// A set of the vault by its name.
  func backupSet(_ name: String) throws(StepError) -> BackupSet {
    let sets = try vault().sets
    if let set = sets[name] { return set }
    let names = sets.keys.sorted().joined(separator: ", ")
    throw .notStarted(
      "backup.unknownSet", "there is no backup set \(name) that can be read",
      advice: names.isEmpty
        ? "Write `backups/\(name).yaml`, and check it with `runbook validate`." : "There is: \(names)")
  }
}

extension VaultError {
  /// As the result of a step.
  var stepError: StepError {
    let code =
      switch kind {
      case .missing: "backup.noVault"
      case .foreignOwner: "backup.foreignOwner"
      case .locked: "backup.locked"
      case .busy: "backup.busy"
      case .foreignCommit: "backup.foreignCommit"
      case .unknownBackup: "backup.notFound"
      case .damaged: "backup.damaged"
      case .full: "backup.noSpace"
      case .tooLarge: "backup.tooLarge"
      case .tooFewRecipients: "backup.tooFewRecipients"
      case .interrupted: "backup.interrupted"
      case .other: "backup.failed"
      }
    let finding = Finding(code, message, advice: advice.map { $0.prefix(1).uppercased() + $0.dropFirst() })
    let stepKind: StepError.Kind =
      switch kind {
      case .tooLarge, .tooFewRecipients, .foreignCommit, .damaged: .failed
      case .interrupted: .interrupted
      default: .broken
      }
    return StepError(stepKind, finding)
  }
}
