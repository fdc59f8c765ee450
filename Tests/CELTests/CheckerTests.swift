import CEL
import Testing

/// An environment as the embedder of a monitoring tool might declare it.
func sampleEnvironment() -> CELEnvironment {
  var environment = CELEnvironment()
  environment.declare(
    record: CELRecordType(
      "Rtt", fields: [.init("p50", .duration), .init("p95", .duration), .init("worst", .duration, isOptional: true)]))
  environment.declare(
    record: CELRecordType(
      "Output",
      fields: [
        .init("running", .bool), .init("lost", .int), .init("sent", .int), .init("rtt", .record("Rtt")),
        .init("names", .list(.string)), .init("labels", .map(.string, .string)),
      ]))
  environment.declare(variable: "output", type: .record("Output"))
  environment.declare(variable: "maxRtt", type: .duration)
  environment.declare(variable: "anything", type: .dyn)
  environment.declare(
    function: "bytesize",
    Overload(
      "bytesize_string", [.string], .int,
      implementation: .unary { (value) throws(EvaluationError) in
        guard case .string(let text) = value, text.hasSuffix("MiB"), let number = Int64(text.dropLast(3)) else {
          throw EvaluationError(.invalidArgument, "\(value) is no size")
        }
        return .int(number << 20)
      }))
  environment.declare(
    function: "either",
    Overload(
      "either_T_T", [.parameter("T"), .parameter("T")], .parameter("T"), isMember: true,
      implementation: .binary { first, _ in first }))
  return environment
}

@Suite("Checker") struct CheckerTests {
  @Test(
    "the type of an expression is deduced",
    arguments: [
      ("output.rtt.p95 <= maxRtt", CELType.bool), ("output.names.map(n, size(n))", .list(.int)),
      ("output.labels", .map(.string, .string)), ("output.rtt", .record("Rtt")),
      ("output.?rtt.p95", .optional(.duration)), ("output.labels.?tier.orValue('none')", .string),
      ("anything.x.y", .dyn), ("bytesize('64MiB')", .int), ("1.either(2)", .int), ("[1, 'a']", .list(.dyn)),
      ("type(output)", .type(.record("Output"))), ("output.names.transformMap(i, n, n)", .map(.int, .string)),
      ("{'a': 1}.transformMapEntry(k, v, {v: k})", .map(.int, .string)),
      ("Rtt{p50: maxRtt, p95: maxRtt}", .record("Rtt")), ("cel.bind(n, output.lost, n + 1)", .int),
      ("true ? optional.of(1) : optional.none()", .optional(.int)), ("ip('10.0.0.1')", .ip),
      ("cidr('10.0.0.0/8').containsIP('10.1.1.1')", .bool), ("math.greatest(1, 2, 3)", .int),
      ("math.least([1.0, 2.0])", .double), ("output.names[0]", .string), ("null", .null),
      ("[?optional.none()]", .list(.dyn)), ("[?anything]", .list(.dyn)),
      ("optional.none().optMap(x, x)", .optional(.dyn)),
      ("[][?0].optFlatMap(x, x)", .optional(.dyn)), ("anything.map(x, x)", .list(.dyn)),
      ("anything[?0]", .optional(.dyn)),
      ("[optional.none().orValue(1) > 0, optional.none().orValue('a') > 'b']", .list(.bool)),
      ("[[].map(x, x) == [1], [].map(x, x) == ['a']]", .list(.bool)),
      ("timestamp('2026-01-01T00:00:00Z') - timestamp('2025-01-01T00:00:00Z')", .duration),
    ])
  func deducedType(source: String, type: CELType) throws {
    #expect(try sampleEnvironment().compile(source).type == type)
  }

  @Test(
    "a problem names the place and a near name",
    arguments: [
      ("outptu.lost == 0", CELProblem.Code.undeclaredName, "outptu", String?.some("output")),
      ("output.losst == 0", .undefinedField, "losst", "lost"),
      ("output.rtt.p59 < maxRtt", .undefinedField, "p59", "p50"),
      ("bytsize('64MiB') > 1", .undeclaredFunction, "bytsize", "bytesize"),
      ("output.names.exist(n, n == 'a')", .undeclaredFunction, "exist", "exists"),
      ("'a'.startWith('b')", .undeclaredFunction, "startWith", "startsWith"),
      ("Rt{p50: maxRtt}", .undeclaredType, "Rt", "Rtt"),
      ("output.lost.x", .undefinedField, "x", nil),
      ("output.lost == 'a'", .noMatchingOverload, "output.lost == 'a'", nil),
      ("output.running && 1", .typeMismatch, "1", nil),
      ("output.running ? 1 : 'a'", .typeMismatch, "1 : 'a'", nil),
      ("size(1)", .noMatchingOverload, "size", nil),
      ("bytesize('64 parsecs')", .invalidConstant, "'64 parsecs'", nil),
      ("duration('1 day') < maxRtt", .invalidConstant, "'1 day'", nil),
      ("output.names[0].matches('a(')", .invalidConstant, "output.names[0].matches('a(')", nil),
      ("ip('1.2.3') == ip('::1')", .invalidConstant, "'1.2.3'", nil),
      ("timestamp(0).getHours('Mars/Phobos') == 1", .invalidConstant, "timestamp(0).getHours('Mars/Phobos')", nil),
      ("{'a': 1, 'a': 2}", .duplicateKey, "'a'", nil),
      ("{1.5: 1}", .typeMismatch, "1.5", nil),
      ("Rtt{p50: maxRtt}", .missingField, "Rtt{p50: maxRtt}", nil),
      ("Rtt{p50: 1, p95: maxRtt}", .typeMismatch, "1", nil),
      ("output.names.all(n, n)", .typeMismatch, "n", nil),
      ("output.lost.all(n, true)", .typeMismatch, "output.lost", nil),
      ("1 + 1.5", .noMatchingOverload, "1 + 1.5", nil),
      ("[?1]", .typeMismatch, "1", nil), ("optional.of(1).optFlatMap(x, x)", .typeMismatch, "x", nil),
      ("output.names.optMap(x, x)", .typeMismatch, "output.names", nil),
      ("output.names.transformMapEntry(i, n, n)", .typeMismatch, "n", nil),
      ("Rtt{p50: maxRtt, p50: maxRtt, p95: maxRtt}", .duplicateKey, "p50", nil),
      ("Rtt{p50: maxRtt, p59: maxRtt, p95: maxRtt}", .undefinedField, "p59", "p50"),
      ("{1: 2}.a", .undefinedField, "a", nil), ("output.names['a']", .noMatchingOverload, "output.names['a']", nil),
      ("output.names[?'a']", .noMatchingOverload, "output.names[?'a']", nil),
      ("!output.lost", .typeMismatch, "output.lost", nil),
      ("-'a'", .noMatchingOverload, "-'a'", nil), ("int.x", .undefinedField, "x", nil),
    ])
  func problem(source: String, code: CELProblem.Code, place: String, suggestion: String?) {
    let found = problems(source, in: sampleEnvironment())
    #expect(found.map(\.code) == [code])
    #expect(text(found.first?.range, of: source) == place)
    #expect(found.first?.suggestion == suggestion)
  }

  @Test("all problems are found at once, in the order of the source")
  func allProblems() {
    let source = "outptu.lost == 0 && output.rtt.p59 < maxRtt && size(1) > bytesize('x')"
    #expect(
      problems(source, in: sampleEnvironment()).map(\.code) == [
        .undeclaredName, .undefinedField, .noMatchingOverload, .invalidConstant,
      ])
  }

  @Test("the expected type is required")
  func expectedType() throws {
    let environment = sampleEnvironment()
    #expect(throws: CompileError.self) { try environment.compile("output.lost", expecting: .bool) }
    #expect(try environment.compile("output.lost == 0", expecting: .bool).type == .bool)
    #expect(try environment.compile("anything", expecting: .bool).type == .dyn)
  }

  @Test("constants are looked at when they are evaluated, where the check is told so")
  func withoutValidation() throws {
    var environment = sampleEnvironment()
    environment.validatesConstants = false
    let program = try environment.compile("true || bytesize('x') > 1")
    #expect(try program.evaluate() == .bool(true))
  }

  @Test(
    "types are assignable as the specification says",
    arguments: [
      (CELType.int, CELType.int, true), (.int, .double, false), (.int, .dyn, true), (.dyn, .int, true),
      (.list(.int), .list(.dyn), true), (.list(.int), .list(.string), false), (.null, .record("Rtt"), true),
      (.null, .int, false), (.null, .duration, true), (.map(.string, .int), .map(.string, .int), true),
      (.optional(.int), .int, false), (.record("Rtt"), .record("Output"), false), (.ip, .cidr, false),
      (.type(.int), .type(.string), true),
    ])
  func assignability(source: CELType, target: CELType, isAssignable: Bool) {
    #expect(CELEnvironment.isAssignable(from: source, to: target) == isAssignable)
  }

  @Test("every node has its type, place and reference")
  func nodes() throws {
    let source = "output.names.all(n, n in ['a'] && size(n) < output.lost)"
    let checked = try sampleEnvironment().compile(source).checked
    let root = try #require(checked).root
    var seen: [String] = []
    root.visit { node in
      guard let checked, let reference = checked.reference(of: node) else { return }
      let what =
        switch reference {
        case .variable(let variable): "variable \(variable.name)"
        case .local(let name, let owner, let position): "local \(name) of \(owner == root.id) \(position)"
        case .constant(let value): "constant \(value)"
        case .function(let name, let overloads): "\(name) \(overloads)"
        case .recordType(let name): "record \(name)"
        }
      seen.append("\(text(node.range, of: source)): \(checked.type(of: node)): \(what)")
    }
    #expect(
      seen == [
        "output: Output: variable output", "n in ['a']: bool: @in [\"in_list\"]", "n: string: local n of true 0",
        "size(n) < output.lost: bool: _<_ [\"less_int64\"]", "size(n): int: size [\"size_string\"]",
        "n: string: local n of true 0", "output: Output: variable output",
      ])
  }

  @Test("what an expression reads is known")
  func paths() throws {
    var environment = CELEnvironment()
    for name in ["steps", "params", "i"] { environment.declare(variable: name, type: .dyn) }
    let program = try environment.compile(
      "steps.state.output.running && has(steps.x.y) && steps['a-b'].list[i.j].z > params.max && [1].all(e, e > 0)")
    let checked = try #require(program.checked)
    #expect(
      checked.paths.map(\.description) == [
        "steps.state.output.running", "steps.x.y", "steps.a-b.list", "i.j", "params.max",
      ])
    #expect(checked.variables.map(\.name) == ["steps", "i", "params"])
    #expect(!checked.isConstant)
    #expect(try #require(environment.compile("[1, 2].map(x, x * 2) == [2, 4]").checked).isConstant)
  }

  @Test("a constant expression has its value before it is evaluated")
  func constants() throws {
    let environment = sampleEnvironment()
    #expect(try environment.compile("1 + 2 < 4 && duration('1h') > duration('30m')").constantValue == .bool(true))
    #expect(try environment.compile("bytesize('1MiB')").constantValue == .int(1 << 20))
    #expect(try environment.compile("output.lost == 0").constantValue == nil)
    #expect(try environment.compile("1 / 0 == 1").constantValue == nil)
    #expect(try environment.compile("[1, 2].all(x, x > 0)").constantValue == .bool(true))
    guard case .failure(let error)? = try environment.compile("1 / 0 == 1").constantResult else {
      Issue.record("no constant error")
      return
    }
    #expect(error.code == .divisionByZero)
    #expect(try environment.compile("output.lost == 0 || true").constantResult == nil)
  }
}
