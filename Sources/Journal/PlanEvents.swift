package import Schema

/// What a run is going to do, so that the report of one that died counts what it never came to.
package struct RunPlanned: JournalEvent {
  /// Every step, those inside checks too, in the order of the plan.
  package var steps: [PlannedStepFacts]
  /// The targets of a run that has a child run for each; empty for any other.
  package var targets: [String]
  /// How many of them at a time, and when no more are begun; nil if nobody said so.
  package var rolling: Rolling?

  package init(steps: [PlannedStepFacts], targets: [String] = [], rolling: Rolling? = nil) {
    self.steps = steps
    self.targets = targets
    self.rolling = rolling
  }

  package static let type = "run.planned"
  package static let summary = "What the run is going to do, before the first step."
  package static let record = Record(
    Self.init(steps:targets:rolling:),
    Field(
      "steps", \.steps, .list(.record(PlannedStepFacts.record)),
      "Its steps and those inside checks, in the order of the plan."),
    Field(
      "targets", \.targets, .list(.string), default: [],
      "Of a run over several targets: their names. Each has a child run, which does the steps."),
    Field(
      "rolling", \.rolling, .optional(.record(Rolling.record)),
      "Of a run over several targets: how many at a time, and when no more are begun.")
  )
}

/// How the targets of a run follow on one another.
package struct Rolling: Hashable, Sendable {
  /// How many at a time, at least 1.
  package var width: Int
  /// Once more than so many failed, no further one is begun; nil if all are.
  package var maxFailures: Int?

  package init(width: Int, maxFailures: Int? = nil) {
    self.width = width
    self.maxFailures = maxFailures
  }

  package static let record = Record(
    Self.init(width:maxFailures:),
    Field("width", \.width, .int, "How many targets at a time."),
    Field("maxFailures", \.maxFailures, .optional(.int), "Once more than so many failed, no further one is begun.")
  )
}

/// What a plan says of a step.
package struct PlannedStepFacts: Hashable, Sendable {
  package var path: StepPath
  package var title: String
  /// The module's name, or `checks/NAME`.
  package var use: String
  package var effect: Effect
  /// True if its outcome is not counted.
  package var diagnostic: Bool

  package init(path: StepPath, title: String, use: String, effect: Effect, diagnostic: Bool = false) {
    self.path = path
    self.title = title
    self.use = use
    self.effect = effect
    self.diagnostic = diagnostic
  }

  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), title: $2, use: $3, effect: $4, diagnostic: $5) },
    Field("stage", \.path.stage, .enumeration(Stage.self), "The part of the run that the step belongs to."),
    Field("path", \.path.text, .string, "Path of the step."),
    Field("title", \.title, .string, "Its title."),
    Field("use", \.use, .string, "The module, or checks/NAME."),
    Field("effect", \.effect, .enumeration(Effect.self), "Its effect."),
    Field("diagnostic", \.diagnostic, .bool, default: false, "True if its outcome is not counted.")
  )
}
