package import Schema

/// A step began: a module's step before its first try, or a check before its first step.
package struct StepStarted: StepEvent {
  package var path: StepPath
  package var title: String
  /// The module's name, or `checks/NAME`.
  package var use: String
  /// The module's effect; a check's strongest.
  package var effect: Effect
  /// What `with` came to, secrets masked.
  package var input: Value
  /// True if its outcome is not counted.
  package var diagnostic: Bool

  package init(
    path: StepPath, title: String, use: String, effect: Effect, input: Value, diagnostic: Bool
  ) {
    self.path = path
    self.title = title
    self.use = use
    self.effect = effect
    self.input = input
    self.diagnostic = diagnostic
  }

  package static let type = "step.started"
  package static let summary = "A step began, with what its inputs came to."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), title: $2, use: $3, effect: $4, input: $5, diagnostic: $6) },
    Field.stage(), Field.path("Path of the step: ids joined by slashes, with [element] and #try."),
    Field("title", \.title, .string, "Its title."),
    Field("use", \.use, .string, "The module, or checks/NAME."),
    Field("effect", \.effect, .enumeration(Effect.self), "Its effect."),
    Field("input", \.input, .any, "What its inputs came to, secrets masked."),
    Field("diagnostic", \.diagnostic, .bool, default: false, "True if its outcome is not counted.")
  )
}

/// A try of a module's step is about to begin.
package struct StepIntent: StepEvent {
  package var path: StepPath
  package var attempt: Int
  /// SHA-256 over the run's id, the stage and the path, in hex: the same for every try.
  package var key: String

  package init(path: StepPath, attempt: Int, key: String) {
    self.path = path
    self.attempt = attempt
    self.key = key
  }

  package static let type = "step.intent"
  package static let durability = Durability.whenActing
  package static let summary = "A try is about to begin; on disk before a step that does more than observe begins."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), attempt: $2, key: $3) },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("key", \.key, .string, "Idempotency key: the same for every try of the step.")
  )
}

/// A try ended.
package struct StepResultRecorded: StepEvent {
  package var path: StepPath
  package var attempt: Int
  package var outcome: Outcome
  /// Secrets masked; null if there is none.
  package var output: Value
  package var finding: Finding?
  /// True if the module vouches that nothing was begun.
  package var notStarted: Bool
  package var duration: Duration

  package init(
    path: StepPath, attempt: Int, outcome: Outcome, output: Value, finding: Finding?, notStarted: Bool,
    duration: Duration
  ) {
    self.path = path
    self.attempt = attempt
    self.outcome = outcome
    self.output = output
    self.finding = finding
    self.notStarted = notStarted
    self.duration = duration
  }

  package static let type = "step.result"
  package static let durability = Durability.whenActing
  package static let summary = "A try ended, with what it learnt; expectations are judged after the last."
  package static let record: Record<Self> = Record(
    {
      Self(
        path: StepPath(stage: $0, text: $1), attempt: $2, outcome: $3, output: $4, finding: $5, notStarted: $6,
        duration: $7)
    },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("outcome", \.outcome, .enumeration(Outcome.self), "How the module ended."),
    Field("output", \.output, .any, "Its output, secrets masked; null if there is none."),
    Field("finding", \.finding, .optional(.record(Finding.record)), "Why it did not simply pass."),
    Field("notStarted", \.notStarted, .bool, default: false, "True if nothing was begun."),
    Field("duration", \.duration, .duration, "On the boot-time clock.")
  )
}

/// A step waits before its next try.
package struct StepWaiting: StepEvent {
  package var path: StepPath
  /// The try that ended.
  package var attempt: Int
  package var delay: Duration
  /// Why there is another try.
  package var reason: String

  package init(path: StepPath, attempt: Int, delay: Duration, reason: String) {
    self.path = path
    self.attempt = attempt
    self.delay = delay
    self.reason = reason
  }

  package static let type = "step.waiting"
  package static let summary = "A step waits before its next try."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), attempt: $2, delay: $3, reason: $4) },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try that ended."),
    Field("delay", \.delay, .duration, "Until the next try."),
    Field("reason", \.reason, .string, "Why there is another try.")
  )
}

/// A step ended, with its expectations judged.
package struct StepFinished: StepEvent {
  package var path: StepPath
  package var outcome: Outcome
  package var finding: Finding?
  package var expectations: [JudgedExpectation]
  package var attempts: Int
  /// The outputs of a check or of a question, secrets masked; null for a module's step, whose output stands in its last result.
  package var output: Value
  package var duration: Duration

  package init(
    path: StepPath, outcome: Outcome, finding: Finding?, expectations: [JudgedExpectation], attempts: Int,
    output: Value,
    duration: Duration
  ) {
    self.path = path
    self.outcome = outcome
    self.finding = finding
    self.expectations = expectations
    self.attempts = attempts
    self.output = output
    self.duration = duration
  }

  package static let type = "step.finished"
  package static let summary = "A step or check ended, with its expectations judged."
  package static let record: Record<Self> = Record(
    {
      Self(
        path: StepPath(stage: $0, text: $1), outcome: $2, finding: $3, expectations: $4, attempts: $5, output: $6,
        duration: $7)
    },
    Field.stage(), Field.path(),
    Field("outcome", \.outcome, .enumeration(Outcome.self), "Its outcome."),
    Field("finding", \.finding, .optional(.record(Finding.record)), "Why it did not simply pass."),
    Field("expectations", \.expectations, .list(.record(JudgedExpectation.record)), "Its expectations, judged."),
    Field("attempts", \.attempts, .int, "How many tries there were; 0 for a check or a question."),
    Field("output", \.output, .any, default: .null, "The outputs of a check or a question, secrets masked."),
    Field("duration", \.duration, .duration, "From the step's start, waits included.")
  )
}

/// One expectation, judged.
package struct JudgedExpectation: Hashable, Sendable {
  /// The expression as written.
  package var that: String
  package var verdict: ExpectationVerdict
  /// What a false expectation comes to: `fail` or `warn`.
  package var severity: Severity
  package var message: String?
  /// What the compared parts came to, `output.rtt.p95` = `4.2ms`; what kept it from being judged, under `error`.
  package var actual: [ActualValue]
  /// Why it could not be judged.
  package var error: String?

  package enum ExpectationVerdict: String, Hashable, Sendable, CaseIterable {
    case holds
    case broken
    case error
  }

  package enum Severity: String, Hashable, Sendable, CaseIterable {
    case warn
    case fail
  }

  package init(
    that: String, verdict: ExpectationVerdict, severity: Severity, message: String?, actual: [ActualValue],
    error: String?
  ) {
    self.that = that
    self.verdict = verdict
    self.severity = severity
    self.message = message
    self.actual = actual
    self.error = error
  }

  package static let record = Record(
    Self.init,
    Field("that", \.that, .string, "The expression as written."),
    Field("verdict", \.verdict, .enumeration(ExpectationVerdict.self), "Whether it holds, or could not be judged."),
    Field("severity", \.severity, .enumeration(Severity.self), "What a broken expectation comes to."),
    Field("message", \.message, .optional(.string), "What the author says of it."),
    Field("actual", \.actual, .list(.record(ActualValue.record)), "What its parts came to."),
    Field("error", \.error, .optional(.string), "Why it could not be judged.")
  )
}

/// What a part of an expression came to.
package struct ActualValue: Hashable, Sendable {
  package var expression: String
  /// The field of the step's output that the part is, `rtt.p95`; nil for any other part.
  package var field: String?
  package var value: Value
  /// As declared, or as the expression gives it; `any` if neither tells.
  package var type: ValueType

  package init(expression: String, field: String? = nil, value: Value, type: ValueType) {
    self.expression = expression
    self.field = field
    self.value = value
    self.type = type
  }

  package static let record = Record(
    Self.init,
    Field("expression", \.expression, .string, "The part as written."),
    Field("field", \.field, .optional(.string), "The field of the output that the part is; null for any other."),
    Field("value", \.value, .any, "What it came to, secrets masked."),
    Field("type", \.type, .type, "The type of the value.")
  )
}

/// A step was not run.
package struct StepSkipped: StepEvent {
  package var path: StepPath
  package var title: String
  package var use: String
  package var effect: Effect
  /// Why: its condition, or what stopped the run before it.
  package var reason: String

  package init(path: StepPath, title: String, use: String, effect: Effect, reason: String) {
    self.path = path
    self.title = title
    self.use = use
    self.effect = effect
    self.reason = reason
  }

  package static let type = "step.skipped"
  package static let summary = "A step was not run, and why."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), title: $2, use: $3, effect: $4, reason: $5) },
    Field.stage(), Field.path(),
    Field("title", \.title, .string, "Its title."),
    Field("use", \.use, .string, "The module, or checks/NAME."),
    Field("effect", \.effect, .enumeration(Effect.self), "Its effect."),
    Field("reason", \.reason, .string, "Its condition was false, or what stopped the run before it.")
  )
}
