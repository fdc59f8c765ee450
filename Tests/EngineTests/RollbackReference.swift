import Journal
import Language
import Schema

@testable import Engine

/// What a rollback has to do, worked out from the events of a whole run without the machine.
struct RollbackReference {
  /// Whether it is due.
  let isDue: Bool
  /// Ids of the steps with an undo that began to act, the newest first, as it is known when the rollback begins.
  let acted: [String]
  /// Of those the ones whose undo was come to or passed over, in that order.
  let undone: [String]
  /// Those whose undo did not come to a good end.
  let left: [String]
  /// Ids of the steps without an undo that began to act, the newest first; empty if no rollback is due.
  let withoutUndo: [String]
  /// What the journal says is still in place.
  let listed: UndoListed

  init(_ plan: Plan, _ events: [Event]) {
    let steps = Dictionary(uniqueKeysWithValues: plan.steps.map { ($0.id, $0) })
    var effects: [StepPath: Effect] = [:]
    var tries: [(id: String, path: StepPath, attempt: Int)] = []
    var isStopped = false
    var isBroken = false
    var isEnded = false
    var (undone, left, listed): ([String], Set<String>, UndoListed) = ([], [], UndoListed(remaining: []))
    var badInside: Set<String> = []
    var isUndoCut = false
    for event in events {
      switch event {
      case .stepStarted(let event): effects[event.path] = event.effect
      case .stepIntent(let intent) where intent.path.stage == .steps && effects[intent.path] == .change:
        guard let id = intent.path.parts.first?.id else { break }
        tries.append((id, intent.path, intent.attempt))
      case .stepResult(let result) where result.notStarted:
        tries.removeAll { $0.path == result.path && $0.attempt == result.attempt }
      case .stepReconciled(let event) where event.verdict == .notDone:
        tries.removeAll { $0.path == event.path && $0.attempt == event.attempt }
      case .hypothesisJudged(let event) where event.stage == .after: isBroken = !event.outcome.isGood
      case .runSignalled, .runTimedOut:
        if !events.prefix(while: { $0 != event }).contains(where: { $0.path?.stage == .finally }) { isEnded = true }
        isUndoCut = true
      case .stepFinished(let event):
        let path = event.path
        if path.stage == .steps, path.owner == nil, let step = steps[path.id], step.onFailure == .stop,
          !step.isDiagnostic, step.effect != .notify, event.outcome != .skipped, !event.outcome.isGood
        {
          isStopped = true
        }
        guard path.stage == .undo else { break }
        if let owner = path.owner {
          let step = steps[owner.text]?.undo.first { $0.id == path.id }
          if let step, !step.isDiagnostic, step.effect != .notify, event.outcome != .skipped, !event.outcome.isGood {
            badInside.insert(owner.text)
          }
        } else {
          undone.append(path.id)
          if badInside.contains(path.id) { left.insert(path.id) }
        }
      case .stepSkipped(let event) where event.path.stage == .undo && event.path.owner == nil:
        undone.append(event.path.id)
        left.insert(event.path.id)
      case .undoListed(let event): listed = event
      default: break
      }
    }
    isDue = plan.rollback == .onFailure && (isStopped || isBroken || isEnded)
    var acted: [String] = []
    for id in tries.map(\.id).reversed() where !acted.contains(id) { acted.append(id) }
    let all = acted
    acted = all.filter { steps[$0]?.undo.isEmpty == false }
    self.acted = acted
    self.undone = undone
    self.listed = listed
    // What was going on when the stage was cut may be left as well: only the machine knows when that was.
    self.left = acted.filter { isUndoCut ? listed.remaining.contains($0) : left.contains($0) }
    withoutUndo = isDue ? all.filter { steps[$0]?.undo.isEmpty == true } : []
  }
}
