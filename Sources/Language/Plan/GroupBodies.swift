package import Journal
package import Schema

/// How often a check or a group of steps is tried as a whole.
package struct Tries: Sendable {
  /// The last try must have made this true.
  package var until: Expression?
  package var retry: RetryPolicy?
  /// Of one try; nil if only the steps inside are limited.
  package var timeout: Duration?

  package init(until: Expression? = nil, retry: RetryPolicy? = nil, timeout: Duration? = nil) {
    self.until = until
    self.retry = retry
    self.timeout = timeout
  }

  /// The longest that all tries and the waits between them may take, when the steps of one try take `steps`.
  func longest(_ steps: Duration) -> Duration {
    let one = timeout.map { min($0, steps) } ?? steps
    return retry?.longest(trying: one) ?? one
  }
}

/// `parallel`: steps that go on at the same time. None sees another, and one that fails leaves the others alone.
package struct ParallelGroup: Sendable {
  package var steps: [PlannedStep]
  /// How many go on at the same time at most.
  package var limit: Int
  package var expectations: [Expectation]
  package var tries: Tries

  package init(_ steps: [PlannedStep], limit: Int, expectations: [Expectation] = [], tries: Tries = Tries()) {
    self.steps = steps
    self.limit = limit
    self.expectations = expectations
    self.tries = tries
  }
}

/// `forEach`: the same steps once for each element of a list. All elements run, whatever some of them come to.
package struct Loop: Sendable {
  /// Gives the list; it is evaluated once.
  package var list: Expression
  package var itemType: ValueType
  /// `as`: the name of the element in the expressions of the steps.
  package var variable: String
  /// How many elements go on at the same time at most.
  package var limit: Int
  package var steps: [PlannedStep]
  package var expectations: [Expectation]
  package var tries: Tries

  /// The most steps that the elements of one loop may have together.
  package static let maximumCount = 100_000

  package init(
    list: Expression, itemType: ValueType, variable: String, limit: Int, steps: [PlannedStep],
    expectations: [Expectation] = [], tries: Tries = Tries()
  ) {
    self.list = list
    self.itemType = itemType
    self.variable = variable
    self.limit = limit
    self.steps = steps
    self.expectations = expectations
    self.tries = tries
  }

  /// How many steps one element has, itself and all that lie inside it.
  package var countPerElement: Int { 1 + steps.reduce(0) { $0 + $1.count } }
}

/// `phase`: steps one after the other that are to have ended at a time.
package struct Phase: Sendable {
  package var steps: [PlannedStep]
  /// From the run's start.
  package var deadline: Duration
  package var expectations: [Expectation]
  package var tries: Tries

  /// What the journal has of it where a step of a module has its input.
  static let inputType = RecordType(fields: [
    FieldDeclaration(name: "deadline", type: .duration, summary: "From the run's start.")
  ])

  package init(
    _ steps: [PlannedStep], deadline: Duration, expectations: [Expectation] = [], tries: Tries = Tries()
  ) {
    self.steps = steps
    self.deadline = deadline
    self.expectations = expectations
    self.tries = tries
  }
}

extension PlannedStep {
  /// The step itself and all that lie inside it; of a loop those of one element.
  package var count: Int { 1 + body.steps.reduce(0) { $0 + $1.count } }

  /// Every effect that the step can have: that of the module's call, or those of the steps inside.
  package var effects: Set<Effect> {
    switch body {
    case .call(let call): [call.effect]
    // Who agreed to what is recorded, and nothing else is done.
    case .ask: [.record]
    case .check, .parallel, .forEach, .element, .phase, .undo: body.steps.reduce(into: []) { $0.formUnion($1.effects) }
    }
  }

  /// True if all that it does is to tell somebody: it stops nothing then.
  package var onlyNotifies: Bool { effects == [.notify] }
}

extension StepBody {
  /// True for what has steps of the same document inside.
  var isGroup: Bool {
    switch self {
    case .parallel, .forEach, .phase: true
    case .call, .check, .element, .undo, .ask: false
    }
  }

  /// Puts other steps into a group.
  mutating func replaceSteps(_ steps: [PlannedStep]) {
    switch self {
    case .parallel(var group):
      group.steps = steps
      self = .parallel(group)
    case .forEach(var loop):
      loop.steps = steps
      self = .forEach(loop)
    case .phase(var phase):
      phase.steps = steps
      self = .phase(phase)
    case .call, .check, .element, .undo, .ask: break
    }
  }
}
