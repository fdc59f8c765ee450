import FoundationEssentials
import Testing

@testable import Journal

@Suite struct JournalReferenceTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../../docs/journal.md")

  @Test("docs/journal.md is what the declarations say; RUNBOOK_WRITE_DOCS=1 writes it anew")
  func isFresh() throws {
    if ProcessInfo.processInfo.environment["RUNBOOK_WRITE_DOCS"] == "1" {
      try Data(JournalReference.markdown().utf8).write(to: Self.file, options: .atomic)
    }
    #expect(try String(contentsOf: Self.file, encoding: .utf8) == JournalReference.markdown())
  }
}
