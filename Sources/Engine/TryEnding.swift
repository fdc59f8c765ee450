import Journal
import Schema
import Steps
import Synchronization

/// Why a try was cancelled.
enum StopReason: Sendable {
  case deadline
  case runEnds
}

/// Why a running try was cancelled, as the try itself sees it; raised at most once.
final class StopFlag: Sendable {
  private let reason = Mutex<StopReason?>(nil)

  /// False if it was raised before.
  func raise(_ newReason: StopReason) -> Bool {
    reason.withLock { reason in
      guard reason == nil else { return false }
      reason = newReason
      return true
    }
  }

  var raised: StopReason? { reason.withLock { $0 } }
}

extension Try {
  /// Lets the module do it, and puts what came of it in the form of an event.
  func result(in context: StepContext, stopping: StopFlag) async -> StepResultRecorded {
    let start = ContinuousClock.now
    do {
      let result = try await module.run(input, context)
      return recorded(result, duration: start.duration(to: .now))
    } catch {
      return recorded(error, stopping.raised, duration: start.duration(to: .now))
    }
  }

  private func recorded(_ result: StepResult<Value>, duration: Duration) -> StepResultRecorded {
    let outcome: Outcome =
      switch result.objection?.severity {
      case nil: .pass
      case .warn: .warn
      case .fail: .fail
      }
    return StepResultRecorded(
      path: path, attempt: attempt, outcome: outcome, output: result.output, finding: result.objection?.finding,
      notStarted: false, duration: duration)
  }

  private func recorded(_ error: StepError, _ stopped: StopReason?, duration: Duration) -> StepResultRecorded {
    switch (error.kind, stopped) {
    case (.failed, _): return recorded(.fail, error.finding, duration, learnt: error.learnt)
    case (.notStarted, _): return recorded(.error, error.finding, duration, notStarted: true)
    case (.broken, nil), (.interrupted, nil): return recorded(.error, error.finding, duration, learnt: error.learnt)
    case (.broken, .deadline), (.interrupted, .deadline):
      return unfinished(
        Finding(
          "step.timeout", "the step did not end within \(durationLiteral(timeout)): \(error.finding.message)",
          advice: error.finding.advice), learnt: error.learnt, duration: duration)
    case (.broken, .runEnds), (.interrupted, .runEnds):
      return unfinished(
        Finding("step.cancelled", "the run was ended: \(error.finding.message)", advice: error.finding.advice),
        learnt: error.learnt, duration: duration)
    }
  }

  private func recorded(
    _ outcome: Outcome, _ finding: Finding, _ duration: Duration, notStarted: Bool = false,
    learnt: [Value.Member] = []
  ) -> StepResultRecorded {
    StepResultRecorded(
      path: path, attempt: attempt, outcome: outcome, output: learnt.isEmpty ? .null : .members(learnt),
      finding: finding, notStarted: notStarted, duration: duration)
  }

  /// A process that the try started, in the form of an event.
  func recorded(_ process: StartedProcess) -> ProcessStarted {
    ProcessStarted(
      path: path, attempt: attempt, program: process.program, pid: process.pid, startTime: process.startTime,
      pidNamespace: process.pidNamespace)
  }

  /// The result of a try that was begun and not brought to its end: what it did is unknown if it may only be done
  /// once, and an error of ours everywhere else.
  func unfinished(_ finding: Finding, learnt: [Value.Member] = [], duration: Duration) -> StepResultRecorded {
    let isUnknown = effect != .observe && module.repetition == .atMostOnce
    return recorded(isUnknown ? .indeterminate : .error, finding, duration, learnt: learnt)
  }
}
