import Glibc
import TerminalText
import Testing

@Suite struct TerminalLookTests {
  /// A terminal of 100 columns that nobody reads from, and a pipe.
  private func withOutputs(_ body: (_ terminal: CInt, _ pipe: CInt) throws -> Void) throws {
    var size = winsize()
    size.ws_col = 100
    var (outer, inner): (CInt, CInt) = (-1, -1)
    try #require(openpty(&outer, &inner, nil, nil, &size) == 0)
    defer { for end in [outer, inner] { close(end) } }
    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    try body(inner, ends[1])
  }

  @Test("A terminal shows colours in its own width; a pipe neither")
  func outputs() throws {
    try withOutputs { terminal, pipe in
      let shown = TerminalLook(of: terminal) { _ in nil }
      #expect(shown.isInteractive && shown.hasColor && shown.isRedrawable)
      #expect(shown.width == 100 && shown.pageWidth == 100)
      let piped = TerminalLook(of: pipe) { $0 == "TERM" ? "xterm" : nil }
      #expect(!piped.isInteractive && !piped.hasColor && !piped.isRedrawable)
      #expect(piped.width == 80 && piped.pageWidth == 80)
    }
  }

  @Test("NO_COLOR and a dumb terminal have no colours", arguments: [("NO_COLOR", "1", true), ("TERM", "dumb", false)])
  func noColor(name: String, value: String, isRedrawable: Bool) throws {
    try withOutputs { terminal, _ in
      let look = TerminalLook(of: terminal) { $0 == name ? value : nil }
      #expect(look.isInteractive && !look.hasColor && look.isRedrawable == isRedrawable)
      // An empty NO_COLOR is none.
      #expect(TerminalLook(of: terminal) { $0 == "NO_COLOR" ? "" : nil }.hasColor)
    }
  }

  @Test("A descriptor that is not open is no terminal")
  func closed() {
    #expect(TerminalLook(of: -1) { _ in nil }.width == 80)
  }
}
