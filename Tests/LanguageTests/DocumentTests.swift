import Schema
import Testing

@testable import Language

@Suite("Document")
struct DocumentTests {
  private func read(_ text: String) -> (document: Document?, issues: [Schema.Issue]) {
    let log = IssueLog()
    let document = Document(Array(text.utf8), file: "x.yaml", log: log)
    return (document, log.issues)
  }

  @Test("An alias bomb is refused at its first anchor, before anything is made from it")
  func aliasBomb() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...40 {
      let alias = "*a\(level - 1)"
      text += "a\(level): &a\(level) [\(Array(repeating: alias, count: 9).joined(separator: ", "))]\n"
    }
    let start = ContinuousClock.now
    let (document, issues) = read(text)
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(document == nil)
    #expect(issues.first?.short == "1:5-8 anchor")
    #expect(issues.last?.code == "too-many-problems")
    #expect(issues.count == Document.maximumIssues + 1)
  }

  @Test(
    "Nesting of 10,000 levels is refused where it becomes too deep, in every style",
    arguments: [
      String(repeating: "[", count: 10_000), String(repeating: "{a: ", count: 10_000),
      String(repeating: "- ", count: 10_000) + "x", String(repeating: "? ", count: 10_000) + "x",
      (0..<10_000).map { String(repeating: " ", count: min($0, 90)) + "a:\n" }.joined(),
    ])
  func deep(text: String) throws {
    let (document, issues) = read(text)
    #expect(document == nil)
    #expect(issues.map(\.code) == ["too-deep"])
  }

  @Test("A file of 10 MB is refused for its size")
  func large() {
    let (document, issues) = read("a: \(String(repeating: "x", count: 10_000_000))\n")
    #expect(document == nil)
    #expect(issues.map(\.message) == ["the file has 10000004 bytes; at most 2097152 are read"])
  }

  @Test(
    "A file of 1 MiB is read in time, whatever it is made of",
    arguments: ["- a\n", "[", "{", "x: ", "\"", "# \n", "? "])
  func largest(part: String) {
    let count = Document.maximumSize / 2 / part.utf8.count
    let start = ContinuousClock.now
    _ = read(String(repeating: part, count: count))
    // A guard against quadratic time, which would take minutes.
    #expect(ContinuousClock.now - start < .seconds(60))
  }

  /// What the scalar of `a` is, and where each of its parts stands.
  private func positions(_ text: String) throws -> (text: String, at: (String) throws -> String) {
    let (document, issues) = read(text)
    #expect(issues == [])
    guard case .mapping(let mapping)? = document?.root, case .scalar(let scalar)? = mapping["a"] else {
      throw NotAScalar()
    }
    let map = ScalarPositions(scalar)
    return (
      scalar.text,
      { part in
        let found = try #require(scalar.text.firstRange(of: part))
        let start = scalar.text.utf8.distance(from: scalar.text.startIndex, to: found.lowerBound)
        let range = map.range(start, start + part.utf8.count)
        return "\(range.line):\(range.column)-\(range.endColumn)"
      }
    )
  }

  private struct NotAScalar: Error {}

  @Test(
    "A part of a scalar is found in the file through quotes, escapes, folding and indentation",
    arguments: [
      ("a: one two", "two", "1:8-11"),
      ("a: one\n   two", "two", "2:4-7"),
      ("a: one\n\n   two  \n  three", "three", "4:3-8"),
      ("a: 'it''s two'", "s", "1:9-10"),
      ("a: 'it''s two'", "'", "1:7-9"),
      ("a: \"\\u0041\\n\\x42 two\"", "two", "1:18-21"),
      ("a: \"\\u0041\\n\\x42 two\"", "B", "1:13-17"),
      ("a: \"one \\\n   two\"", "two", "2:4-7"),
      ("a: \"one\n\n   two\"", "two", "3:4-7"),
      ("a: |-\n  one\n    two\n  three", "two", "3:5-8"),
      ("a: |-\n  one\n    two\n  three", "three", "4:3-8"),
      ("a: >\n  one\n  two\n\n  three\n", "two", "3:3-6"),
      ("a: >\n  one\n  two\n\n  three\n", "three", "5:3-8"),
      ("a: |2-\n   one\n  two", "two", "3:3-6"),
      ("a: 'zwölf 𝄞 two'", "two", "1:13-16"),
      ("a: |\r\n  one\r\n  two\r\n", "two", "3:3-6"),
    ])
  func places(text: String, part: String, place: String) throws {
    #expect(try positions(text).at(part) == place)
  }

  @Test("A byte order mark is left out, and no column counts it")
  func byteOrderMark() throws {
    let (document, issues) = read("\u{FEFF}a: one\nb: [")
    #expect(document == nil)
    #expect(issues.map(\.range.line) == [2])
    let (_, others) = read("\u{FEFF}a: &x one")
    #expect(others.map(\.short) == ["1:4-6 anchor"])
  }
}
