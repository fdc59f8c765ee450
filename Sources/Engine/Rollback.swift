import Journal
import Language

/// What would have to be taken back: the steps that have begun to act on the service, and how far a rollback has come. Those
/// without an undo stay in place, and are listed.
struct Rollback: Sendable {
  /// A step that may have taken effect.
  private struct Entry: Sendable {
    let step: PlannedStep
    /// Of the step or of those inside it: every try that has begun, without those that did nothing.
    var tries: [Try] = []
    /// Those of them of which it is not known how they ended, by their places in the journal.
    var unresolved: Set<Place> = []
    /// Why it is not known whether there is something to take back.
    var unknown: String?
    var isUndone = false
  }

  private struct Place: Hashable {
    var path: StepPath
    var attempt: Int

    init(_ path: StepPath, _ attempt: Int) {
      self.path = path
      self.attempt = attempt
    }
  }

  /// The steps of the plan, by id; empty without a rollback.
  private let planned: [String: PlannedStep]
  /// The newest intent last.
  private var entries: [Entry] = []

  init(_ plan: Plan) {
    guard plan.rollback == .onFailure else {
      planned = [:]
      return
    }
    planned = Dictionary(plan.steps.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  private var undoable: [Entry] { entries.filter { !$0.step.undo.isEmpty } }

  /// Whether there is anything that a rollback would have to do with.
  var isEmpty: Bool { undoable.isEmpty }

  /// The step of the runbook that a path leads to, or into; nil without a rollback.
  private func owner(of path: StepPath) -> PlannedStep? {
    guard !planned.isEmpty, path.stage == .steps else { return nil }
    return path.parts.first.flatMap { planned[$0.id] }
  }

  func isConcerned(by path: StepPath) -> Bool { owner(of: path) != nil }

  // MARK: What the steps did

  /// Takes in that a try begins that acts on the service.
  mutating func begin(_ attempt: Try) {
    guard attempt.effect == .change, let step = owner(of: attempt.path) else { return }
    var entry = Entry(step: step)
    if let index = index(of: step.id) { entry = entries.remove(at: index) }
    // A try that a dead process had begun, and that is begun again, is the same.
    entry.tries.removeAll { Place($0.path, $0.attempt) == Place(attempt.path, attempt.attempt) }
    entry.tries.append(attempt)
    entries.append(entry)
  }

  /// Takes in how a try ended.
  mutating func end(_ result: StepResultRecorded) {
    guard let index = index(actingAt: result.path, result.attempt) else { return }
    if result.notStarted {
      remove(Place(result.path, result.attempt), from: index)
    } else if result.outcome == .indeterminate {
      entries[index].unresolved.insert(Place(result.path, result.attempt))
    }
  }

  /// Takes in that a try whose process died did nothing.
  mutating func takeBack(_ path: StepPath, _ attempt: Int) {
    if let index = index(actingAt: path, attempt) { remove(Place(path, attempt), from: index) }
  }

  private mutating func remove(_ place: Place, from index: Int) {
    entries[index].tries.removeAll { Place($0.path, $0.attempt) == place }
    if entries[index].tries.isEmpty { entries.remove(at: index) }
  }

  private func index(of id: String) -> Int? { entries.firstIndex { $0.step.id == id } }

  private func index(actingAt path: StepPath, _ attempt: Int) -> Int? {
    entries.firstIndex { $0.tries.contains { $0.path == path && $0.attempt == attempt } }
  }

  // MARK: What is not known

  /// The newest try of which it is not known how it ended, and which the module has not been asked about.
  var unresolved: Try? {
    for entry in undoable.reversed() where !entry.unresolved.isEmpty {
      if let attempt = entry.tries.last(where: { entry.unresolved.contains(Place($0.path, $0.attempt)) }) {
        return attempt
      }
    }
    return nil
  }

  /// Takes in what the module says of a try; nothing changes if it was not asked.
  mutating func take(_ reconciled: StepReconciled) {
    let place = Place(reconciled.path, reconciled.attempt)
    guard let index = index(actingAt: reconciled.path, reconciled.attempt),
      entries[index].unresolved.remove(place) != nil
    else { return }
    switch reconciled.verdict {
    case .done: break
    case .notDone: remove(place, from: index)
    case .unknown:
      let detail = reconciled.detail.map { ": \($0)" } ?? ""
      entries[index].unknown = "it is not known whether \(reconciled.path) took effect\(detail)"
    }
  }

  // MARK: Taking back

  /// What takes the steps back, the newest intent first.
  var steps: [PlannedStep] { entries.reversed().compactMap(\.step.takenBack) }

  /// Why a step is not taken back, although its turn has come; nil if it is.
  func obstacle(to id: String) -> String? { index(of: id).flatMap { entries[$0].unknown } }

  /// Whether the rollback goes on to older steps if this one is not taken back: if all of its undo says so.
  func mayPass(over id: String) -> Bool {
    index(of: id).map { entries[$0].step.undo.allSatisfy { $0.onFailure == .continue } } ?? true
  }

  mutating func markUndone(_ id: String) {
    if let index = index(of: id) { entries[index].isUndone = true }
  }

  /// Ids of the steps whose undo was not done, or not whole, the newest intent first.
  var remaining: [String] { undoable.reversed().filter { !$0.isUndone }.map(\.step.id) }

  /// Ids of the steps without an undo, the newest intent first.
  var withoutUndo: [String] { entries.reversed().filter { $0.step.undo.isEmpty }.map(\.step.id) }
}
