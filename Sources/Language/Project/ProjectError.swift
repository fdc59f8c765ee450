/// Why there is no project to work in.
package struct ProjectError: Error, Hashable, Sendable {
  /// Stable: `project-not-found`, `project-unreadable`.
  package var code: String
  package var message: String
  /// What to do about it.
  package var advice: String
}
