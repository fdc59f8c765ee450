import Testing

@testable import Schema

@Suite struct JSONTests {
  @Test(
    "Documents are read as RFC 8259 says",
    arguments: [
      ("null", .null), (" true ", true), ("[]", []), ("{}", [:]), ("0", 0), ("-0", 0), ("-12", -12),
      ("9223372036854775807", .int(.max)), ("9223372036854775808", .double(9_223_372_036_854_775_808)),
      ("1.5", .double(1.5)), ("1E2", .double(100)), ("-1e-2", .double(-0.01)), (#""""#, ""),
      (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{C}\n\r\t")), (#""\u00e9\ud83d\ude00""#, "é😀"),
      ("[1,[2,{\"a\":[]}]]", [1, [2, ["a": []]]]), ("{\"b\":1,\"a\":null}", ["b": 1, "a": .null]),
      ("\t[\n1 ,\r\n2 ] ", [1, 2]),
    ] as [(String, JSON)])
  func valid(text: String, expected: JSON) throws {
    #expect(try JSON(parsing: text) == expected)
  }

  @Test(
    "What is no document is refused at the byte where that shows",
    arguments: [
      ("", 0), (" ", 1), ("nul", 0), ("[1,]", 3), ("[1 2]", 3), ("{\"a\" 1}", 5), ("{a:1}", 1), ("{\"a\":1,}", 7),
      ("01", 1), ("1.", 2), (".5", 0), ("+1", 0), ("1e", 2), ("-", 1), ("1e999", 5), ("\"a", 2), ("\"\u{1}\"", 2),
      ("\"\\x\"", 3), ("\"\\u12g4\"", 5), ("\"\\ud800\"", 7), ("\"\\udc00x\"", 7), ("[]x", 2), ("'a'", 0), ("NaN", 0),
      ("{\"a\":1,\"a\":2}", 10), ("\u{FEFF}1", 0), ("// c\n1", 0),
    ])
  func invalid(text: String, offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
    #expect(error?.offset == offset)
  }

  @Test(
    "Text that is not UTF-8 is refused",
    arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] as [[UInt8]])
  func notUTF8(bytes: [UInt8]) {
    #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
  }

  @Test("Nesting is read down to the limit, and refused beyond it", arguments: ["[", "{\"a\":"])
  func depth(open: String) {
    let nested = { (depth: Int) in
      String(repeating: open, count: depth) + "1" + String(repeating: open == "[" ? "]" : "}", count: depth)
    }
    #expect(throws: Never.self) { try JSON(parsing: nested(JSON.maximumDepth)) }
    #expect(throws: JSONError.self) { try JSON(parsing: nested(JSON.maximumDepth + 1)) }
    #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: open, count: 1_000_000)) }
  }

  @Test("Control characters never stand raw in what is written")
  func escaping() throws {
    let text = String(String.UnicodeScalarView((0...0x7F).compactMap(Unicode.Scalar.init)))
    let written = JSON.string(text).text()
    #expect(written.unicodeScalars.allSatisfy { (0x20..<0x7F).contains($0.value) })
    #expect(try JSON(parsing: written) == .string(text))
  }

  @Test(
    "What would turn the direction of writing, or act on a terminal, is escaped too",
    arguments: [
      ("\u{9B}31m", #""\u009b31m""#), ("\u{202E}x", #""\u202ex""#), ("\u{2066}", #""\u2066""#),
      ("\u{2028}", #""\u2028""#), ("\u{61C}", #""\u061c""#), ("é‹😀", "\"é‹😀\""),
    ])
  func hostile(text: String, written: String) throws {
    #expect(JSON.string(text).text() == written)
    #expect(try JSON(parsing: written) == .string(text))
  }

  @Test("Numbers that JSON cannot express are written as text")
  func notFinite() {
    #expect(JSON.array([.double(.infinity), .double(-.infinity), .double(.nan)]).text() == #"["inf","-inf","nan"]"#)
  }

  @Test("An indented document has a member a line")
  func indented() {
    let json: JSON = ["a": [1, "b"], "c": [:], "d": []]
    #expect(
      json.text(.indented) == """
        {
          "a": [
            1,
            "b"
          ],
          "c": {},
          "d": []
        }
        """)
  }

  @Test("Members and elements are found by name, kind and order")
  func access() {
    let json: JSON = ["a": 1, "b": "x", "c": [true], "d": .double(1)]
    #expect(json["a"]?.int == 1 && json["b"]?.string == "x" && json["c"]?.array?[0].bool == true)
    #expect(json["d"]?.int == nil && json["e"] == nil && json["a"]?["b"] == nil)
  }
}
