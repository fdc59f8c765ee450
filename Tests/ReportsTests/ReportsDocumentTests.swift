import Foundation
import Schema
import Testing

@testable import Reports

@Suite struct ReportsDocumentTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../../docs/reports.md")

  /// The document with its examples rendered anew.
  private func rendered(_ document: String) -> String {
    let examples = [
      "text": TextReportTests.text(.failing), "json": RunReport(SampleJournal.failing.run).json.text(.indented) + "\n",
    ]
    return examples.reduce(document) { document, example in
      let parts = document.split(separator: "```\(example.key)\n", maxSplits: 1, omittingEmptySubsequences: false)
      let rest = parts[1].split(separator: "```", maxSplits: 1, omittingEmptySubsequences: false)
      return parts[0] + "```\(example.key)\n" + example.value + "```" + rest[1]
    }
  }

  @Test("The examples of docs/reports.md are what is printed; RUNBOOK_WRITE_DOCS=1 writes them anew")
  func isFresh() throws {
    var document = try String(contentsOf: Self.file, encoding: .utf8)
    if ProcessInfo.processInfo.environment["RUNBOOK_WRITE_DOCS"] == "1" {
      document = rendered(document)
      try Data(document.utf8).write(to: Self.file, options: .atomic)
    }
    #expect(document == rendered(document))
  }

  @Test("docs/reports.md names every member of a report and of a step")
  func namesMembers() throws {
    let document = try String(contentsOf: Self.file, encoding: .utf8)
    let report = RunReport(SampleJournal.failing.run).json
    for json: JSON? in [report, report["steps"]?.array?.first] {
      guard case .object(let members)? = json else {
        Issue.record("no object")
        continue
      }
      for member in members { #expect(document.contains("`\(member.name)`"), "\(member.name)") }
    }
  }

  @Test("docs/reports.md names every form")
  func namesForms() throws {
    let document = try String(contentsOf: Self.file, encoding: .utf8)
    for format in ReportFormat.allCases { #expect(document.contains("\n| `\(format)` | "), "\(format)") }
  }
}
