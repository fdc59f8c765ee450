package import Schema

/// What somebody has a run do anew that had ended: a part of `run.resumed`. What was recorded of it before stays in the
/// journal and counts no more; see ``standing``.
package struct RunRetry: Hashable, Sendable {
  /// The steps that did not pass, each with all that lies inside it.
  package var steps: [RetriedStep]
  /// Of a run over several targets: the names of those that did not pass.
  package var targets: [String]

  package init(steps: [RetriedStep] = [], targets: [String] = []) {
    self.steps = steps
    self.targets = targets
  }

  package static let record = Record(
    Self.init(steps:targets:),
    Field("steps", \.steps, .list(.record(RetriedStep.record)), "The steps that did not pass."),
    Field(
      "targets", \.targets, .list(.string), default: [],
      "Of a run over several targets: the names of those that did not pass.")
  )
}

/// A step that is done anew.
package struct RetriedStep: Hashable, Sendable {
  package var path: StepPath
  /// True if nobody knows how its last try ended: that is found out first, as after a crash. Everything before that try counts.
  package var isUnknown: Bool

  package init(_ path: StepPath, isUnknown: Bool = false) {
    self.path = path
    self.isUnknown = isUnknown
  }

  package static let record: Record<Self> = Record(
    { Self(StepPath(stage: $0, text: $1), isUnknown: $2) },
    Field("stage", \.path.stage, .enumeration(Stage.self), "The part of the run that the step belongs to."),
    Field("path", \.path.text, .string, "Path of the step."),
    Field(
      "unknown", \.isUnknown, .bool, default: false,
      "True if it is not known how its last try ended: that is found out before anything else is done.")
  )
}

extension Event {
  /// What a process that goes on with the run does anew; nil for every other event, and for a run that had died.
  package var retry: RunRetry? { if case .runResumed(let resumed) = self { resumed.retry } else { nil } }
}

extension RecordedRun {
  /// The events that count: all of them, without what was recorded of parts that were done anew later. Whoever reckons what a run
  /// came to goes by these.
  package var standing: [RecordedEvent] { events.standing }
}

extension Collection<RecordedEvent> {
  /// See ``RecordedRun/standing``.
  package var standing: [RecordedEvent] {
    guard contains(where: { $0.event.retry != nil }) else { return Array(self) }
    var kept: [RecordedEvent] = []
    for recorded in self {
      if let retry = recorded.event.retry { kept = kept.without(retry) }
      kept.append(recorded)
    }
    return kept
  }

  /// The events that still count once these parts of the run are done anew.
  package func without(_ retry: RunRetry) -> [RecordedEvent] {
    let parts = RetriedParts(retry)
    return filter { parts.leave($0.event) }
  }
}

/// Looks up what a retry concerns.
private struct RetriedParts {
  private let targets: Set<String>
  private var anew: Set<StepPath> = []
  private var unknown: Set<StepPath> = []
  /// The steps around them: what they came to is reckoned anew.
  private var around: Set<StepPath> = []
  private var isBeforeRepeated = false

  init(_ retry: RunRetry) {
    targets = Set(retry.targets)
    for step in retry.steps {
      if step.isUnknown { unknown.insert(step.path) } else { anew.insert(step.path) }
      if step.path.stage == .before { isBeforeRepeated = true }
      var owner = step.path.owner
      while let path = owner, around.insert(path).inserted { owner = path.owner }
    }
  }

  /// Whether an event counts as it did before.
  func leave(_ event: Event) -> Bool {
    switch event {
    // How the run ended, and what came behind its steps, is done again as a whole.
    case .runFinished, .runSignalled, .runTimedOut, .undoListed: return false
    case .hypothesisJudged(let look): return look.stage == .before && !isBeforeRepeated
    case .childFinished(let child): return !targets.contains(child.target)
    default: break
    }
    guard let path = event.path else { return true }
    guard path.stage == .before || path.stage == .steps else { return false }
    let step = path.tried ?? path
    switch event {
    case .stepFinished: if around.contains(step) || unknown.contains(step) { return false }
    case .stepResult(let result): if unknown.contains(step), result.outcome == .indeterminate { return false }
    default: break
    }
    var place: StepPath? = step
    while let path = place {
      if anew.contains(path) { return false }
      place = path.owner
    }
    return true
  }
}
