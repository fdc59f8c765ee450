import CEL
import Testing

@Suite("Input made to take long", .timeLimit(.minutes(2))) struct HostileInputTests {
  static func list(_ element: String, _ count: Int) -> String {
    "[" + Array(repeating: element, count: count).joined(separator: ",") + "]"
  }

  @Test(
    "a long source is parsed and checked in time about linear in its length",
    arguments: [
      list("[]", 30_000), list("{}", 30_000), list("null", 19_000), list("optional.none()", 6_000),
      list("[[[]]]", 14_000),
      "math.greatest(1" + String(repeating: ",1", count: 40_000) + ")", list("'a'+'b'", 12_000),
      "cel.bind(x, [], " + list("x==x", 15_000) + ")", "cel.bind(x, [], " + list("x==[]", 12_000) + ")",
      "cel.bind(a, false, " + String(repeating: "a||", count: 30_000) + "true)",
      "cel.bind(a, true, " + String(repeating: "a&&", count: 30_000) + "true)",
    ])
  func longSources(source: String) throws {
    #expect(try CELEnvironment().compile(source).observe(SlotActivation([])).absorbed.isEmpty)
  }

  @Test(
    "of very many problems a hundred are reported",
    arguments: [
      list("x", 40_000), list("1+", 30_000), String(repeating: "ä", count: 40_000), list("f()", 20_000),
      list("size(1)", 10_000),
    ])
  func manyProblems(source: String) {
    #expect(problems(source).count == 100)
  }

  @Test("types that double with each level are refused")
  func growingTypes() {
    var environment = CELEnvironment()
    environment.declare(
      function: "pair",
      Overload(
        "pair_A_B", [.parameter("A"), .parameter("B")], .opaque("pair", [.parameter("A"), .parameter("B")]),
        implementation: .none))
    var source = "x39"
    var keys = "y39"
    for level in (1..<40).reversed() {
      source = "cel.bind(x\(level), \(level == 1 ? "1" : "pair(x\(level - 1), x\(level - 1))"), \(source))"
      keys = "cel.bind(y\(level), \(level == 1 ? "1" : "{y\(level - 1): y\(level - 1)}"), \(keys))"
    }
    #expect(problems(source, in: environment).contains { $0.code == .limitExceeded })
    #expect(problems(keys, in: environment).contains { $0.code == .typeMismatch })
  }

  @Test(
    "what looks at long texts is charged, and searches in linear time",
    arguments: [
      "s.contains(t)", "s.indexOf(t) == 0", "s.lastIndexOf(t) == 0", "s.split(t).size() == 0", "s.replace(t, '') == ''",
      "s.matches(t)",
      "{s: 1}.exists(k, k == t)", "s in {t: 1}", "{t: 1}[?s].hasValue()", "s > t",
      "'%.1000f'.format([1e-300 * double(i)]) == ''",
      "s.matches(string(i) + 'a{1000}')",
      "s.matches('(((a{100}){100}){100})' + string(i))", "s.trim() == t", "s.reverse() == t", "[s].join(t) == t",
      "strings.quote(s) == t",
    ])
  func longTexts(body: String) throws {
    var environment = CELEnvironment(limits: CELLimits(cost: 200_000))
    for name in ["s", "t"] { environment.declare(variable: name, type: .string) }
    environment.declare(variable: "l", type: .list(.int))
    let program = try environment.compile("l.exists(i, \(body))")
    let activation = NamedActivation([
      "s": .string(String(repeating: "a", count: 20_000)), "t": .string(String(repeating: "a", count: 10_000) + "b"),
      "l": .list((0..<100_000).map { .int($0) }),
    ])
    let error = #expect(throws: EvaluationError.self) { try program.evaluate(activation) }
    #expect(error?.code == .costExceeded)
  }
}
