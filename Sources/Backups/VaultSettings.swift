/// Where a project keeps its backups: `vault` of `runbook.yaml`.
package struct VaultSettings: Hashable, Sendable {
  /// The bare git repository, absolute.
  package var path: String
  /// The file with the key under which files are compared without their content being told: outside git, readable to its owner
  /// alone. It is made when it is first needed.
  package var keyFile: String
  /// The sets of `backups/`, by name.
  package var sets: [String: BackupSet]
  /// Documents of `backups/` that have faults, by name.
  package var faultySets: [String]
  /// Where backups are pushed to; nil if they stay on this host.
  package var remote: VaultRemote?

  package init(
    path: String, keyFile: String, sets: [String: BackupSet], faultySets: [String] = [], remote: VaultRemote? = nil
  ) {
    self.path = path
    self.keyFile = keyFile
    self.sets = sets
    self.faultySets = faultySets
    self.remote = remote
  }
}
