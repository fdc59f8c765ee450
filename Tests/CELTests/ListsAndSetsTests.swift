import CEL
import Testing

@Suite("Lists and sets, as cel-go's extensions have them") struct ListsAndSetsTests {
  @Test(
    "an expression that holds",
    arguments: [
      "lists.range(4) == [0, 1, 2, 3]", "lists.range(0) == []", "lists.range(-1) == []",
      "[5, 1, 2, 3].reverse() == [3, 2, 1, 5]", "[].reverse() == []", "'abc'.reverse() == 'cba'",
      "[1, 2, 3, 4].slice(0, 4) == [1, 2, 3, 4]", "[1, 2, 3, 4].slice(4, 4) == []",
      "[1, 2, 3, 4].slice(1, 3) == [2, 3]",
      "dyn([]).flatten() == []", "dyn([1, 2]).flatten() == [1, 2]", "[1, [2, [3, 4]]].flatten() == [1, 2, [3, 4]]",
      "[1, 2, [], [], [3, 4]].flatten() == [1, 2, 3, 4]", "[1, [2, [3, [4]]]].flatten(2) == [1, 2, 3, [4]]",
      "[[1], [2]].flatten(0) == [[1], [2]]",
      "[].sort() == []", "[4, 3, 2, 1].sort() == [1, 2, 3, 4]", "['d', 'a', 'é', 'b'].sort() == ['a', 'b', 'd', 'é']",
      "[true, false].sort() == [false, true]", "[b'b', b'a', b''].sort() == [b'', b'a', b'b']",
      "[duration('2s'), duration('1s')].sort() == [duration('1s'), duration('2s')]",
      "[timestamp('2026-01-02T00:00:00Z'), timestamp('2026-01-01T00:00:00Z')].sort()[0].getDayOfMonth() == 0",
      "[].sortBy(e, e) == []", "[-3, 1, -5, -2, 4].sortBy(e, -(e * e)) == [-5, 4, -3, -2, 1]",
      "lists.range(3).sortBy(e, -e) == [2, 1, 0]",
      "['a', 'c', 'b', 'first'].sortBy(e, e == 'first' ? '' : e) == ['first', 'a', 'b', 'c']",
      "[{'n': 'foo', 's': 0}, {'n': 'bar', 's': -10}].sortBy(p, p.s).map(p, p.n) == ['bar', 'foo']",
      // Of equal keys the first stays first.
      "['bb', 'a', 'aa', 'b'].sortBy(e, e.size()) == ['a', 'b', 'bb', 'aa']",
      "[].distinct() == []", "[-2, 5, -2, 1, 1, 5].distinct() == [-2, 5, 1]",
      "[1, 2.0, 'c', 3, 'c', 1].distinct() == [1, 2.0, 'c', 3]", "[1, 1.0, 2].distinct() == [1, 2]",
      "[[1], [1], [2]].distinct() == [[1], [2]]", "[2.5, 2.5, b'a', b'a', null, null].distinct() == [2.5, b'a', null]",
      "[0.0 / 0.0, 0.0 / 0.0].distinct().size() == 2",
      "sets.contains([], [])", "!sets.contains([], [1])", "sets.contains([1, 2, 3, 4], [2, 3])",
      "sets.contains([1, 2.0, 3u], [1.0, 2u, 3])", "sets.contains([[1], [2, 3]], [[2, 3.0]])",
      "!sets.contains([1], [2])",
      "sets.equivalent([], [])", "sets.equivalent([1], [1, 1])", "sets.equivalent([1, 2, 3], [3u, 2.0, 1])",
      "!sets.equivalent([2, 1], [1])", "!sets.equivalent([1], [1, 2])",
      "!sets.intersects([1], [])", "sets.intersects([1], [1, 2])", "!sets.intersects([1], [2])",
      "sets.intersects([[1], [2, 3]], [[1, 2], [2, 3.0]])",
    ])
  func holds(source: String) throws {
    let environment = CELEnvironment()
    let parsed = try environment.parse(source)
    #expect(try environment.program(try environment.check(parsed)).evaluate() == .bool(true))
    #expect(try environment.program(unchecked: parsed).evaluate() == .bool(true))
  }

  @Test(
    "an expression that has no value",
    arguments: [
      ("[1, 2].slice(2, 0)", EvaluationError.Code.indexOutOfBounds), ("[1, 2].slice(0, 3)", .indexOutOfBounds),
      ("[1, 2].slice(-1, 1)", .indexOutOfBounds), ("[1].flatten(-1)", .invalidArgument),
      ("dyn({}).flatten()", .noSuchOverload), ("dyn(['d', 3]).sort()", .noSuchOverload),
      ("dyn([[1]]).sort()", .noSuchOverload), ("[0.0 / 0.0, 1.0].sort()", .invalidArgument),
      ("[1, 2].sortBy(e, dyn([e]))", .noSuchOverload), ("lists.range(9223372036854775807)", .costExceeded),
      ("lists.range(500000).map(x, lists.range(3)).flatten()", .costExceeded),
      ("sets.equivalent(lists.range(2000), lists.range(2000).reverse())", .costExceeded),
    ])
  func fails(source: String, code: EvaluationError.Code) throws {
    var environment = CELEnvironment()
    environment.validatesConstants = false
    let program = try environment.compile(source)
    let error = #expect(throws: EvaluationError.self) { try program.evaluate() }
    #expect(error?.code == code)
  }

  @Test(
    "an expression of the wrong types does not compile",
    arguments: [
      "[1].sort('a')", "{'a': 1}.sortBy(k, k)", "[1].sortBy(e, [e])", "sets.contains([1], ['a'])", "'a'.slice(0, 1)",
      "lists.range('a')", "['a'].flatten()",
    ])
  func refused(source: String) {
    #expect(throws: CompileError.self) { try CELEnvironment().compile(source) }
  }

  @Test("an environment without the libraries has none of them")
  func left() {
    let libraries = Set(CELLibrary.allCases).subtracting([.lists, .sets])
    for source in ["[1].sort()", "[1].sortBy(e, e)", "lists.range(1)", "sets.contains([1], [1])"] {
      #expect(throws: CompileError.self) { try CELEnvironment(libraries: libraries).compile(source) }
    }
  }
}
