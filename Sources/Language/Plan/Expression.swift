package import Journal
package import Schema

/// A checked expression of the runbook language with its source.
package struct Expression: Sendable {
  /// As written, without the `${…}` around it.
  package let source: String
  package let type: ValueType
  package let range: SourceRange
  /// What it names.
  package let dependencies: Dependencies
  private let body: @Sendable (Scope, Bool) throws(ExpressionError) -> Evaluation

  /// What an expression came to.
  package struct Evaluation: Sendable {
    package var value: Value
    /// The compared parts and what they came to, for a report; secrets masked.
    package var parts: [ActualValue]

    package init(value: Value, parts: [ActualValue]) {
      self.value = value
      self.parts = parts
    }
  }

  package init(
    source: String, type: ValueType, range: SourceRange, dependencies: Dependencies = Dependencies(namesRun: true),
    evaluation: @escaping @Sendable (Scope, _ isStrict: Bool) throws(ExpressionError) -> Evaluation
  ) {
    self.source = source
    self.type = type
    self.range = range
    self.dependencies = dependencies
    body = evaluation
  }

  /// Evaluates in a scope. Errors inside an operand are absorbed as CEL defines it.
  package func value(in scope: Scope) throws(ExpressionError) -> Value { try body(scope, false).value }

  /// Evaluates what is expected: an error that CEL would absorb (`true || error`) is thrown, since a missing value is
  /// never a pass. Gives the parts as well.
  package func judge(in scope: Scope) throws(ExpressionError) -> Evaluation { try body(scope, true) }
}

/// What an expression names, which tells whether its value can be known before the run begins.
package struct Dependencies: Hashable, Sendable {
  /// The inputs of a check.
  package var inputs: Set<String> = []
  /// `params`, `secrets`, or something of the target.
  package var namesGiven = false
  /// The target as a whole.
  package var namesTarget = false
  /// `steps`, `run` or `output`, which only a run gives.
  package var namesRun = false

  package init(
    inputs: Set<String> = [], namesGiven: Bool = false, namesTarget: Bool = false, namesRun: Bool = false
  ) {
    self.inputs = inputs
    self.namesGiven = namesGiven
    self.namesTarget = namesTarget
    self.namesRun = namesRun
  }
}

/// Why an expression has no value in a scope.
package struct ExpressionError: Error, Hashable, Sendable {
  package var message: String
  package var range: SourceRange
  /// What the parts that could be evaluated came to.
  package var parts: [ActualValue]

  package init(message: String, range: SourceRange, parts: [ActualValue] = []) {
    self.message = message
    self.range = range
    self.parts = parts
  }
}
