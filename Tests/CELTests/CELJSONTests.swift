import CEL
import Foundation
import Testing

@Suite("Values as JSON") struct CELJSONTests {
  @Test(
    "JSON becomes a value, and the value JSON",
    arguments: [
      ("null", CELValue.null), ("true", true), ("-0", 0), ("9007199254740991", 9_007_199_254_740_991), ("1.5", 1.5),
      ("1e3", 1000.0), ("\"a\\u00e9\\ud83d\\ude00\\n\"", "aé😀\n"), ("[]", .list([])), ("[1,[2.5]]", [1, [2.5]]),
      ("{\"a\":{\"b\":[]}}", ["a": ["b": .list([])]]), (" { \"a\" : 1 , \"b\" : \"\" } ", ["a": 1, "b": ""]),
    ] as [(String, CELValue)])
  func both(text: String, value: CELValue) throws {
    #expect(try CELValue(json: text) == value)
    #expect(try CELValue(json: try value.json()) == value)
  }

  @Test(
    "what is no JSON is refused",
    arguments: [
      "", " ", "nul", "01", "1.", ".5", "1e", "+1", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "\"a", "\"\\x\"",
      "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u00g0\"", "\"a\nb\"", "1 2", "1e999", "NaN",
      String(repeating: "[", count: 200), "{\"a\":1,\"\\u0061\":2}",
    ])
  func refused(text: String) {
    #expect(throws: EvaluationError.self) { try CELValue(json: text) }
  }

  @Test("Every text that Foundation takes for JSON is read, and no other")
  func fuzz() {
    let parts = [
      "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u0041\"", "\"\\ud83d\\ude00\"", "1", "-2", "0.5", "1e2", "true",
      "null", " ", "\n", "\"", "\\", "é",
    ]
    var generator = Generator(state: 0x9E37_79B9_7F4A_7C15)
    for _ in 0..<5000 {
      let text = (0..<Int.random(in: 1...8, using: &generator)).map { _ in parts.randomElement(using: &generator) ?? ""
      }
      .joined()
      let isJSON = (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
      do throws(EvaluationError) {
        let value = try CELValue(json: text)
        #expect(isJSON, "\(text)")
        #expect((try? CELValue(json: try value.json())) == value, "\(text)")
      } catch  where error.code == .duplicateKey {
        #expect(isJSON, "\(text)")
      } catch {
        #expect(!isJSON, "\(text): \(error)")
      }
    }
  }

  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
  }

  @Test(
    "values that JSON has no form for become texts",
    arguments: [
      ("9007199254740993", "\"9007199254740993\""), ("18446744073709551615u", "\"18446744073709551615\""),
      ("0.0 / 0.0", "\"NaN\""), ("-1.0 / 0.0", "\"-Infinity\""), ("b'\\xff'", "\"/w==\""),
      ("timestamp('2026-01-02T03:04:05Z')", "\"2026-01-02T03:04:05Z\""), ("duration('1500ms')", "\"1.5s\""),
      ("{1: 2u, true: 'x'}", "{\"1\":2,\"true\":\"x\"}"), ("optional.none()", "null"), ("optional.of(1)", "1"),
      ("ip('::1')", "\"::1\""), ("cidr('10.0.0.0/8')", "\"10.0.0.0/8\""), ("int", "\"int\""),
      ("'\\x01'", "\"\\u0001\""),
    ])
  func texts(source: String, json: String) throws {
    var environment = CELEnvironment()
    environment.validatesConstants = false
    #expect(try environment.compile(source).evaluate().json() == json)
  }

  @Test("What is too large, too deep or ambiguous is refused")
  func bounded() throws {
    let wide = CELValue.list(Array(repeating: "0123456789", count: 1000))
    #expect(throws: EvaluationError.self) { try wide.json(limit: 1000) }
    var deep = CELValue.list([])
    for _ in 0..<200 { deep = [deep] }
    #expect(throws: EvaluationError.self) { try deep.json() }
    let ambiguous = try CELEnvironment().compile("{1: 'a', '1': 'b'}").evaluate()
    let error = #expect(throws: EvaluationError.self) { try ambiguous.json() }
    #expect(error?.code == .duplicateKey)
  }
}
