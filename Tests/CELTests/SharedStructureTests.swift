import CEL
import Testing

@Suite("Values that hold one part many times") struct SharedStructureTests {
  /// A list that holds the one below it twice, so many levels high.
  static func doubled(_ levels: Int) -> String {
    let binds = (1...levels).map { "cel.bind(a\($0), [a\($0 - 1), a\($0 - 1)], " }
    return "cel.bind(a0, 'x', " + binds.joined() + "a\(levels)" + String(repeating: ")", count: levels + 1)
  }

  @Test("a text beyond the limit is an error that names the limit", arguments: [20, 45, 90])
  func refused(levels: Int) throws {
    let value = try CELEnvironment().compile(Self.doubled(levels)).evaluate()
    let error = #expect(throws: EvaluationError.self) { try value.text() }
    #expect(error?.code == .limitExceeded)
    #expect(error?.message.contains("\(CELValue.longestText) octets") == true)
    #expect(value.description.hasSuffix("…") && value.description.utf8.count < 2 * CELValue.longestText)
  }

  @Test("within the limit the text is whole")
  func whole() throws {
    let value = try CELEnvironment().compile(Self.doubled(2)).evaluate()
    #expect(try value.text() == "[['x', 'x'], ['x', 'x']]")
    #expect(try value.text(limit: 24) == value.description)
    #expect(throws: EvaluationError.self) { try value.text(limit: 23) }
  }
}

@Suite("What is evaluated only where it is needed") struct LazinessTests {
  @Test(
    "a failing part that is not needed is no error",
    arguments: [
      "optional.of(1).orValue(1 / 0) == 1", "optional.of(1).or(optional.of(1 / 0)) == optional.of(1)",
      "cel.bind(x, 1 / 0, true)", "cel.bind(x, 1 / 0, x == 1 || true)", "cel.bind(x, 1 / 0, cel.bind(y, x, true))",
      "cel.bind(x, 1 / 0, cel.bind(x, 2, x == 2))", "[1, 2].all(i, cel.bind(x, 1 / (i - 1), i == 1 || x == 1))",
      "optional.none().orValue(1) == 1", "optional.none().or(optional.of(2)).value() == 2",
    ])
  func notNeeded(source: String) throws {
    let parsed = try CELEnvironment().parse(source)
    let program = try CELEnvironment().compile(source)
    #expect(try program.evaluate() == .bool(true))
    #expect(try program.observe(SlotActivation([]), tracing: true).result.get() == .bool(true))
    #expect(try CELEnvironment().program(unchecked: parsed).evaluate() == .bool(true))
  }

  @Test(
    "where it is needed, the error is that of the part",
    arguments: [
      "optional.none().orValue(1 / 0)", "cel.bind(x, 1 / 0, x)", "cel.bind(x, 1 / 0, cel.bind(y, x + 1, y))",
      "cel.bind(x, 1 / 0, [x, x])",
    ])
  func needed(source: String) throws {
    let error = try evaluationError(source)
    #expect(error?.code == .divisionByZero)
    #expect(text(error?.range, of: source) == "1 / 0")
  }
}
