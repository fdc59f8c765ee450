/// Reckons a run's outcome again from its recorded steps and child runs, event by event.
struct OutcomeTally {
  private struct Step {
    var isDiagnostic: Bool
    /// The outcome of the last try.
    var result = Outcome.skipped
    /// What the steps inside a check come to.
    var inside = Outcome.skipped
  }

  /// Steps that have begun and not ended, by path.
  private var open: [StepPath: Step] = [:]
  private var total = Outcome.skipped
  private var signal: Int?

  /// What the events so far come to, if the run ended now.
  var outcome: Outcome {
    Outcome.worst(
      [total] + open.filter { !$0.value.isDiagnostic && $0.key.stage.counts }.map { _ in .indeterminate })
  }

  /// What an event says that cannot be, after "line 7 of the journal"; nil if it agrees with the events before it.
  mutating func take(_ event: Event) -> String? {
    switch event {
    case .stepStarted(let step):
      // What an earlier try of a check or group came to does not count.
      if let tried = step.path.tried {
        open[tried]?.inside = .skipped
      } else {
        open[step.path] = Step(isDiagnostic: step.diagnostic)
      }
    case .stepResult(let result): open[result.path]?.result = result.outcome
    case .personAnswered(let answer) where !answer.accepted: open[answer.path]?.result = .fail
    case .stepFinished(let finished): return end(finished)
    case .childFinished(let child): total = Outcome.worst([total, child.outcome])
    // What a rollback left in place.
    case .undoListed(let listed): if !listed.remaining.isEmpty { total = Outcome.worst([total, .error]) }
    case .runTimedOut: total = Outcome.worst([total, .error])
    case .runSignalled(let signalled): signal = signal ?? signalled.signal
    case .runFinished(let finished): return check(finished)
    default: break
    }
    return nil
  }

  private mutating func end(_ finished: StepFinished) -> String? {
    let step = open.removeValue(forKey: finished.path)
    if step?.isDiagnostic != true { count(finished.outcome, inside: finished.path) }
    let least = Outcome.worst(
      [step?.result ?? .skipped, step?.inside ?? .skipped] + finished.expectations.map(\.outcome))
    guard Outcome.worst([least, finished.outcome]) != finished.outcome else { return nil }
    return
      "says that the step \(finished.path) ended in \(finished.outcome.rawValue), but what is recorded of it comes to "
      + "\(least.rawValue): the line was altered"
  }

  private mutating func count(_ outcome: Outcome, inside path: StepPath) {
    guard let check = path.owner, let inside = open[check]?.inside else {
      if path.stage.counts { total = Outcome.worst([total, outcome]) }
      return
    }
    open[check]?.inside = Outcome.worst([inside, outcome])
  }

  private func check(_ finished: RunFinished) -> String? {
    if let signal, finished.signal == nil {
      return "names no signal, but signal \(signal) ended the run: the line was altered"
    }
    guard finished.outcome != outcome else { return nil }
    // What befell the run itself, and no step, can only make it worse, and is told.
    if finished.finding != nil, Outcome.worst([outcome, finished.outcome]) == finished.outcome { return nil }
    return
      "says that the run ended in \(finished.outcome.rawValue), but its steps come to \(outcome.rawValue): the line was "
      + "altered"
  }
}

extension JudgedExpectation {
  /// What the expectation adds to its step's outcome.
  package var outcome: Outcome {
    switch verdict {
    case .holds: .pass
    case .broken: severity == .warn ? .warn : .fail
    case .error: .error
    }
  }
}
