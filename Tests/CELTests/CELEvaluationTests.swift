import CEL
import Testing

/// The error that evaluating gives.
func evaluationError(
  _ source: String, _ activation: NamedActivation = [:], in environment: CELEnvironment = CELEnvironment()
)
  throws -> EvaluationError?
{
  let program = try environment.compile(source)
  do throws(EvaluationError) {
    _ = try program.evaluate(activation)
    return nil
  } catch {
    return error
  }
}

@Suite("Evaluation") struct CELEvaluationTests {
  static func output(lost: Int64 = 0, isRunning: Bool = true) throws -> NamedActivation {
    let environment = sampleEnvironment()
    let rtt = try #require(environment.record(named: "Rtt"))
    let type = try #require(environment.record(named: "Output"))
    let milliseconds = { (count: Int64) in CELValue.duration(CELDuration(nanoseconds: count * 1_000_000)) }
    let record = CELRecord(
      type,
      [
        "running": .bool(isRunning), "lost": .int(lost), "sent": .int(50),
        "names": .list([.string("a"), .string("b")]),
        "rtt": .record(CELRecord(rtt, ["p50": milliseconds(10), "p95": milliseconds(40)])),
        "labels": .map(CELMap([("tier", .string("edge"))])),
      ])
    return NamedActivation([
      "output": .record(record), "maxRtt": milliseconds(200),
      "anything": .map(CELMap([("x", .map(CELMap([("y", .int(7))])))])),
    ])
  }

  @Test(
    "records, maps and lists of the host are read",
    arguments: [
      ("output.rtt.p95 <= maxRtt", CELValue.bool(true)), ("output.labels.tier", .string("edge")),
      ("has(output.rtt.worst)", .bool(false)), ("output.rtt.?worst.hasValue()", .bool(false)),
      ("has(output.rtt.p50) && output.names.exists(n, n == 'b')", .bool(true)), ("anything.x.y + 1", .int(8)),
      ("output.rtt == output.rtt", .bool(true)), ("output == Output{}", .bool(false)),
      ("type(output.rtt) == Rtt", .bool(true)), ("output.labels.?none.orValue('-')", .string("-")),
      ("Rtt{p50: maxRtt, p95: maxRtt}.p50 == maxRtt", .bool(true)), ("output.names.first().value()", .string("a")),
      ("string(output.rtt.p95)", .string("0.04s")),
    ])
  func hostValues(source: String, expected: CELValue) throws {
    var environment = sampleEnvironment()
    environment.declare(
      record: CELRecordType(
        "Output",
        fields: try #require(environment.record(named: "Output")).fields.map {
          .init($0.name, $0.type, isOptional: true)
        }))
    #expect(try environment.compile(source).evaluate(try Self.output()) == expected)
  }

  @Test(
    "an error says what and where",
    arguments: [
      ("1 + output.lost / (output.sent - 50)", EvaluationError.Code.divisionByZero, "output.lost / (output.sent - 50)"),
      ("output.rtt.worst < maxRtt", .noSuchField, "output.rtt.worst"),
      ("output.labels.none == ''", .noSuchKey, "output.labels.none"),
      ("output.names[2] == ''", .indexOutOfBounds, "output.names[2]"),
      ("anything.x.y.z", .noSuchOverload, "anything.x.y.z"), ("anything.x.z", .noSuchKey, "anything.x.z"),
      ("9223372036854775807 + output.sent", .overflow, "9223372036854775807 + output.sent"),
      ("optional.none().value() == 1", .emptyOptional, "optional.none().value()"),
      ("output.names[0].substring(5)", .indexOutOfBounds, "output.names[0].substring(5)"),
      ("[anything].map(a, a < 1)", .noSuchOverload, "a < 1"),
      ("int(output.names[0])", .invalidArgument, "int(output.names[0])"),
      ("{output.names[0]: 1, 'a': 2}", .duplicateKey, "'a'"),
      ("-(-9223372036854775807 - output.lost - 1)", .overflow, "-(-9223372036854775807 - output.lost - 1)"),
    ])
  func errors(source: String, code: EvaluationError.Code, place: String) throws {
    let error = try #require(try evaluationError(source, try Self.output(), in: sampleEnvironment()))
    #expect(error.code == code)
    #expect(text(error.range, of: source) == place)
  }

  @Test("a variable without a value is an error where it stands")
  func missingVariable() throws {
    let error = try #require(try evaluationError("maxRtt > duration('1s')", [:], in: sampleEnvironment()))
    #expect(error.code == .noValue)
    #expect(text(error.range, of: "maxRtt > duration('1s')") == "maxRtt")
  }

  @Test("an error that another operand or element makes irrelevant is reported as absorbed, with its place")
  func absorbedErrors() throws {
    let environment = sampleEnvironment()
    let cases: [(String, [String])] = [
      ("output.labels.none == '' || true", ["output.labels.none"]),
      ("true || output.labels.none == ''", []),
      ("output.labels.none == '' && false", ["output.labels.none"]),
      ("has(output.labels.none) && output.labels.none == ''", []),
      ("[0, 1, 2].exists(n, output.lost / n == 5 || n == 2)", ["output.lost / n"]),
      ("['x', 'tier'].exists(k, output.labels[k] == 'edge')", ["output.labels[k]"]),
      ("output.running", []),
    ]
    for (source, places) in cases {
      let observation = try environment.compile(source).observe(try Self.output())
      #expect(observation.absorbed.map { text($0.range, of: source) } == places, "\(source)")
      #expect((try? observation.result.get()) != nil)
    }
  }

  @Test("a trace has the value of every part that was evaluated")
  func trace() throws {
    let source = "output.rtt.p95 <= maxRtt && (output.lost > 0 || output.names.all(n, n != 'b'))"
    let program = try sampleEnvironment().compile(source)
    let observation = program.observe(try Self.output(), tracing: true)
    var values: [String: String] = [:]
    program.parsed.root.visit { node in
      values[text(node.range, of: source)] = observation.trace[node.id]?.description
    }
    #expect(values["output.rtt.p95"] == "duration('0.04s')")
    #expect(values["maxRtt"] == "duration('0.2s')")
    #expect(values["output.lost"] == "0")
    #expect(values["n != 'b'"] == "false")
    #expect(values[source] == "false")
    #expect(try observation.result.get() == .bool(false))
    #expect(program.observe(try Self.output()).trace.isEmpty)
  }

  @Test("values are asked for only when they are needed, and may fail")
  func lazyValues() throws {
    let program = try sampleEnvironment().compile("maxRtt > duration('1s') ? output.running : false")
    var asked: [String] = []
    let activation = LazyActivation { (variable) throws(EvaluationError) in
      asked.append(variable.name)
      if variable.name == "output" { throw EvaluationError(.host, "no output yet") }
      return .duration(CELDuration(nanoseconds: 1))
    }
    #expect(try program.evaluate(activation) == .bool(false))
    #expect(asked == ["maxRtt"])
    let failing = try sampleEnvironment().compile("output.running")
    let error = #expect(throws: EvaluationError.self) { try failing.evaluate(activation) }
    #expect(error?.code == .host)
    #expect(error?.range == CELSourceRange(0, 6))
  }

  @Test("one program is evaluated by many tasks at once")
  func concurrency() async throws {
    let environment = sampleEnvironment()
    let program = try environment.compile(
      "output.names.map(n, n + string(output.lost)).join('-').matches('^a[0-9]+-b')")
    try await withThrowingTaskGroup(of: CELValue.self) { group in
      for number in 0..<64 {
        group.addTask {
          let activation = try Self.output(lost: Int64(number))
          return try program.evaluate(activation)
        }
      }
      for try await value in group { #expect(value == .bool(true)) }
    }
  }

  @Test("slots, names and closures give the same values")
  func activations() throws {
    var environment = CELEnvironment()
    let a = environment.declare(variable: "a", type: .int)
    let b = environment.declare(variable: "b", type: .int)
    let program = try environment.compile("a * 10 + b")
    #expect((a.slot, b.slot) == (0, 1))
    #expect(try program.evaluate(SlotActivation([.int(4), .int(2)])) == .int(42))
    #expect(try program.evaluate(NamedActivation(["a": .int(4), "b": .int(2)])) == .int(42))
    #expect(throws: EvaluationError.self) { try program.evaluate(SlotActivation([.int(4)])) }
  }

  @Test("a host function is told from others by its arguments, and may fail")
  func hostFunctions() throws {
    var environment = CELEnvironment()
    environment.declare(variable: "x", type: .dyn)
    environment.declare(
      function: "show",
      Overload("show_int", [.int], .string, implementation: .unary { _ in .string("int") }),
      Overload("show_list", [.list(.dyn)], .string, implementation: .unary { _ in .string("list") }),
      Overload(
        "show_two", [.string, .int], .string,
        implementation: .binary { (text, _) throws(EvaluationError) in throw EvaluationError(.host, "two of \(text)") })
    )
    let program = try environment.compile("show(x)")
    #expect(try program.evaluate(NamedActivation(["x": .int(1)])) == .string("int"))
    #expect(try program.evaluate(NamedActivation(["x": .list([])])) == .string("list"))
    let error = #expect(throws: EvaluationError.self) { try program.evaluate(NamedActivation(["x": .bool(true)])) }
    #expect(error?.code == .noSuchOverload)
    let failure = try evaluationError("'a' + show('b', x)", ["x": .int(1)], in: environment)
    #expect(failure?.message == "two of 'b'")
    #expect(text(failure?.range, of: "'a' + show('b', x)") == "show('b', x)")
  }

  @Test("an impure function is called each time")
  func impureFunctions() throws {
    var environment = CELEnvironment()
    environment.declare(
      function: "now", Overload("now", [], .int, isPure: false, implementation: .variadic { _ in .int(1) }))
    #expect(try environment.compile("now()").constantValue == nil)
    #expect(try environment.compile("now()").checked?.isConstant == false)
    #expect(try environment.compile("now() + 1").evaluate() == .int(2))
  }
}
