/// A place in a source file: one line, from a column up to (not including) another, counted from 1 in Unicode scalars.
package struct SourceRange: Hashable, Sendable {
  /// The file's path as the user would name it, relative to the project where it lies inside.
  package var file: String
  package var line: Int
  package var column: Int
  package var endColumn: Int

  package init(file: String, line: Int, column: Int, endColumn: Int? = nil) {
    self.file = file
    self.line = line
    self.column = column
    self.endColumn = max(endColumn ?? column + 1, column + 1)
  }
}
