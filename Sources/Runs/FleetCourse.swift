package import Engine
import Journal
import Schema

/// How far a run over several targets has come.
struct FleetCourse {
  var rolling: Rolling?
  /// The children that came to their end, and those that were not begun.
  var ended: [EndedChild] = []
  /// What kept children from coming to an end, with their ids.
  var errors: [(run: String, error: any Error)] = []
  /// From the run's start to when this process went on with it.
  var elapsed = Duration.zero
  /// Whether an alert was recorded before.
  var isTold = false

  var width: Int { rolling?.width ?? FleetSession.width }

  /// Errors and children that did nothing because of a lock count as failures.
  var hasTooManyFailures: Bool {
    guard let most = rolling?.maxFailures else { return false }
    return failures > most
  }

  private var failures: Int { ended.count(where: \.hasFailed) + errors.count }

  /// Why the run has no end yet; nil if it can be recorded.
  var error: (any Error)? {
    let unresolved = errors.compactMap { run, error in
      (error as? UnresolvedTries).map { UnresolvedChild(run: run, tries: $0.tries) }
    }
    if let other = errors.first(where: { !($0.error is UnresolvedTries) }) { return other.error }
    return unresolved.isEmpty ? nil : UnresolvedChildren(children: unresolved)
  }

  /// What the children come to together. One that did nothing because of a lock, or was not started, was not looked at: that is no
  /// pass.
  ///
  /// - Parameters:
  ///   - targets: those that were not started because too many failed.
  ///   - run: the parent's id.
  func result(notStarted targets: [String], of run: String) -> (outcome: Outcome, finding: Finding?) {
    let outcome = Outcome.worst(ended.map(\.event.outcome))
    if !targets.isEmpty, let most = rolling?.maxFailures {
      let names = targets.joined(separator: ", ")
      return (
        Outcome.worst([outcome, .fail]),
        Finding(
          "run.tooManyFailures",
          "\(failures) of \(ended.count - targets.count) targets failed, and --max-failures is \(most): not started: \(names)",
          advice: "Mend what failed, then go on: runbook resume \(run) --retry-failed")
      )
    }
    let lockedOut = ended.filter(\.wasLockedOut)
    guard !lockedOut.isEmpty else { return (outcome, nil) }
    let names = lockedOut.map(\.event.target).sorted().joined(separator: ", ")
    guard lockedOut.count < ended.count else {
      return (
        outcome,
        Finding(
          RunFinished.lockedOut, "skipped: other runs hold the locks of all targets: \(names)",
          advice: "Run it again once those runs have ended.")
      )
    }
    return (
      Outcome.worst([outcome, .error]),
      Finding(
        "run.targetsLocked", "\(names) \(lockedOut.count == 1 ? "was" : "were") skipped: another run holds the lock",
        advice: "Run it again for \(lockedOut.count == 1 ? "it" : "them") once that run has ended.")
    )
  }
}

/// A child that came to its end.
struct EndedChild: Sendable {
  var event: ChildFinished
  var wasLockedOut = false
  private var wasCut = false

  init(event: ChildFinished, wasLockedOut: Bool = false) {
    self.event = event
    self.wasLockedOut = wasLockedOut
  }

  init(_ child: RecordedRun, target: String) {
    event = ChildFinished(
      run: child.id, target: target, outcome: child.finished?.outcome ?? .indeterminate, steps: child.childSteps)
    wasLockedOut = child.finished?.finding?.code == RunFinished.lockedOut
    wasCut = child.finished?.signal != nil
  }

  var hasFailed: Bool { wasLockedOut || wasCut || !event.outcome.isGood && event.outcome != .skipped }
}

/// A child run that cannot go on before somebody tells how some of its tries ended.
package struct UnresolvedChild: Hashable, Sendable {
  /// Its id.
  package let run: String
  package let tries: [UnresolvedTry]
}

/// A run over several targets that cannot come to its end before somebody tells how tries of its children ended.
package struct UnresolvedChildren: Error, Hashable, Sendable {
  package let children: [UnresolvedChild]
}
