/// Where a project keeps its backups: `vault` of `runbook.yaml`.
package struct VaultSettings: Hashable, Sendable {
  /// The bare git repository, absolute.
  package var path: String
  /// The file with the key under which files are compared without their content being told: outside git, readable to its owner
  /// alone. It is made when it is first needed.
  package var keyFile: String
  /// The sets of `backups/`, by name.
  package var sets: [String: BackupSet]

  package init(path: String, keyFile: String, sets: [String: BackupSet]) {
    self.path = path
    self.keyFile = keyFile
    self.sets = sets
  }
}
