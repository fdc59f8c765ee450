import CEL
import Foundation
import Testing

/// Runs `body` on a thread with a stack of 512 KiB, as the threads of the cooperative pool have.
func onSmallStack<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
  await withCheckedContinuation { continuation in
    let thread = Thread { continuation.resume(returning: body()) }
    thread.stackSize = 512 * 1024
    thread.start()
  }
}

@Suite("deep and long expressions on a small stack") struct SmallStackTests {
  enum Outcome: Sendable, Equatable {
    case value
    case refused
    case failed
  }

  static func outcome(of source: String) -> Outcome {
    var environment = CELEnvironment()
    environment.declare(variable: "x", type: .dyn)
    do throws(CompileError) {
      let program = try environment.compile(source)
      _ = program.checked?.root.unparsed
      _ = program.checked?.estimatedCost()
      _ = program.checked?.paths
      do throws(EvaluationError) {
        _ = try program.evaluate(NamedActivation(["x": .int(1)]))
        _ = program.observe(NamedActivation(["x": .int(1)]), tracing: true)
        return .value
      } catch {
        return .failed
      }
    } catch {
      return error.problems[0].code == .limitExceeded ? .refused : .failed
    }
  }

  /// Expressions that nest `depth` levels, each in its own way.
  static func nested(_ depth: Int) -> [String: String] {
    func repeated(_ text: String) -> String { String(repeating: text, count: depth) }
    return [
      "parentheses": repeated("(") + "x" + repeated(")"),
      "lists": repeated("[") + "x" + repeated("]"),
      "maps": repeated("{1: ") + "x" + repeated("}"),
      "calls": repeated("dyn(") + "x" + repeated(")"),
      "member calls": "x" + repeated(".orValue(1)"),
      "conditionals": repeated("true ? x : ") + "x",
      "nested conditionals": repeated("(true ? ") + "x" + repeated(" : x)"),
      "not": repeated("!") + "(x == 1)",
      "minus": repeated("-") + "x",
      "minus in brackets": repeated("-(") + "x" + repeated(")"),
      "sum": "x" + repeated(" + x"),
      "sum to the right": repeated("x + (") + "x" + repeated(")"),
      "and": "x == 1" + repeated(" && x == 1"),
      "and to the right": repeated("x == 1 && (") + "x == 1" + repeated(")"),
      "selection": "x" + repeated(".a"),
      "optional selection": "x" + repeated(".?a"),
      "index": "x" + repeated("[0]"),
      "index within": repeated("x[") + "0" + repeated("]"),
      "macros": repeated("[1].all(y, ") + "true" + repeated(")"),
      "map macros": repeated("[1].map(y, ") + "x" + repeated(")"),
      "chained macros": "[x]" + repeated(".map(y, y)"),
      "binds": repeated("cel.bind(y, x, ") + "x" + repeated(")"),
      "records": repeated("google.protobuf.Value{list_value: [") + "x" + repeated("]}"),
      "optional map": "optional.of(x)" + repeated(".optMap(y, y)"),
    ]
  }

  @Test("at the greatest depth everything is evaluated", arguments: nested(98).keys.sorted())
  func greatestDepth(form: String) async throws {
    let source = try #require(Self.nested(form.hasPrefix("records") ? 48 : 98)[form])
    let outcome = await onSmallStack { Self.outcome(of: source) }
    #expect(
      outcome == .value
        || (outcome == .failed
          && [
            "member calls", "selection", "index", "optional selection",
            "index within",
          ].contains(form))
    )
  }

  @Test("beyond the limit everything is refused or evaluated", arguments: nested(1).keys.sorted())
  func beyondTheLimit(form: String) async throws {
    for depth in [150, 3000] {
      let source = try #require(Self.nested(depth)[form])
      let outcome = await onSmallStack { Self.outcome(of: source) }
      // A chain of `&&` is a balanced tree, and brackets alone make no node: neither is deep.
      #expect(outcome == (["and", "parentheses"].contains(form) ? .value : .refused))
    }
  }

  @Test(
    "values of the host that are nested without limit are compared and formatted, or refused", arguments: [90, 5000])
  func deepValues(depth: Int) async throws {
    var environment = CELEnvironment()
    environment.declare(variable: "x", type: .dyn)
    let programs = [
      try environment.compile("x == [x] || x == x"), try environment.compile("x in [x]"),
      try environment.compile("'%s'.format([x]).size() > 0"),
      try environment.compile("optional.ofNonZeroValue(x).hasValue()"),
    ]
    // Without the outer levels, so that letting go of the value does not nest either.
    var levels = [CELValue.list([])]
    for _ in 0..<depth { levels.append(.list([levels[levels.count - 1]])) }
    let value = levels[depth]
    let results = await onSmallStack {
      programs.map { program in
        Result { () throws(EvaluationError) in try program.evaluate(NamedActivation(["x": value])) }
      }
    }
    for result in results {
      switch result {
      case .success(let value): #expect(value == .bool(true))
      case .failure(let error): #expect(depth > 100 && error.code == .overflow)
      }
    }
    while levels.count > 1 { levels.removeLast() }
  }
}
