package import Journal
package import Language
import Schema
package import Steps

/// Drives one run to its end: asks the machine what is due, does it, and records what came of it.
///
/// The driver is the only part of the engine with a clock and tasks. It decides nothing about the runbook.
package struct RunDriver: Sendable {
  /// Writes events that follow on one another to the journal, durably where the journal's policy asks for it.
  package typealias Append = @Sendable ([Event]) async throws -> Void

  /// How long a module may clean up once its deadline passed or the run was asked to end: longer than the ten seconds
  /// between a child's TERM and KILL.
  package static let grace = Duration.seconds(15)

  private let plan: Plan
  private let run: String
  private let services: Services
  private let people: any People
  private let append: Append
  private let notify: @Sendable (Notice) -> Void

  /// What those who watch a run are told.
  package enum Notice: Sendable {
    /// Something was recorded.
    case recorded(Event)
    /// A step is tried, until this moment at most.
    case trying(path: StepPath, deadline: ContinuousClock.Instant)
    /// A module tells what goes on.
    case progress(path: StepPath, text: String)
  }

  /// - Parameter people: who answers the plan's questions.
  package init(
    plan: Plan, run: String, services: Services, people: any People = Nobody(), append: @escaping Append,
    notify: @escaping @Sendable (Notice) -> Void
  ) {
    self.plan = plan
    self.run = run
    self.services = services
    self.people = people
    self.append = append
    self.notify = notify
  }

  /// Runs to the end and gives the last event.
  ///
  /// - Parameters:
  ///   - started: the first event, which the journal holds already.
  ///   - signals: numbers of signals that ask the run to end. After the first no further step is begun, running steps are
  ///     cancelled, and undo and finally follow; after the second nothing is waited for, and nothing follows.
  /// - Throws: what `append` throws, or `CancellationError` if the task is cancelled; running steps are cancelled and waited
  ///   for first, since nothing may be done unrecorded.
  package func drive(from started: RecordedEvent, signals: AsyncStream<Int>) async throws -> RunFinished {
    try await drive(from: started, signals: signals) { [plan, run, append, notify, services, people] feed in
      DrivenRun(
        machine: RunMachine(plan: plan, run: run), feed: feed, append: append, notify: notify, run: run,
        origin: RunOrigin(plan), services: services, people: people)
    }
  }

  /// Goes on with a run that died, to its end, and gives the last event.
  ///
  /// - Parameters:
  ///   - events: all that the journal holds, `run.resumed` last.
  ///   - signals: as for a run that begins.
  /// - Throws: as ``drive(from:signals:)``, and ``UnresolvedTries`` if nobody can tell how a try ended that may not be begun
  ///   twice.
  package func goOn(from events: [RecordedEvent], signals: AsyncStream<Int>) async throws -> RunFinished {
    guard let started = events.first else { throw CancellationError() }
    let replay = RunReplay(events, plan: plan, run: run)
    return try await drive(from: started, isResumed: true, signals: signals) {
      [plan, run, append, notify, services, people] feed in
      DrivenRun(
        machine: replay.machine, feed: feed, append: append, notify: notify, run: run, origin: RunOrigin(plan),
        services: services, people: people, start: .now - replay.elapsed, lastSignal: replay.signal)
    }
  }

  private func drive(
    from started: RecordedEvent, isResumed: Bool = false, signals: AsyncStream<Int>,
    _ make: @escaping @Sendable (AsyncStream<DriverInput>.Continuation) -> DrivenRun
  ) async throws -> RunFinished {
    let (inputs, feed) = AsyncStream.makeStream(of: DriverInput.self)
    let listener = Task {
      for await signal in signals { feed.yield(.signal(signal)) }
    }
    defer {
      listener.cancel()
      feed.finish()
    }
    // A task that is cancelled gets nothing more from a stream: the driver works in one of its own, so that it can wait for
    // the steps that it cancels.
    let driving = Task {
      var state = make(feed)
      return try await state.drive(from: started, isResumed: isResumed, inputs: inputs)
    }
    return try await withTaskCancellationHandler {
      try await driving.value
    } onCancel: {
      feed.yield(.cancelled)
    }
  }
}

extension RunOrigin {
  fileprivate init(_ plan: Plan) { self.init(runbook: plan.name, target: plan.target?.name, severity: plan.severity) }
}

/// What can happen to a run from outside its machine.
enum DriverInput: Sendable {
  case result(StepResultRecorded)
  case reconciled(StepReconciled)
  /// A step started a process.
  case started(ProcessStarted)
  /// A channel took a step's notice, or did not: ``Event/notifyDelivered(_:)`` or ``Event/notifyFailed(_:)``.
  case told(Event)
  /// The time of an alarm may have come.
  case alarm
  case signal(Int)
  /// What somebody replied to a question.
  case reply(StepPath, attempt: Int, Reply)
  /// The task that waits for the run was cancelled.
  case cancelled
}
