internal import Schema

/// Collects the problems of one pass.
final class IssueLog {
  private(set) var issues: [Issue] = []
  /// After so many nothing more is noted: nobody reads on, and a hostile file must not fill the memory.
  private static let most = 2_000

  var errorCount: Int { issues.count { $0.severity == .error } }

  var hasErrors: Bool { issues.contains { $0.severity == .error } }

  func report(_ issue: Issue) {
    if issues.count < Self.most {
      var issue = issue
      issue.message = Self.clipped(issue.message)
      issue.suggestion = issue.suggestion.map(Self.clipped)
      issues.append(issue)
    } else if issues.count == Self.most {
      let message = "there are more than \(Self.most) problems; the rest is not listed"
      issues.append(Issue(.error, "too-many-problems", message, at: issue.range))
    }
  }

  /// Messages quote what was written, which may be as long as a file.
  private static func clipped(_ text: String) -> String {
    text.utf8.count <= 500 ? text : String(text.unicodeScalars.prefix(400)) + "…"
  }

  func report(_ issues: [Issue]) { for issue in issues { report(issue) } }

  func error(
    _ code: String, _ message: String, at range: SourceRange, meant: String? = nil, suggestion: String? = nil
  ) {
    report(Issue(.error, code, message, at: range, meant: meant, suggestion: suggestion))
  }

  func warning(
    _ code: String, _ message: String, at range: SourceRange, meant: String? = nil, suggestion: String? = nil
  ) {
    report(Issue(.warning, code, message, at: range, meant: meant, suggestion: suggestion))
  }

  /// The problems by file, in the order in which files were first named, and within a file by place.
  var sorted: [Issue] {
    var order: [String: Int] = [:]
    for issue in issues where order[issue.range.file] == nil { order[issue.range.file] = order.count }
    return issues.enumerated().sorted { a, b in
      (order[a.element.range.file] ?? 0, a.element.range.line, a.element.range.column, a.offset)
        < (order[b.element.range.file] ?? 0, b.element.range.line, b.element.range.column, b.offset)
    }.map(\.element)
  }
}
