package import Journal

/// What a module may need beyond its input. A module names in its declaration which it needs; a project that lacks one
/// cannot use the module.
package enum Service: String, Hashable, Sendable, CaseIterable {
  /// Earlier runs.
  case history
}

/// The services of one process, made once where the program is put together and handed down as they are.
package struct Services: Sendable {
  package let history: any RunHistory

  package init(history: any RunHistory) { self.history = history }
}
