package import Journal
package import Schema
package import Steps

/// A checked runbook, ready to be driven: every name resolved, every type known, every value that can be known, known.
package struct Plan: Sendable {
  /// The runbook's name, or `checks/NAME`.
  package var name: String
  package var title: String
  /// `P1` to `P4`.
  package var severity: String?
  /// Parameters with their values, in declared order.
  package var params: [Value.Member]
  /// Their declared types, by name.
  package var paramTypes: [String: ValueType]
  package var target: TURNServer?
  /// Every secret that the runbook may use, by name; each was found before the run.
  package var secrets: [String: Secret]
  /// Of the whole run, from its start.
  package var timeout: Duration?
  package var steps: [PlannedStep]
  /// `runbook.yaml`, the runbook and every check it uses, by paths relative to the project, with their exact bytes.
  package var sources: [RunSource]

  package init(
    name: String, title: String, severity: String?, params: [Value.Member], paramTypes: [String: ValueType] = [:],
    target: TURNServer?, secrets: [String: Secret], timeout: Duration?, steps: [PlannedStep], sources: [RunSource]
  ) {
    self.name = name
    self.title = title
    self.severity = severity
    self.params = params
    self.paramTypes = paramTypes
    self.target = target
    self.secrets = secrets
    self.timeout = timeout
    self.steps = steps
    self.sources = sources
  }
}

/// One step of a plan.
package struct PlannedStep: Sendable {
  package var id: String
  /// Its `title`, or the id where it has none.
  package var title: String
  package var action: Action
  /// `if`: false makes it skipped.
  package var condition: Expression?
  package var until: Expression?
  package var expectations: [Expectation]
  package var retry: RetryPolicy?
  /// Of one try.
  package var timeout: Duration
  package var onFailure: OnFailure
  /// Recorded, never counted.
  package var isDiagnostic: Bool
  /// The step declares `effect: observe`: its author vouches for it that the module only reads here.
  package var claimsToObserve: Bool
  package var range: SourceRange

  package enum Action: Sendable {
    /// A module and the template of its input, a record of the module's input type.
    case module(AnyStepModule, input: Template)
    case check(PlannedCheck)
  }

  package enum OnFailure: String, Sendable, CaseIterable {
    /// The steps after it are not run.
    case stop
    /// Counted in the outcome, and the run goes on.
    case `continue`
  }

  package init(
    id: String, title: String, action: Action, condition: Expression?, until: Expression?, expectations: [Expectation],
    retry: RetryPolicy?, timeout: Duration, onFailure: OnFailure, isDiagnostic: Bool,
    claimsToObserve: Bool = false, range: SourceRange
  ) {
    self.id = id
    self.title = title
    self.action = action
    self.condition = condition
    self.until = until
    self.expectations = expectations
    self.retry = retry
    self.timeout = timeout
    self.onFailure = onFailure
    self.isDiagnostic = isDiagnostic
    self.claimsToObserve = claimsToObserve
    self.range = range
  }

  /// What `use` names.
  package var use: String {
    switch action {
    case .module(let module, _): module.name
    case .check(let check): "checks/\(check.name)"
    }
  }

  /// The module's effect, unless the step claims to observe, or the strongest of a check's steps.
  package var effect: Effect {
    switch action {
    case .module(let module, _): claimsToObserve ? .observe : module.effect
    case .check(let check): check.steps.map(\.effect).max() ?? .observe
    }
  }
}

/// A check as one step uses it: its own scope, its inputs bound by the caller.
package struct PlannedCheck: Sendable {
  package var name: String
  package var title: String
  /// A record of the check's inputs, in the caller's scope; it becomes `inputs` inside.
  package var input: Template
  package var inputType: RecordType
  package var steps: [PlannedStep]
  /// Evaluated in the check's own scope once all of its steps have ended.
  package var outputs: [Output]

  package struct Output: Sendable {
    package var declaration: FieldDeclaration
    package var value: Expression

    package init(declaration: FieldDeclaration, value: Expression) {
      self.declaration = declaration
      self.value = value
    }
  }

  package init(
    name: String, title: String, input: Template, inputType: RecordType, steps: [PlannedStep], outputs: [Output]
  ) {
    self.name = name
    self.title = title
    self.input = input
    self.inputType = inputType
    self.steps = steps
    self.outputs = outputs
  }
}

/// One line of `expect`.
package struct Expectation: Sendable {
  package var that: Expression
  package var severity: JudgedExpectation.Severity
  /// What the author says of it where it does not hold; text that may hold expressions.
  package var message: Template?

  package init(that: Expression, severity: JudgedExpectation.Severity, message: Template?) {
    self.that = that
    self.severity = severity
    self.message = message
  }
}

/// When a try is repeated.
package struct RetryPolicy: Hashable, Sendable {
  /// Tries after the first.
  package var times: Int
  /// Before the second try.
  package var backoff: Duration
  /// By which each wait is longer than the one before.
  package var factor: Double
  package var maxDelay: Duration
  /// The part of a wait that is drawn at random, 0 to 1.
  package var jitter: Double

  package init(times: Int, backoff: Duration, factor: Double, maxDelay: Duration, jitter: Double) {
    self.times = times
    self.backoff = backoff
    self.factor = factor
    self.maxDelay = maxDelay
    self.jitter = jitter
  }

  /// The wait after try number `attempt` (from 1), without jitter.
  package func delay(after attempt: Int) -> Duration {
    var delay = backoff
    for _ in 1..<max(1, attempt) where delay < maxDelay { delay = delay * factor }
    return min(delay, maxDelay)
  }
}
