internal import CEL
package import Schema

/// One expression, tried by its author outside of any runbook.
package struct Trial: Sendable {
  /// The type that the checker deduced, as CEL names it: `list(int)`.
  package let type: String
  package let result: Result<Answer, Problem>

  /// What the expression came to.
  package struct Answer: Hashable, Sendable {
    /// As CEL writes it: `[1, 2]`, `duration("1.5s")`.
    package let text: String
    package let json: JSON
  }

  /// Why it cannot be compiled, or has no value.
  package struct Problem: Error, Hashable, Sendable {
    package let message: String
    package let suggestion: String?
    /// Where in the expression, in Unicode scalars from 0.
    package let range: Range<Int>
  }

  /// Compiles and evaluates an expression with the functions that runbooks have.
  ///
  /// - Parameter bindings: variables by name; those of nested values have no declared type.
  /// - Throws: every problem that keeps it from being compiled.
  package init(of source: String, bindings: [JSON.Member] = []) throws(Issues) {
    var environment = Bindings.standard
    var values: [String: CELValue] = [:]
    for binding in bindings {
      let value = Value(binding.value)
      let bound: CELValue
      do throws(EvaluationError) { bound = try Shape.any.expressionValue(value, revealing: false) } catch {
        throw Issues([Self.issue("invalid-binding", "\(binding.name): \(error.message)", source, nil)])
      }
      environment.declare(variable: binding.name, type: Self.type(of: value))
      values[binding.name] = bound
    }
    let program: Program
    do throws(CompileError) { program = try environment.compile(source) } catch {
      throw Issues(
        error.problems.map { problem in
          Self.issue(
            problem.code.description, problem.message, source, problem.range,
            problem.suggestion.map { "did you mean \"\($0)\"?" })
        })
    }
    type = program.type.description
    do throws(EvaluationError) {
      let value = try program.evaluate(NamedActivation(values))
      let text = try value.text()
      result = .success(Answer(text: text, json: try ValueJSON.json(value)))
    } catch {
      let range = error.range.map { Self.scalars($0, in: source) } ?? 0..<source.unicodeScalars.count
      result = .failure(Problem(message: error.message, suggestion: nil, range: range))
    }
  }

  private static func type(of value: Value) -> CELType {
    switch value {
    case .bool: .bool
    case .int: .int
    case .double: .double
    case .string: .string
    case .list: .list(.dyn)
    case .members: .map(.string, .dyn)
    default: .dyn
    }
  }

  private static func scalars(_ range: CEL.SourceRange, in source: String) -> Range<Int> {
    func count(_ offset: Int) -> Int {
      String(decoding: source.utf8.prefix(offset), as: UTF8.self).unicodeScalars.count
    }
    return count(range.start)..<max(count(range.start) + 1, count(range.end))
  }

  private static func issue(
    _ code: String, _ message: String, _ source: String, _ range: CEL.SourceRange?, _ suggestion: String? = nil
  ) -> Issue {
    let scalars = range.map { Self.scalars($0, in: source) } ?? 0..<1
    let line = SourceRange(
      file: "expression", line: 1, column: scalars.lowerBound + 1, endColumn: scalars.upperBound + 1)
    return Issue(.error, code, message, at: line, suggestion: suggestion)
  }
}
