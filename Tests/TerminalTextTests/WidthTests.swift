import Foundation
import TerminalText
import Testing

@Suite struct WidthTests {
  @Test(
    "Wide characters take two columns, those that combine none",
    arguments: [
      ("", 0), ("abc", 3), ("Zürich", 6), ("A\u{030A}", 1), ("日本", 4), ("ﾊﾝｶｸ", 4), ("한국", 4),
      ("\u{1112}\u{1161}\u{11AB}", 2), ("👍", 2), ("…→µ", 3), ("\u{0E01}\u{0E34}", 1), ("𠀀", 2),
    ])
  func examples(text: String, width: Int) {
    #expect(displayWidth(text) == width)
  }

  /// What wcwidth(3) says of each code point below 0x40000; -1 for those that it does not know.
  private func libraryWidths() throws -> [Int] {
    let script = """
      import ctypes, locale
      locale.setlocale(locale.LC_ALL, "C.UTF-8")
      library = ctypes.CDLL(None)
      print(" ".join(str(library.wcwidth(value)) for value in range(0x40000)))
      """
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return text.split(separator: " ").compactMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  @Test("The C library finds the same width for every character that it knows too")
  func againstLibrary() throws {
    let widths = try libraryWidths()
    try #require(widths.count == 0x40000)
    var different: [UInt32] = []
    var compared = 0
    for (value, theirs) in widths.enumerated() where theirs >= 0 {
      guard let scalar = Unicode.Scalar(UInt32(value)) else { continue }
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: continue
      default: break
      }
      compared += 1
      if theirs != displayWidth(String(Character(scalar))) { different.append(scalar.value) }
    }
    #expect(compared > 100_000)
    // Circled numbers on squares and the I Ching: one column by the standard of that time, two by the library. A sign of Ahom
    // combines in one version of the standard, and stands for itself in another.
    let known: [ClosedRange<UInt32>] = [0x3248...0x324F, 0x4DC0...0x4DFF, 0x1171E...0x1171E]
    let others = different.filter { value in !known.contains { $0.contains(value) } }
    #expect(others.isEmpty, "\(others.map { String($0, radix: 16) })")
  }

  @Test(
    "What is cut off leaves room for the ellipsis, and no half of a wide character",
    arguments: [
      ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef", 1, "…"), ("abcdef", 0, ""), ("日本語", 6, "日本語"),
      ("日本語", 5, "日本…"), ("日本語", 4, "日…"), ("A\u{030A}bc", 2, "A\u{030A}…"),
    ])
  func shortening(text: String, width: Int, shown: String) {
    #expect(shortened(text, to: width) == shown)
    #expect(displayWidth(shortened(text, to: width)) <= width)
  }

  @Test("Filling up counts columns, and cuts nothing")
  func padding() {
    #expect(padded("日", to: 4) == "日  " && padded("abcde", to: 3) == "abcde")
  }

  @Test(
    "No line is wider than asked for, and no word is lost",
    arguments: [
      "The server refused the request because the credentials were not accepted by it.",
      "東京の サーバーは 要求を 拒否しました 資格情報が 受け入れられなかった ためです",
      "a https://example.com/a/very/long/address/without/any/space/in/it/whatsoever/at/all b",
      String(repeating: "A\u{030A}", count: 100), "日本", "", "  two  spaces  ",
    ], [1, 20, 80])
  func wrapping(text: String, width: Int) {
    let lines = wrapped(text, width: width)
    // A wide character needs two columns if there is one.
    for line in lines { #expect(displayWidth(line) <= max(width, line.count == 1 ? 2 : width), "\(line)") }
    let words = lines.joined().filter { $0 != " " }
    #expect(words == text.filter { $0 != " " })
    if displayWidth(text) <= width, text.last != " " { #expect(lines == [text]) }
  }

  @Test("A longer word stands alone where words are not cut")
  func wholeWords() {
    #expect(
      wrapped("see https://example.com/long now", width: 10, cuttingWords: false) == [
        "see", "https://example.com/long", "now",
      ])
  }
}
