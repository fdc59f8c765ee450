import CEL
import Testing

@Suite("Cost") struct CostTests {
  static let environment: CELEnvironment = {
    var environment = CELEnvironment()
    environment.declare(variable: "l", type: .list(.int))
    environment.declare(variable: "s", type: .string)
    return environment
  }()

  static func activation(elements: Int, octets: Int) -> NamedActivation {
    NamedActivation([
      "l": .list((0..<elements).map { .int(Int64($0)) }), "s": .string(String(repeating: "x", count: octets)),
    ])
  }

  @Test(
    "nothing that grows without end is finished, whatever it grows by",
    arguments: [
      "l.map(a, l.map(b, l.map(c, l.map(d, 1)))).size() > 0",
      "l.all(a, l.all(b, l.all(c, l.all(d, a + b + c + d >= 0))))",
      "l.exists(a, l.exists(b, l.exists(c, l.exists(d, a > 100000))))",
      "l.filter(a, l.filter(b, l.filter(c, c >= 0).size() > 0).size() > 0).size() == 0",
      "cel.bind(a, s + s + s + s + s + s + s + s, cel.bind(b, a + a + a + a + a + a + a + a, cel.bind(c, b + b + b + b + b + b + b + b, c + c + c + c + c + c + c + c))).size() > 0",
      "s.replace('', s).replace('', s).replace('', s).size() > 0", "l.map(a, s).join(s).split('').join(s).size() > 0",
      "l.map(a, s).join(s + s + s).matches('(x+x+)+y')",
      "cel.bind(a, [l, l, l, l, l, l, l, l], cel.bind(b, [a, a, a, a, a, a, a, a], cel.bind(c, [b, b, b, b, b, b, b, b], cel.bind(d, [c, c, c, c, c, c, c, c], [d, d, d, d, d, d, d, d] == [d, d, d, d, d, d, d, d]))))",
      "cel.bind(a, [s, s, s, s, s, s, s, s], cel.bind(b, [a, a, a, a, a, a, a, a], cel.bind(c, [b, b, b, b, b, b, b, b], cel.bind(d, [c, c, c, c, c, c, c, c], '%s'.format([[d, d, d, d, d, d, d, d]]))))).size() > 0",
      "l.map(a, l).map(b, b + b + b + b + b + b + b + b + b + b).size() > 0 && l.map(a, l.map(b, l)).size() < 0",
      "l.transformMap(i, a, l.transformMap(j, b, l.transformList(k, c, a + b + c))).size() == 0",
      "l.exists(a, 'x' in l.map(b, s + string(b))) || true",
    ])
  func growth(source: String) throws {
    let program = try Self.environment.compile(source)
    let error = #expect(throws: EvaluationError.self) {
      try program.evaluate(Self.activation(elements: 300, octets: 5000))
    }
    #expect(error?.code == .costExceeded)
  }

  @Test("the limit is the environment's, and is never absorbed")
  func limit() throws {
    var environment = Self.environment
    environment.limits.cost = 100
    let program = try environment.compile("l.all(a, a >= 0) || true")
    #expect(try program.evaluate(Self.activation(elements: 30, octets: 0)) == .bool(true))
    let error = #expect(throws: EvaluationError.self) { try program.evaluate(Self.activation(elements: 90, octets: 0)) }
    #expect(error?.code == .costExceeded)
  }

  @Test(
    "the cost is within the estimate, which is exact where nothing is left open",
    arguments: [
      ("size(l) > 3 && s.contains('abc')", true), ("l.map(a, a * 2).exists_one(a, a == 4)", true), ("s + s == s", true),
      ("l.map(a, s).size() == 3 ? l + l : [1, 2]", true), ("s.matches('^x+$')", true),
      ("l.all(a, a in [1, 2, 3])", true),
      ("{'a': s, 'b': s}.map(k, k)", true), ("cel.bind(t, s + s, t.endsWith(t))", true), ("s.replace('x', s)", false),
      ("l.exists(a, l.exists(b, a + b == 12))", true), ("[?optional.of(size(s))]", true),
      ("s.lowerAscii().upperAscii()", true),
      ("timestamp(size(l)).getHours('UTC')", true), ("l == l", true), ("type(l) == list", true),
      ("string(size(s)) + s", false),
    ])
  func estimates(source: String, isBounded: Bool) throws {
    let program = try Self.environment.compile(source)
    let checked = try #require(program.checked)
    for (elements, octets) in [(0, 0), (7, 123), (200, 3000)] {
      let estimate = checked.estimatedCost { path in
        path.fields.isEmpty ? (path.variable.name == "l" ? elements...elements : octets...octets) : nil
      }
      let observation = program.observe(Self.activation(elements: elements, octets: octets))
      #expect((try? observation.result.get()) != nil)
      #expect(observation.cost >= estimate.least)
      #expect((estimate.most != nil) == isBounded)
      if let most = estimate.most { #expect(observation.cost <= most) }
    }
    #expect(checked.estimatedCost().most == nil || !source.contains("all"))
  }
}
