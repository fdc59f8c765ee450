package import Engine

/// What those who watch runs are told, and of which of them.
package struct RunNotice: Sendable {
  /// Id of the run.
  package let run: String
  /// Name of its target; nil where it has none, and for the parent of runs over several.
  package let target: String?
  package let notice: RunDriver.Notice
}
