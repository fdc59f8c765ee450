package import Backups
package import Journal

/// What a module may need beyond its input. A module names in its declaration which it needs; a project that lacks one
/// cannot use the module.
package enum Service: String, Hashable, Sendable, CaseIterable {
  /// Earlier runs.
  case history
  /// The vault and the sets that are backed up in it.
  case vault
}

/// The services of one process, made once where the program is put together and handed down as they are.
package struct Services: Sendable {
  package let history: any RunHistory
  /// Nil where there is no project, or none with backups.
  package let vault: VaultSettings?

  package init(history: any RunHistory, vault: VaultSettings? = nil) {
    self.history = history
    self.vault = vault
  }
}
