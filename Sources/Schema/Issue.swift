/// One problem of a document, found before anything runs.
package struct Issue: Error, Hashable, Sendable {
  package enum Severity: String, Hashable, Sendable, CaseIterable {
    case error
    case warning
  }

  package var severity: Severity
  /// Stable and lower case with hyphens, so that tools can match it: `unknown-field`.
  package var code: String
  /// What is wrong, on what, and why, in one sentence without a full stop.
  package var message: String
  /// The name that most likely belongs at ``range``, if one is known. Whoever puts it there reads it here: the wording of the
  /// texts may change.
  package var meant: String?
  /// What to do, as a sentence without a full stop, if that is known.
  package var suggestion: String?
  package var range: SourceRange

  /// - Parameters:
  ///   - suggestion: what to do; of no use if `meant` is known, which is then asked about.
  package init(
    _ severity: Severity = .error, _ code: String, _ message: String, at range: SourceRange, meant: String? = nil,
    suggestion: String? = nil
  ) {
    self.severity = severity
    self.code = code
    self.message = message
    self.meant = meant
    self.suggestion = meant.map(didYouMean) ?? suggestion
    self.range = range
  }

  /// The shape that `validate --format json` documents: file, line, column, endColumn, severity, code, message, meant,
  /// suggestion.
  package var json: JSON {
    [
      "file": .string(range.file), "line": .int(Int64(range.line)), "column": .int(Int64(range.column)),
      "endColumn": .int(Int64(range.endColumn)), "severity": .string(severity.rawValue), "code": .string(code),
      "message": .string(message), "meant": meant.map(JSON.string) ?? .null,
      "suggestion": suggestion.map(JSON.string) ?? .null,
    ]
  }
}

/// All problems of one pass, in the order of the source.
package struct Issues: Error, Hashable, Sendable {
  package var all: [Issue]

  package init(_ all: [Issue]) { self.all = all }
}

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
