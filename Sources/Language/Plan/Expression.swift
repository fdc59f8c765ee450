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

/// What an expression names, or all expressions of a document together: it tells whether a value can be known before the run
/// begins, in which order steps must be, and what nothing uses.
package struct Dependencies: Hashable, Sendable {
  package var params: Set<String> = []
  /// The inputs of a check.
  package var inputs: Set<String> = []
  package var secrets: Set<String> = []
  /// The ids of steps.
  package var steps: Set<String> = []
  /// The elements of loops, by the names that `as` gives them.
  package var elements: Set<String> = []
  /// The target as a whole.
  package var namesTarget = false
  /// A field of the target.
  package var namesFieldOfTarget = false
  /// `run` or `output`, which only a run gives, or `env`.
  package var namesRun = false

  package init(namesRun: Bool = false) { self.namesRun = namesRun }

  /// Whether it names what is given before a run begins, other than the target as a whole.
  package var namesGiven: Bool { namesFieldOfTarget || !params.isEmpty || !secrets.isEmpty }

  /// Whether it names something that only a run gives.
  package var needsRun: Bool { namesRun || !steps.isEmpty || !elements.isEmpty }

  package var usesTarget: Bool { namesTarget || namesFieldOfTarget }

  package mutating func formUnion(_ other: Dependencies) {
    params.formUnion(other.params)
    inputs.formUnion(other.inputs)
    secrets.formUnion(other.secrets)
    steps.formUnion(other.steps)
    elements.formUnion(other.elements)
    namesTarget = namesTarget || other.namesTarget
    namesFieldOfTarget = namesFieldOfTarget || other.namesFieldOfTarget
    namesRun = namesRun || other.namesRun
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
