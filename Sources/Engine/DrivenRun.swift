import Journal
import Language
import Schema
import Steps

/// One run while it is driven.
struct DrivenRun {
  var machine: RunMachine
  let feed: AsyncStream<DriverInput>.Continuation
  let append: RunDriver.Append
  let notify: @Sendable (RunDriver.Notice) -> Void
  let run: String
  let history: any RunHistory

  private let start = ContinuousClock.now
  private var tries: [StepPath: RunningTry] = [:]
  private var timers: [Task<Void, Never>] = []
  private var lastSignal: Int?

  init(
    machine: RunMachine, feed: AsyncStream<DriverInput>.Continuation, append: @escaping RunDriver.Append,
    notify: @escaping @Sendable (RunDriver.Notice) -> Void, run: String, history: any RunHistory
  ) {
    self.machine = machine
    self.feed = feed
    self.append = append
    self.notify = notify
    self.run = run
    self.history = history
  }

  private var now: Duration { start.duration(to: .now) }

  mutating func drive(
    from started: RecordedEvent, inputs: AsyncStream<DriverInput>
  ) async throws -> RunFinished {
    defer { for timer in timers { timer.cancel() } }
    var inputs = inputs.makeAsyncIterator()
    do {
      return try await advance(started, &inputs)
    } catch {
      await cancelTries(&inputs)
      throw error
    }
  }

  private mutating func advance(
    _ started: RecordedEvent, _ inputs: inout AsyncStream<DriverInput>.Iterator
  ) async throws -> RunFinished {
    take(started)
    let runTimer = machine.timeout.map { timer(after: $0, .runTimeout) }
    defer { runTimer?.cancel() }
    while let action = machine.next(at: now) {
      switch action {
      case .record(let event): try await record(event)
      case .begin(let attempt):
        try await record(attempt.intent)
        begin(attempt)
      case .awaitResult: try await take(await inputs.next(isolation: #isolation))
      case .wait(let time):
        let timer = timer(after: time - now, .due)
        try await take(await inputs.next(isolation: #isolation))
        timer.cancel()
      case .finish(let outcome, let finding):
        let finished = RunFinished(outcome: outcome, finding: finding, signal: lastSignal, duration: now)
        try await record(.runFinished(finished))
        return finished
      }
    }
    return RunFinished(outcome: .indeterminate, finding: nil, signal: lastSignal, duration: now)
  }

  private mutating func record(_ event: Event) async throws { take(try await append(event)) }

  private mutating func take(_ recorded: RecordedEvent) {
    machine.apply(recorded.event, wall: recorded.moment.wall, at: now)
    notify(.recorded(recorded.event))
  }

  private mutating func take(_ input: DriverInput?) async throws {
    switch input {
    case .result(let result):
      guard let running = tries[result.path], running.attempt.attempt == result.attempt else { return }
      running.deadline.cancel()
      tries[result.path] = nil
      try await record(.stepResult(result))
    case .started(let process): try await record(.processStarted(process))
    case .deadline(let path, let attempt):
      guard let running = tries[path], running.attempt.attempt == attempt else { return }
      stop(running, because: .deadline)
    case .graceOver(let path, let attempt):
      guard let running = tries[path], running.attempt.attempt == attempt else { return }
      try await abandon(running)
    case .runTimeout:
      guard !machine.isEnding, let timeout = machine.timeout else { return }
      try await record(.runTimedOut(RunTimedOut(timeout: timeout)))
      for running in tries.values { stop(running, because: .runEnds) }
    case .signal(let number):
      let isSecond = lastSignal != nil
      lastSignal = lastSignal ?? number
      try await record(.runSignalled(RunSignalled(signal: number)))
      for running in tries.values {
        if isSecond { try await abandon(running) } else { stop(running, because: .runEnds) }
      }
    case .due: return
    // A stream that ends has nobody left who could feed it.
    case .cancelled, nil: throw CancellationError()
    }
  }

  private mutating func begin(_ attempt: Try) {
    let deadline = ContinuousClock.now + attempt.timeout
    let context = StepContext(
      run: run, path: attempt.path.description, attempt: attempt.attempt, idempotencyKey: attempt.key,
      deadline: deadline,
      history: history, progress: { [notify] in notify(.progress(path: attempt.path, text: $0)) },
      started: { [feed] in _ = feed.yield(.started(attempt.recorded($0))) })
    notify(.trying(path: attempt.path, deadline: deadline))
    let stopping = StopFlag()
    let task = Task { [feed] in
      _ = feed.yield(.result(await attempt.result(in: context, stopping: stopping)))
    }
    tries[attempt.path] = RunningTry(
      attempt: attempt, task: task, stopping: stopping,
      deadline: timer(after: attempt.timeout, .deadline(path: attempt.path, attempt: attempt.attempt)))
  }

  private mutating func stop(_ running: RunningTry, because reason: StopReason) {
    guard running.stopping.raise(reason) else { return }
    running.task.cancel()
    timers.append(
      timer(after: RunDriver.grace, .graceOver(path: running.attempt.path, attempt: running.attempt.attempt)))
  }

  /// Gives up on a module that does not end although it was cancelled.
  private mutating func abandon(_ running: RunningTry) async throws {
    running.task.cancel()
    tries[running.attempt.path] = nil
    let result = running.attempt.unfinished(
      Finding(
        "step.hung", "it did not end although it was cancelled",
        advice: """
          What it began may still go on: look at the service and at its processes, and for a file system that does not \
          answer (`dmesg`, `findmnt`).
          """),
      duration: running.since.duration(to: .now))
    try await record(.stepResult(result))
  }

  /// Cancels what runs and waits, for as long as the grace lasts, until it has cleaned up.
  private mutating func cancelTries(_ inputs: inout AsyncStream<DriverInput>.Iterator) async {
    for running in tries.values { stop(running, because: .runEnds) }
    while !tries.isEmpty, let input = await inputs.next(isolation: #isolation) {
      switch input {
      case .result(let result): tries[result.path] = nil
      case .graceOver(let path, _): tries[path] = nil
      case .started, .deadline, .due, .runTimeout, .signal, .cancelled: continue
      }
    }
  }

  private func timer(after duration: Duration, _ input: DriverInput) -> Task<Void, Never> {
    Task { [feed] in
      do { try await Task.sleep(for: duration, clock: .continuous) } catch { return }
      feed.yield(input)
    }
  }
}

/// A try whose module is at work.
private struct RunningTry {
  let attempt: Try
  let task: Task<Void, Never>
  let stopping: StopFlag
  let deadline: Task<Void, Never>
  let since = ContinuousClock.now
}
