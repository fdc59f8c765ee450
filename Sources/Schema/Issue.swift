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
  /// What to write instead, where that is known: a near name, a quoted form.
  package var suggestion: String?
  package var range: SourceRange

  package init(
    _ severity: Severity = .error, _ code: String, _ message: String, at range: SourceRange, suggestion: String? = nil
  ) {
    self.severity = severity
    self.code = code
    self.message = message
    self.suggestion = suggestion
    self.range = range
  }

  /// The shape that `validate --format json` documents: file, line, column, endColumn, severity, code, message, suggestion.
  package var json: JSON {
    [
      "file": .string(range.file), "line": .int(Int64(range.line)), "column": .int(Int64(range.column)),
      "endColumn": .int(Int64(range.endColumn)), "severity": .string(severity.rawValue), "code": .string(code),
      "message": .string(message), "suggestion": suggestion.map(JSON.string) ?? .null,
    ]
  }
}

/// All problems of one pass, in the order of the source.
package struct Issues: Error, Hashable, Sendable {
  package var all: [Issue]

  package init(_ all: [Issue]) { self.all = all }
}
