import CEL
import Testing

@Suite("Templates") struct TemplateTests {
  @Test(
    "the closing brace is the one of the expression",
    arguments: [
      ("a ${b} c", "b"), ("${ {'a': {1: 2}}.a } }", " {'a': {1: 2}}.a "), ("${'}'} }", "'}'"),
      ("${\"}\" + '''}'''}", "\"}\" + '''}'''"),
      ("${r'\\'} }", "r'\\'"), ("${b // }\n}", "b // }\n"), ("${a.`b-c`}", "a.`b-c`"), ("ä ${x['ö}']} ü", "x['ö}']"),
      ("${}", ""),
    ])
  func closingBrace(source: String, expression: String) throws {
    let bytes = Array(source.utf8)
    let start = try #require(bytes.firstIndex(of: UInt8(ascii: "$"))) + 2
    let end = try CELTemplate.closingBrace(in: source, from: start)
    #expect(bytes[end] == UInt8(ascii: "}"))
    #expect(String(decoding: bytes[start..<end], as: UTF8.self) == expression)
  }

  @Test(
    "a brace that is missing, or a text that is not closed, is a problem with its place",
    arguments: [
      ("${a", 2, 3, "'}' is missing"), ("${ {a}", 2, 6, "'}' is missing"), ("${'a}", 2, 5, "the text is not closed"),
    ])
  func missingBrace(source: String, start: Int, end: Int, message: String) {
    let error = #expect(throws: CompileError.self) { try CELTemplate.closingBrace(in: source, from: 2) }
    #expect(error?.problems.first?.message == message)
    #expect(error?.problems.first?.range == CELSourceRange(start, end))
  }
}
