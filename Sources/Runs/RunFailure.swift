package import Journal

/// A run that ended early because its journal could not be written: nothing more was done.
package struct RunFailure: Error, Hashable, Sendable {
  /// Id of the run.
  package let run: String
  /// The step that was begun last; what it did may not be recorded. Nil where none was, and for the parent of several runs.
  package let lastBegun: StepPath?
  /// What the runbook has for its end, and was not done: `undo`, `finally`.
  package let leftOut: [String]
  package let error: JournalError
}
