package import Journal
package import Schema
package import Steps

/// What a step does. A new construct is a case here, and the types and the engine say what it means.
package indirect enum StepBody: Sendable {
  case call(ModuleCall)
  case check(CheckCall)
  case parallel(ParallelGroup)
  case forEach(Loop)
  /// One element of a loop, with the loop's steps: the engine makes it when its turn has come, and no plan holds it.
  case element([PlannedStep])
  case phase(Phase)
  /// Steps, one after the other, that take the effect of another step back.
  case undo([PlannedStep])
  case ask(Question)

  /// The template of the input, and its type; empty for a group.
  package var input: (template: Template, type: RecordType) {
    switch self {
    case .call(let call): (call.input, call.module.input)
    case .check(let check): (check.input, check.inputType)
    case .phase(let phase): (.literal(.members([.init("deadline", .duration(phase.deadline))])), Phase.inputType)
    case .parallel, .forEach, .element, .undo: (.literal(.members([])), RecordType(fields: []))
    case .ask(let question): (question.input, Question.inputType)
    }
  }

  /// The steps inside; of a loop those of one element.
  package var steps: [PlannedStep] {
    switch self {
    case .call, .ask: []
    case .check(let check): check.steps
    case .parallel(let group): group.steps
    case .forEach(let loop): loop.steps
    case .element(let steps), .undo(let steps): steps
    case .phase(let phase): phase.steps
    }
  }

  /// How often it is tried as a whole; a module's call has its own `retry`.
  package var tries: Tries {
    switch self {
    case .call, .element, .undo, .ask: Tries()
    case .check(let check): check.tries
    case .parallel(let group): group.tries
    case .forEach(let loop): loop.tries
    case .phase(let phase): phase.tries
    }
  }

  /// Judged once, after the last try.
  package var expectations: [Expectation] {
    switch self {
    case .call(let call): call.expectations
    case .check(let check): check.expectations
    case .parallel(let group): group.expectations
    case .forEach(let loop): loop.expectations
    case .element, .undo: []
    case .phase(let phase): phase.expectations
    case .ask(let question): question.expectations
    }
  }
}

/// A module as one step calls it.
package struct ModuleCall: Sendable {
  package var module: AnyStepModule
  /// The template of a record of the module's input type.
  package var input: Template
  package var until: Expression?
  package var expectations: [Expectation]
  package var retry: RetryPolicy?
  /// Of one try.
  package var timeout: Duration
  /// The step declares `effect: observe`: its author vouches for it that the module only reads here.
  package var claimsToObserve: Bool
  /// Where its `command` names the program; nil if the module takes none.
  package var programRange: SourceRange?

  package init(
    module: AnyStepModule, input: Template, until: Expression? = nil, expectations: [Expectation] = [],
    retry: RetryPolicy? = nil, timeout: Duration, claimsToObserve: Bool = false,
    programRange: SourceRange? = nil
  ) {
    self.module = module
    self.input = input
    self.until = until
    self.expectations = expectations
    self.retry = retry
    self.timeout = timeout
    self.claimsToObserve = claimsToObserve
    self.programRange = programRange
  }

  /// The module's effect, unless the step claims to observe.
  package var effect: Effect { claimsToObserve ? .observe : module.effect }
}

/// A check as one step uses it: its own scope, its inputs bound by the caller.
package struct CheckCall: Sendable {
  package var name: String
  package var title: String
  /// A record of the check's inputs, in the caller's scope; it becomes `inputs` inside.
  package var input: Template
  package var inputType: RecordType
  package var steps: [PlannedStep]
  /// Evaluated in the check's own scope once all of its steps have ended.
  package var outputs: [Output]
  /// In the check's own scope, its inputs.
  package var lock: LockName?
  /// The caller's.
  package var expectations: [Expectation]
  /// The longest that its steps may take together.
  package var longest: Duration
  package var tries: Tries

  package struct Output: Sendable {
    package var declaration: FieldDeclaration
    package var value: Expression

    package init(declaration: FieldDeclaration, value: Expression) {
      self.declaration = declaration
      self.value = value
    }
  }

  package init(
    name: String, title: String, input: Template, inputType: RecordType, steps: [PlannedStep], outputs: [Output],
    lock: LockName? = nil, expectations: [Expectation] = [], longest: Duration, tries: Tries = Tries()
  ) {
    self.name = name
    self.title = title
    self.input = input
    self.inputType = inputType
    self.steps = steps
    self.outputs = outputs
    self.lock = lock
    self.expectations = expectations
    self.longest = longest
    self.tries = tries
  }

  package var outputType: RecordType { RecordType(fields: outputs.map(\.declaration)) }
}
