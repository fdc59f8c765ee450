import Journal
import Language
import Schema

/// The state of steps that lie in one place: those of a stage, of a check, of a parallel group or a phase, or the elements of a
/// loop.
struct StepGroup: Sendable {
  private let content: Content
  /// What the expressions of its steps may use.
  var scope: Scope
  /// The worst outcome of its steps that counts so far.
  private(set) var outcome = Outcome.skipped
  /// What those steps came to that others see after the group, by id.
  private(set) var visible: [String: Scope.EndedStep] = [:]
  /// Why no further step begins.
  private(set) var stopReason: String?
  /// Whether a step failed that should have done something; telling somebody is no such thing.
  private(set) var hasFailed = false
  /// When the last of its steps ended.
  private(set) var endedAt: Duration
  /// Of the last step in the group's order; nil if it has none.
  private(set) var lastOutput: Value?
  /// What the elements of a loop came to, by their index.
  private(set) var elements: [Scope.EndedStep?] = []
  /// After this time nothing more of it begins.
  private(set) var limit: TimeLimit?
  /// What came to an end before it and counts, which expressions see too.
  private let earlier: Outcome
  private var begun = 0
  private var ended = 0

  enum Content: Sendable {
    /// One after the other; each sees those before it.
    case sequence([PlannedStep])
    /// At most so many at the same time. None sees another, or keeps it from beginning.
    case parallel([PlannedStep], limit: Int)
    /// Elements, as branches are, each made when its turn comes.
    case elements(Loop, id: String, [Value])
  }

  /// - Parameters:
  ///   - earlier: the outcome of what came before and counts.
  ///   - stopped: why not even the first step begins.
  ///   - limit: the nearest of the time limits around.
  init(
    _ content: Content, scope: Scope, earlier: Outcome = .skipped, stopped: String? = nil, limit: TimeLimit? = nil,
    at now: Duration = .zero
  ) {
    self.content = content
    self.scope = scope
    self.earlier = earlier
    self.limit = limit
    stopReason = stopped
    endedAt = now
    if case .elements(_, _, let items) = content { elements = Array(repeating: nil, count: items.count) }
  }

  /// Takes in that nothing went on for a while: its limit does not count that.
  mutating func goOn(after pause: Duration) { limit?.end += pause }

  /// Keeps further steps from beginning.
  mutating func stop(_ reason: String) { stopReason = stopReason ?? reason }

  private var count: Int {
    switch content {
    case .sequence(let steps), .parallel(let steps, _): steps.count
    case .elements(_, _, let items): items.count
    }
  }

  /// How many go on at the same time at most.
  private var width: Int {
    switch content {
    case .sequence: 1
    case .parallel(_, let limit): min(max(1, limit), count)
    case .elements(let loop, _, _): min(max(1, loop.limit), count)
    }
  }

  var hasEnded: Bool { ended == count }

  /// The positions of the steps whose turn has come since this was asked last.
  mutating func begin() -> Range<Int> {
    let next = begun..<max(begun, min(count, ended + width))
    begun = next.upperBound
    return next
  }

  /// The step at a position.
  func step(at position: Int) -> PlannedStep {
    switch content {
    case .sequence(let steps), .parallel(let steps, _): steps[position]
    case .elements(let loop, let id, let items): loop.element(items[position], of: id)
    }
  }

  /// Its path in the journal.
  ///
  /// - Parameters:
  ///   - owner: the step that this is the group of.
  ///   - attempt: which try of that step this is, from 1.
  func path(of step: PlannedStep, at position: Int, in owner: StepPath, attempt: Int) -> StepPath {
    if case .elements = content { return owner.element(position, attempt: attempt) }
    return owner.attempt(attempt).appending(StepPath.Part(step.id))
  }

  /// What the expressions of the step at a position may use.
  func scope(at position: Int) -> Scope {
    guard case .elements(let loop, _, let items) = content else { return scope }
    var scope = scope
    scope.items[loop.variable] = items[position]
    return scope
  }

  /// Takes a step's end into account.
  ///
  /// - Parameter inside: what lay inside the step and is seen where the step is seen.
  mutating func end(
    _ step: PlannedStep, at position: Int, _ path: StepPath, _ result: Scope.EndedStep,
    inside: [String: Scope.EndedStep], now: Duration
  ) {
    ended += 1
    endedAt = now
    if !step.isDiagnostic { outcome = Outcome.worst([outcome, result.outcome]) }
    let isFailure =
      !step.isDiagnostic && result.outcome != .skipped && !result.outcome.isGood && !step.onlyNotifies
    if isFailure { hasFailed = true }
    if case .elements = content {
      elements[position] = result
      return
    }
    if position == count - 1 { lastOutput = result.output }
    visible.merge(inside) { _, new in new }
    visible[step.id] = result
    guard case .sequence = content else { return }
    scope.steps.merge(inside) { _, new in new }
    scope.steps[step.id] = result
    scope.outcome = Outcome.worst([earlier, outcome])
    if isFailure, step.onFailure == .stop { stop("\(path) ended in \(result.outcome.rawValue)") }
  }

  /// The elements of a loop with what each came to.
  var elementResults: Value? {
    guard case .elements(_, _, let items) = content else { return nil }
    return .list(
      zip(items, elements).map { item, result in
        let known: [Value.Member] = [
          .init("item", item), .init("outcome", .string((result?.outcome ?? .skipped).rawValue)),
        ]
        return .members(known + (result?.output.map { [.init("output", $0)] } ?? []))
      })
  }
}

/// When a try of a check or group is over, whatever goes on inside.
struct TimeLimit: Sendable {
  var end: Duration
  /// What it is the limit of, and how long it is: `the time limit of turn, 5s,`.
  let name: String

  /// Why nothing more begins; nil before the end.
  func reason(at now: Duration) -> String? { now >= end ? "\(name) had passed" : nil }

  /// The one that ends first.
  static func nearest(_ one: TimeLimit?, _ other: TimeLimit?) -> TimeLimit? {
    guard let one, let other else { return one ?? other }
    return one.end <= other.end ? one : other
  }
}

extension Loop {
  /// The longest title of an element, in characters.
  private static let longestTitle = 80

  /// The step that one element is.
  fileprivate func element(_ item: Value, of id: String) -> PlannedStep {
    let text = itemType.shown(item)
    let title = text.count > Self.longestTitle ? text.prefix(Self.longestTitle - 1) + "…" : text
    return PlannedStep(
      id: id, title: "\(variable) \(title)", condition: nil, onFailure: .continue, isDiagnostic: false,
      range: list.range, body: .element(steps))
  }
}
