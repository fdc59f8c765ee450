import CEL
import Testing

/// The problems that parsing and checking find.
func problems(_ source: String, in environment: CELEnvironment = CELEnvironment()) -> [CELProblem] {
  do throws(CompileError) {
    _ = try environment.compile(source)
    return []
  } catch {
    return error.problems
  }
}

/// The part of a source that a range covers.
func text(_ range: CELSourceRange?, of source: String) -> String {
  guard let range else { return "" }
  let bytes = Array(source.utf8)
  return String(decoding: bytes[min(range.start, bytes.count)..<min(range.end, bytes.count)], as: UTF8.self)
}

@Suite("Parser") struct ParserTests {
  @Test(
    "a syntax problem is reported where it is",
    arguments: [
      ("1 +", "", "a value is due, not the end"),
      ("a = 1", "=", "'=' is no operator; equality is '=='"),
      ("a & b", "&", "'&' is no operator; the logical one is '&&'"),
      ("(1", "", "')' is due, not the end"),
      ("1 2", "2", "an operator or the end is due, not '2'"),
      ("'abc", "'abc", "the text is not closed"),
      ("'a\\qb'", "\\q", "'\\q' is no escape"),
      ("for + 1", "for", "'for' is a reserved word"),
      ("9223372036854775808", "9223372036854775808", "the number is out of range"),
      ("12abc", "12abc", "'12abc' is no number"),
      ("a ? b", "", "':' of the conditional is due, not the end"),
      ("has(a)", "a", "'has' takes a field, as in has(a.b)"),
      ("has(a.?b)", "a.?b", "'has' takes a field without '?', as in has(a.b)"),
      ("rb'a'", "'a'", "an operator or the end is due, not ''a''"),
      ("[1].all(1, true)", "1", "the variable of a macro is a simple name"),
      ("[1].all(a, a, true)", "a", "the two variables need different names"),
      ("ä", "ä", "unexpected character 'ä'"),
      ("[1, 2", "", "',' or ']' is due, not the end"),
      ("{1: 2, 3}", "}", "':' is due, not '}'"),
    ])
  func syntaxProblem(source: String, place: String, message: String) {
    let found = problems(source)
    #expect(found.first?.message == message)
    #expect(text(found.first?.range, of: source) == place)
  }

  @Test("a problem in one argument does not hide those in others")
  func severalProblems() {
    let source = "f(1 +, [2, * 3], {'a' 1, 'b': 2}, ok)"
    #expect(problems(source).map { text($0.range, of: source) } == [",", "*", "1"])
  }

  @Test("all forms of operators bind as the specification says")
  func precedence() throws {
    let cases = [
      ("1 + 2 * 3 - 4", "(1 + (2 * 3)) - 4"), ("!a && b || c", "((!a) && b) || c"),
      ("a ? b : c ? d : e", "a ? b : (c ? d : e)"), ("a || b ? c : d", "(a || b) ? c : d"),
      ("-a.b[0].c()", "-(((a.b)[0]).c())"), ("a < b == c", "(a < b) == c"), ("a in b && c", "(a in b) && c"),
      ("-1.abs()", "(-1).abs()"), ("1 - -1", "1 - (-1)"), ("a - 1", "a - (1)"), ("a && b && c", "(a && b) && c"),
      ("a && b && c && d", "(a && b) && (c && d)"),
    ]
    let environment = CELEnvironment()
    for (plain, bracketed) in cases {
      #expect(try environment.parse(plain).root.isSameTree(as: environment.parse(bracketed).root), "\(plain)")
    }
    #expect(try !environment.parse("a - b - c").root.isSameTree(as: environment.parse("a - (b - c)").root))
  }

  @Test("a long expression is refused, a long chain and wide lists are not")
  func limits() throws {
    let environment = CELEnvironment()
    #expect(problems(String(repeating: " ", count: 100_001)).first?.code == .limitExceeded)
    let list = "[" + Array(repeating: "1", count: 30_000).joined(separator: ",") + "]"
    #expect(try environment.compile("size(\(list))").evaluate() == .int(30_000))
    let chain = Array(repeating: "true", count: 10_000).joined(separator: " && ")
    #expect(try environment.compile(chain).evaluate() == .bool(true))
  }

  @Test("no setting allows more depth than the stack holds")
  func greatestDepth() {
    var limits = CELLimits(depth: 1_000_000)
    #expect(limits.depth == 100)
    limits.depth = 1_000_000
    #expect(limits.depth == 100)
    limits.depth = 3
    let environment = CELEnvironment(limits: limits)
    #expect(problems("[[1]]", in: environment).isEmpty)
    #expect(problems("[[[1]]]", in: environment).map(\.code) == [.limitExceeded])
  }

  @Test("offsets are of UTF-8, also behind letters of several octets")
  func offsets() {
    let source = "'äöü😀' + x"
    #expect(text(problems(source).first?.range, of: source) == "x")
  }

  @Test("without macros the names of macros are those of functions")
  func withoutMacros() throws {
    var environment = CELEnvironment()
    environment.hasMacros = false
    environment.declare(
      function: "has",
      Overload("has_int", [.int], .bool, implementation: .unary { $0 == .int(1) ? .bool(true) : .bool(false) }))
    #expect(try environment.compile("has(1)").evaluate() == .bool(true))
  }

  @Test("a library that is left away leaves its syntax, macros and functions away")
  func libraries() {
    let environment = CELEnvironment(libraries: [])
    for source in ["{}.?a", "[?1]", "{?1: 2}", "cel.bind(x, 1, x)", "math.abs(1)", "'a'.trim()", "ip('::1')"] {
      #expect(!problems(source, in: environment).isEmpty, "\(source)")
      #expect(problems(source).isEmpty || source == "[?1]" || source == "{?1: 2}", "\(source)")
    }
  }
}
