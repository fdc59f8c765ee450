/// A try that has begun and of which no end is recorded.
package struct OpenTry: Hashable, Sendable {
  package let step: StepStarted
  package let attempt: Int
  /// What the module said of it when it was asked last; nil if it was not asked.
  package var reconciled: StepReconciled?

  package var path: StepPath { step.path }
  /// Whether it may have taken effect: it does more than observe.
  package var mayHaveActed: Bool { step.effect > .observe }
}

extension RecordedRun {
  /// The tries of which no end is recorded, in the order in which they began; of a run that ended there are none.
  package var openTries: [OpenTry] {
    guard !isFinished else { return [] }
    var steps: [StepPath: StepStarted] = [:]
    var tries: [OpenTry] = []
    for recorded in standing {
      switch recorded.event {
      case .stepStarted(let step): steps[step.path] = step
      case .stepIntent(let intent):
        tries.removeAll { $0.path == intent.path }
        if let step = steps[intent.path] { tries.append(OpenTry(step: step, attempt: intent.attempt)) }
      case .stepResult(let result): tries.removeAll { $0.path == result.path }
      case .stepReconciled(let event):
        if event.verdict == .notDone { tries.removeAll { $0.path == event.path } }
        for index in tries.indices where tries[index].path == event.path { tries[index].reconciled = event }
      case .stepResolved(let event): tries.removeAll { $0.path == event.path }
      default: break
      }
    }
    return tries
  }

  /// The process that writes the journal, or did last, and the boot in which it ran.
  package var writer: (pid: Int, startTime: Int?, boot: String) {
    for recorded in events.reversed() {
      if case .runResumed(let resumed) = recorded.event {
        return (resumed.pid, resumed.startTime, recorded.moment.boot)
      }
    }
    return (started.pid, started.startTime, events.first?.moment.boot ?? "")
  }
}
