internal import CEL
package import Schema

/// One expression, tried by its author outside of any runbook.
package struct ExpressionEvaluation: Sendable {
  /// The file that issues name for the expression.
  package static let sourceName = "expression"

  /// The type that the checker deduced, as CEL names it: `list(int)`.
  package let type: String
  /// The value, or why there is none, at its place in the expression.
  package let result: Result<EvaluatedValue, Issue>

  /// What the expression came to.
  package struct EvaluatedValue: Hashable, Sendable {
    /// As CEL writes it: `[1, 2]`, `duration("1.5s")`.
    package let text: String
    package let json: JSON
  }

  /// Compiles and evaluates an expression with the functions that runbooks have.
  ///
  /// - Parameter bindings: a JSON or YAML file of variables by name; those of nested values have no declared type.
  /// - Throws: every problem that keeps it from being compiled.
  package init(of given: String, bindings: (name: String, bytes: [UInt8])? = nil) throws(Issues) {
    // A byte order mark is no part of the expression; a file that is piped may begin with one.
    let source = given.unicodeScalars.first == "\u{FEFF}" ? String(given.unicodeScalars.dropFirst()) : given
    var environment = Bindings.standard
    var values: [String: CELValue] = [:]
    var variables: [(name: String, value: Value)] = []
    if let bindings { variables = try EvaluationBindings.read(bindings) }
    for (name, value) in variables {
      do throws(EvaluationError) { values[name] = try Shape.any.expressionValue(value, revealing: false) } catch {
        let place = SourceRange(file: bindings?.name ?? "", line: 1, column: 1)
        throw Issues([Issue(.error, "invalid-binding", "\(name): \(error.message)", at: place)])
      }
      environment.declare(variable: name, type: Self.type(of: value))
    }
    let text = SourceText(file: Self.sourceName, text: source)
    func range(_ range: CELSourceRange?) -> Schema.SourceRange {
      func index(_ offset: Int) -> Int {
        String(decoding: source.utf8.prefix(offset), as: UTF8.self).unicodeScalars.count
      }
      guard let range else { return text.range(0, text.scalars.count) }
      return text.range(index(range.start), max(index(range.start) + 1, index(range.end)))
    }
    let program: CELProgram
    do throws(CompileError) { program = try environment.compile(source) } catch {
      throw Issues(
        error.problems.map { problem in
          Issue(
            .error, problem.code.issueCode, problem.message, at: range(problem.range),
            meant: problem.suggestion)
        })
    }
    type = program.type.description
    do throws(EvaluationError) {
      let value = try program.evaluate(NamedActivation(values))
      let written = try value.text()
      result = .success(EvaluatedValue(text: written, json: try ValueJSON.json(value)))
    } catch {
      result = .failure(Issue(.error, "no-value", error.message, at: range(error.range)))
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
}
