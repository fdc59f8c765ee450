import TerminalText
import Testing

@Suite struct EscapingTests {
  @Test(
    "Text of any script stands as it is", arguments: ["Zürich ‹secret› 日本 привет → 5 µs…", "", "a b", "A\u{030A}", "👍"])
  func scripts(text: String) {
    #expect(terminalSafe(text) == text && terminalSafeInPlace(text) == text)
  }

  @Test(
    "What would move the cursor, change colours or turn the direction of writing stands escaped",
    arguments: [
      ("a\u{1B}[31mb\n", "a\\u{1B}[31mb\\n"), ("\r\t\0", "\\r\\t\\u{0}"), ("\u{9B}2J", "\\u{9B}2J"),
      ("\u{202E}x\u{2066}", "\\u{202E}x\\u{2066}"), ("\u{200B}\u{FEFF}", "\\u{200B}\\u{FEFF}"),
      ("\u{2028}\u{85}", "\\u{2028}\\u{85}"), ("\u{E000}\u{E0041}", "\\u{E000}\\u{E0041}"), ("\r\n", "\\r\\n"),
    ])
  func escapes(text: String, safe: String) {
    #expect(terminalSafe(text) == safe)
  }

  @Test("In a line that others point into, each character keeps its place")
  func inPlace() {
    #expect(terminalSafeInPlace("a\tb\u{1B}[2Jc\u{202E}\n") == "a b\u{FFFD}[2Jc\u{FFFD}\u{FFFD}")
  }
}
