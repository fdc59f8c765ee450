import Journal
import Language

/// The state of steps that lie in one place: those of a stage, of a check, or of a parallel group.
struct StepGroup: Sendable {
  private let steps: [PlannedStep]
  private let order: Order
  /// What the expressions of its steps may use.
  var scope: Scope
  /// What came to an end before it and counts, which expressions see too.
  private let earlier: Outcome
  /// The worst outcome of its steps that counts so far.
  private(set) var outcome = Outcome.skipped
  /// What steps came to that do not see each other, by id: for those that come after the group.
  private(set) var branches: [String: Scope.EndedStep] = [:]
  /// Why no further step begins.
  private(set) var stopReason: String?
  /// Whether a step failed that should have done something; telling somebody is no such thing.
  private(set) var hasFailed = false
  private var begun = 0
  private var ended = 0

  enum Order: Sendable {
    /// One after the other; each sees those before it.
    case sequence
    /// At most so many at the same time. None sees another, or keeps it from beginning.
    case parallel(limit: Int)
  }

  /// - Parameters:
  ///   - earlier: the outcome of what came before and counts.
  ///   - stopped: why not even the first step begins.
  init(
    _ steps: [PlannedStep], _ order: Order = .sequence, scope: Scope, earlier: Outcome = .skipped,
    stopped: String? = nil
  ) {
    self.steps = steps
    self.order = order
    self.scope = scope
    self.earlier = earlier
    stopReason = stopped
  }

  /// Keeps further steps from beginning.
  mutating func stop(_ reason: String) { stopReason = stopReason ?? reason }

  var hasEnded: Bool { ended == steps.count }

  /// The steps whose turn has come since this was asked last.
  mutating func begin() -> ArraySlice<PlannedStep> {
    let limit = if case .parallel(let limit) = order { min(max(1, limit), steps.count) } else { 1 }
    let next = steps[begun..<min(steps.count, ended + limit)]
    begun += next.count
    return next
  }

  /// Takes a step's end into account.
  ///
  /// - Parameter branches: what the branches of a parallel group came to, which is seen where the group is seen.
  mutating func end(
    _ step: PlannedStep, _ path: StepPath, _ result: Scope.EndedStep, branches: [String: Scope.EndedStep]
  ) {
    ended += 1
    if !step.isDiagnostic { outcome = Outcome.worst([outcome, result.outcome]) }
    let isFailure =
      !step.isDiagnostic && step.effect != .notify && result.outcome != .skipped && !result.outcome.isGood
    if isFailure { hasFailed = true }
    switch order {
    case .parallel:
      self.branches.merge(branches) { _, new in new }
      self.branches[step.id] = result
    case .sequence:
      scope.steps.merge(branches) { _, new in new }
      scope.steps[step.id] = result
      scope.outcome = Outcome.worst([earlier, outcome])
      if isFailure, step.onFailure == .stop { stop("\(path) ended in \(result.outcome.rawValue)") }
    }
  }
}
