/// Why there is no project to work in.
package struct ProjectError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// None was named, and none is there.
    case notFound
    /// The folder that was named, by an option or `RUNBOOK_PROJECT`, is none.
    case notAProject
  }

  package var kind: Kind
  package var message: String
  /// What to do about it.
  package var advice: String
}
