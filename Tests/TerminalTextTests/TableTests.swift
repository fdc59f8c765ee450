import TerminalText
import Testing

@Suite struct TableTests {
  private let table = TextTable(
    header: ["OUTCOME", "STEP", "FIGURES"],
    rows: [
      [.init("pass", .green), .init("東京"), .init("rtt 13.2ms  requests 5  responses 5  loss 0%")],
      [.init("FAIL", .boldRed), .init("relay\n"), .init("")],
    ])

  @Test("Cells begin below one another, whatever characters stand before them")
  func columnsBelow() {
    #expect(
      table.lines(width: 80, isColored: false) == [
        "OUTCOME  STEP     FIGURES",
        "pass     東京     rtt 13.2ms  requests 5  responses 5  loss 0%",
        "FAIL     relay\\n",
      ])
    #expect(table.width == 62)
  }

  @Test("No line is wider than the terminal, nor ends in a space", arguments: [1, 8, 20, 40, 80])
  func limit(width: Int) {
    for line in table.lines(width: width, isColored: false) {
      #expect(displayWidth(line) <= width, "\(line)")
      #expect(line.last != " " || displayWidth(line) == width)
    }
  }

  @Test("At 20 columns the last cell that fits is cut")
  func narrow() {
    #expect(
      table.lines(width: 20, isColored: false) == ["OUTCOME  STEP     F…", "pass     東京     r…", "FAIL     relay\\n"])
  }

  @Test("Colours take no room, and stand around a cell alone")
  func colours() {
    let plain = table.lines(width: 40, isColored: false)
    let colored = table.lines(width: 40, isColored: true)
    #expect(colored[1].hasPrefix("\u{1B}[32mpass\u{1B}[0m     東京"))
    #expect(colored[2] == "\u{1B}[1;31mFAIL\u{1B}[0m     relay\\n")
    #expect(colored.map { $0.replacing(/\u{1B}\[[0-9;]*m/, with: "") } == plain)
  }

  @Test("Of rows without a table the last cell goes on below itself", arguments: [20, 40, 80])
  func rows(width: Int) {
    let text = columns(
      [["turn", "Packets come back through two allocations, and none is lost on the way"], ["日本", "x"]], width: width)
    let lines = text.split(separator: "\n")
    #expect(lines[0].hasPrefix("turn  Packets"))
    #expect(lines.last == "日本  x")
    for line in lines.dropFirst().dropLast() { #expect(line.hasPrefix("      ") && line.dropFirst(6).first != " ") }
    for line in lines { #expect(displayWidth(line) <= max(width, 26)) }
  }

  @Test("An empty text has no colour")
  func emptyInk() {
    #expect(Ink.bold.paint("") == "" && Ink.faint.paint("x") == "\u{1B}[2mx\u{1B}[0m")
  }
}
