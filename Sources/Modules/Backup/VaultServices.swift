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
    if try vault().faultySets.contains(name) {
      throw .notStarted(
        "backup.unknownSet", "the backup set \(name) has faults, so that nothing can be done with it",
        advice: "`runbook validate` names them.")
    }
    let names = sets.keys.sorted().joined(separator: ", ")
    throw .notStarted(
      "backup.unknownSet", "there is no backup set \(name)",
      advice: names.isEmpty
        ? "Write `backups/\(name).yaml`, and check it with `runbook validate`." : "There is: \(names)")
  }
}
