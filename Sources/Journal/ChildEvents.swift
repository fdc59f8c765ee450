package import Schema

/// A child run began.
package struct ChildStarted: JournalEvent {
  package var run: String
  package var target: String

  package init(run: String, target: String) {
    self.run = run
    self.target = target
  }

  package static let type = "child.started"
  package static let summary = "A run of the same runbook for one target began, with its own journal."
  package static let record = Record(
    Self.init,
    Field("child", \.run, .string, "Id of the child run."),
    Field("target", \.target, .string, "Name of its target.")
  )
}

/// A child run ended.
package struct ChildFinished: JournalEvent {
  package var run: String
  package var target: String
  package var outcome: Outcome
  /// The child's own steps, so that the parent's report stands alone; those inside checks are left out.
  package var steps: [ChildStep]

  package init(run: String, target: String, outcome: Outcome, steps: [ChildStep]) {
    self.run = run
    self.target = target
    self.outcome = outcome
    self.steps = steps
  }

  package static let type = "child.finished"
  package static let summary = "A child run ended."
  package static let record = Record(
    Self.init,
    Field("child", \.run, .string, "Id of the child run."),
    Field("target", \.target, .string, "Name of its target."),
    Field("outcome", \.outcome, .enumeration(Outcome.self), "Its outcome."),
    Field("steps", \.steps, .list(.record(ChildStep.record)), "Outcomes of its steps.")
  )
}

/// How one step of a child run ended.
package struct ChildStep: Hashable, Sendable {
  package var path: StepPath
  package var title: String
  package var outcome: Outcome
  /// What it says of itself; of a check, what the first of its steps says that ended as it did. Nil if nothing was found.
  package var finding: Finding?
  /// The first expectation that did not hold, of the same step; nil if all held, or none was judged.
  package var expectation: JudgedExpectation?

  package init(
    path: StepPath, title: String, outcome: Outcome, finding: Finding? = nil, expectation: JudgedExpectation? = nil
  ) {
    self.path = path
    self.title = title
    self.outcome = outcome
    self.finding = finding
    self.expectation = expectation
  }

  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), title: $2, outcome: $3, finding: $4, expectation: $5) },
    Field("stage", \.path.stage, .enumeration(Stage.self), "The part of the run that the step belongs to."),
    Field("path", \.path.text, .string, "Path of the step."),
    Field("title", \.title, .string, "Its title."),
    Field("outcome", \.outcome, .enumeration(Outcome.self), "Its outcome."),
    Field("finding", \.finding, .optional(.record(Finding.record)), "Why it did not simply pass."),
    Field(
      "expectation", \.expectation, .optional(.record(JudgedExpectation.record)),
      "The first of its expectations that did not hold.")
  )
}

extension RecordedRun {
  /// The steps of the run itself, in their order, each with why it did not pass: what a parent records of a child.
  package var childSteps: [ChildStep] {
    var order: [StepPath] = []
    var titles: [StepPath: String] = [:]
    var ended: [StepPath: ChildStep] = [:]
    for recorded in standing {
      switch recorded.event {
      case .stepStarted(let step):
        if let tried = step.path.tried {
          order.removeAll { $0.isInside(tried) }
          continue
        }
        if titles.updateValue(step.title, forKey: step.path) == nil { order.append(step.path) }
        ended[step.path] = ChildStep(path: step.path, title: step.title, outcome: .indeterminate)
      case .stepSkipped(let step):
        if titles.updateValue(step.title, forKey: step.path) == nil { order.append(step.path) }
        ended[step.path] = ChildStep(path: step.path, title: step.title, outcome: .skipped)
      case .stepFinished(let step):
        ended[step.path] = ChildStep(
          path: step.path, title: titles[step.path] ?? step.path.id, outcome: step.outcome, finding: step.finding,
          expectation: step.expectations.first { $0.verdict != .holds })
      default: break
      }
    }
    let inside = Dictionary(grouping: order) { $0.owner }
    func cause(of step: ChildStep) -> ChildStep? {
      guard step.outcome != .pass, step.outcome != .skipped else { return nil }
      let inner = (inside[step.path] ?? []).lazy.compactMap { ended[$0] }.filter { $0.outcome == step.outcome }
      if let inner = inner.compactMap({ cause(of: $0) }).first { return inner }
      return step.finding == nil && step.expectation == nil ? nil : step
    }
    return (inside[nil] ?? []).compactMap { ended[$0] }.map { step in
      let cause = cause(of: step)
      return ChildStep(
        path: step.path, title: step.title, outcome: step.outcome, finding: cause?.finding,
        expectation: cause?.expectation)
    }
  }
}
