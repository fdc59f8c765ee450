import Language
import Schema
import Testing

@Suite("DiagnosticText")
struct DiagnosticTextTests {
  private static let source = "runbook: a\ntitel: \u{1B}[31mred\nx:\t\tyy\n" + String(repeating: "z", count: 500)

  private func text(_ issues: [Schema.Issue], colour: Bool = false) -> String {
    DiagnosticText(usesColour: colour) { $0 == "a.yaml" ? Array(Self.source.utf8) : nil }.text(issues)
  }

  private func issue(_ line: Int, _ column: Int, _ end: Int, file: String = "a.yaml") -> Schema.Issue {
    Schema.Issue(
      .error, "unknown-key", "a runbook has no key \"titel\"",
      at: SourceRange(file: file, line: line, column: column, endColumn: end), suggestion: "did you mean \"title\"?")
  }

  @Test("An issue shows its place, its line with what is meant underlined, and what to write instead")
  func plain() {
    #expect(
      text([issue(1, 1, 8)]) == """
        a.yaml:1:1: error: a runbook has no key "titel" [unknown-key]
         1 | runbook: a
           | ^~~~~~~
           help: did you mean "title"?
        1 error

        """)
  }

  @Test("Characters that move a terminal's cursor are replaced, a tab is one space")
  func control() {
    #expect(text([issue(2, 8, 12)]).contains(" 2 | titel: �[31mred\n   |        ^~~~\n"))
    #expect(text([issue(3, 5, 7)]).contains(" 3 | x:  yy\n   |     ^~\n"))
  }

  @Test("The mark stands below what it means, however wide the characters before it are")
  func wide() {
    let source = "東京: [\u{0041}\u{030A}x, 日本]\n"
    let diagnostics = DiagnosticText(usesColour: false) { _ in Array(source.utf8) }
    #expect(diagnostics.text([issue(1, 11, 13)]).contains(" 1 | 東京: [A\u{030A}x, 日本]\n   |            ^~~~\n"))
  }

  @Test("What would move the cursor in a message or a file's name is shown escaped")
  func hostile() {
    var hostile = issue(1, 1, 2, file: "a\u{1B}[2J.yaml")
    hostile.message = "no key \"\u{202E}x\""
    #expect(text([hostile]).hasPrefix("a\\u{1B}[2J.yaml:1:1: error: no key \"\\u{202E}x\" [unknown-key]"))
  }

  @Test("Of a long line the part around the place is shown")
  func long() throws {
    let lines = text([issue(4, 300, 310)]).split(separator: "\n")
    #expect(lines[1].count < 200)
    let mark = try #require(lines[2].firstIndex(of: "^"))
    #expect(lines[2].distance(from: mark, to: lines[2].endIndex) == 10)
    #expect(lines[1].count > lines[2].count)
  }

  @Test("A file that cannot be read leaves the place and the message")
  func unreadable() {
    #expect(
      text([issue(1, 1, 2, file: "b.yaml")]) == """
        b.yaml:1:1: error: a runbook has no key "titel" [unknown-key]
           help: did you mean "title"?
        1 error

        """)
  }

  @Test("An option of the command line has neither a line nor a column")
  func option() {
    #expect(
      text([issue(1, 1, 2, file: "-p slowRtt")]).hasPrefix("-p slowRtt: error: a runbook has no key \"titel\"")
    )
  }

  @Test("Colours stand around the place, the severity and the mark only")
  func colours() {
    let coloured = text([issue(1, 1, 8)], colour: true)
    #expect(coloured.hasPrefix("\u{1B}[1ma.yaml:1:1:\u{1B}[0m \u{1B}[1;31merror:\u{1B}[0m a runbook"))
    #expect(coloured.contains("\u{1B}[1;31m^~~~~~~\u{1B}[0m"))
  }

  @Test("Errors and warnings are counted in the last line")
  func counts() {
    var warning = issue(1, 1, 2)
    warning.severity = .warning
    #expect(text([issue(1, 1, 2), warning, warning]).hasSuffix("1 error, 2 warnings\n"))
    #expect(text([]) == "")
  }
}
