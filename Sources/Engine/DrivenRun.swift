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
  let origin: RunOrigin
  let services: Services
  let people: any People

  private let start: ContinuousClock.Instant
  private var tries: [StepPath: RunningTry] = [:]
  /// Of each question that waits, what reads the replies to it.
  private var questions: [StepPath: Task<Void, Never>] = [:]
  private var alarms: Alarms
  private var lastSignal: Int?
  /// What follows from what is known and is not yet in the journal. It is written in one piece, before anything is done.
  private var pending: [Event] = []
  private static let mostPending = 64

  init(
    machine: RunMachine, feed: AsyncStream<DriverInput>.Continuation, append: @escaping RunDriver.Append,
    notify: @escaping @Sendable (RunDriver.Notice) -> Void, run: String, origin: RunOrigin, services: Services,
    people: any People,
    start: ContinuousClock.Instant = .now, lastSignal: Int? = nil
  ) {
    self.start = start
    self.lastSignal = lastSignal
    self.machine = machine
    self.feed = feed
    self.append = append
    self.notify = notify
    self.run = run
    self.origin = origin
    self.services = services
    self.people = people
    alarms = Alarms { feed.yield(.alarm) }
  }

  private var now: Duration { start.duration(to: .now) }

  /// - Parameter started: the first event; the machine has it already if the run is gone on with.
  mutating func drive(
    from started: RecordedEvent, isResumed: Bool = false, inputs: AsyncStream<DriverInput>
  ) async throws -> RunFinished {
    if isResumed {
      for waiting in machine.waitingQuestions { ask(waiting.asking, waiting.asked, until: start + waiting.until) }
    } else {
      machine.apply(started.event, wall: started.moment.wall, at: now)
      notify(.recorded(started.event))
    }
    defer {
      alarms.cancel()
      for question in questions.values { question.cancel() }
    }
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
    while true {
      switch machine.next(at: now) {
      case .record(let event):
        record(event)
        if pending.count >= Self.mostPending { try await flush() }
      case .begin(let attempt):
        record(attempt.intent)
        try await flush()
        begin(attempt)
      case .reconcile(let attempt, let time):
        try await flush()
        if tries[attempt.path] == nil { reconcile(attempt) }
        try await wait(until: time, &inputs)
      case .unresolved(let tries):
        try await flush()
        throw UnresolvedTries(tries: tries)
      case .ask(let asking):
        let asked = asking.event(by: started, run: run, at: .now())
        record(.personAsked(asked))
        try await flush()
        ask(asking, asked, until: .now + asking.question.timeout)
      case .wait(let time):
        try await flush()
        try await wait(until: time, &inputs)
      case .finish(let outcome, let finding):
        let finished = RunFinished(outcome: outcome, finding: finding, signal: lastSignal, duration: now)
        record(.runFinished(finished))
        try await flush()
        return finished
      }
    }
  }

  private mutating func wait(
    until time: Duration?, _ inputs: inout AsyncStream<DriverInput>.Iterator
  ) async throws {
    if let time { alarms.set(.due, at: start + time) }
    try await take(await inputs.next(isolation: #isolation))
    alarms.clear(.due)
  }

  private mutating func record(_ event: Event) {
    machine.apply(event, wall: nil, at: now)
    pending.append(event)
    if case .stepFinished(let event) = event { questions.removeValue(forKey: event.path)?.cancel() }
    if case .runTimedOut = event { stopTries() }
  }

  /// Cancels what goes on in a stage that was cut.
  private mutating func stopTries() {
    guard machine.isCut else { return }
    for running in tries.values { stop(running, because: .runEnds) }
  }

  /// Brings what is pending into the journal.
  private mutating func flush() async throws {
    guard !pending.isEmpty else { return }
    let events = pending
    pending = []
    try await append(events)
    for event in events { notify(.recorded(event)) }
  }

  /// Records the result of a try. What acted on the world is in the journal before anything is made of it.
  private mutating func record(_ result: StepResultRecorded, of attempt: Try) async throws {
    forget(attempt)
    record(.stepResult(result))
    if attempt.effect > .observe { try await flush() }
  }

  private mutating func forget(_ attempt: Try) {
    tries[attempt.path] = nil
    alarms.clear(.deadline(path: attempt.path, attempt: attempt.attempt))
    alarms.clear(.graceOver(path: attempt.path, attempt: attempt.attempt))
  }

  private mutating func take(_ input: DriverInput?) async throws {
    switch input {
    case .result(let result):
      guard let running = tries[result.path], running.attempt.attempt == result.attempt else { return }
      try await record(result, of: running.attempt)
    case .reconciled(let event):
      guard let running = tries[event.path], running.attempt.attempt == event.attempt else { return }
      forget(running.attempt)
      record(.stepReconciled(event))
    case .started(let process): record(.processStarted(process))
    case .told(let event):
      record(event)
      // What was sent is on the disk before anything else is: a run that dies behind it does not send it again.
      try await flush()
    case .reply(let path, let attempt, let reply):
      // Who answers a question that waits no longer is told so by the journal.
      if questions[path] != nil { record(reply.event(path, attempt)) }
    case .alarm: for alarm in alarms.takeRung(at: .now) { try await take(alarm) }
    case .signal(let number):
      lastSignal = lastSignal ?? number
      record(.runSignalled(RunSignalled(signal: number)))
      guard machine.isKilled else { return stopTries() }
      for running in tries.values { try await abandon(running) }
    // A stream that ends has nobody left who could feed it.
    case .cancelled, nil: throw CancellationError()
    }
  }

  private mutating func take(_ alarm: Alarms.Alarm) async throws {
    switch alarm {
    case .deadline(let path, let attempt):
      guard let running = tries[path], running.attempt.attempt == attempt else { return }
      stop(running, because: .deadline)
    case .graceOver(let path, let attempt):
      guard let running = tries[path], running.attempt.attempt == attempt else { return }
      try await abandon(running)
    case .due: return
    }
  }

  private mutating func begin(_ attempt: Try) {
    start(attempt) { context, stopping in .result(await attempt.result(in: context, stopping: stopping)) }
  }

  /// Asks the module how a try ended.
  private mutating func reconcile(_ attempt: Try) {
    start(attempt, isReconciled: true) { context, _ in .reconciled(await attempt.reconciled(in: context)) }
  }

  private mutating func start(
    _ attempt: Try, isReconciled: Bool = false,
    _ work: @escaping @Sendable (StepContext, StopFlag) async -> DriverInput
  ) {
    let deadline = ContinuousClock.now + attempt.timeout
    let context = StepContext(
      run: run, path: attempt.path.description, attempt: attempt.attempt, idempotencyKey: attempt.key,
      deadline: deadline, services: services, origin: origin, deliveredTo: machine.delivered[attempt.path] ?? [],
      isRepetition: attempt.isBegunAgain || attempt.attempt > 1,
      progress: { [notify] in notify(.progress(path: attempt.path, text: $0)) },
      delivered: { [feed] in _ = feed.yield(.told($0.event(of: attempt.path, attempt: attempt.attempt))) },
      started: { [feed] in _ = feed.yield(.started(attempt.recorded($0))) })
    notify(.trying(path: attempt.path, deadline: deadline))
    let stopping = StopFlag()
    let task = Task { [feed] in
      let input = await work(context, stopping)
      _ = feed.yield(input)
    }
    tries[attempt.path] = RunningTry(attempt: attempt, isReconciled: isReconciled, task: task, stopping: stopping)
    alarms.set(.deadline(path: attempt.path, attempt: attempt.attempt), at: deadline)
  }

  private mutating func ask(_ asking: Asking, _ asked: PersonAsked, until deadline: ContinuousClock.Instant) {
    let question = OpenQuestion(
      run: run, title: asking.title, asked: asked, question: asking.question, deadline: deadline)
    questions[asked.path] = Task { [people, feed] in
      for await reply in people.replies(to: question) {
        feed.yield(.reply(asked.path, attempt: asked.attempt, reply))
      }
    }
  }

  private mutating func stop(_ running: RunningTry, because reason: StopReason) {
    guard running.stopping.raise(reason) else { return }
    running.task.cancel()
    alarms.set(
      .graceOver(path: running.attempt.path, attempt: running.attempt.attempt), at: .now + RunDriver.grace)
  }

  /// Gives up on a module that does not end although it was cancelled.
  private mutating func abandon(_ running: RunningTry) async throws {
    running.task.cancel()
    guard !running.isReconciled else {
      forget(running.attempt)
      record(
        .stepReconciled(
          running.attempt.reconciled(.unknown, "\(running.attempt.module.name) did not answer in time")))
      return
    }
    let result = running.attempt.unfinished(
      Finding(
        "step.hung", "the step did not end although it was cancelled",
        advice: """
          What it began may still go on: look at the service and at its processes, and for a file system that does not \
          answer (`dmesg`, `findmnt`).
          """),
      duration: running.since.duration(to: .now))
    try await record(result, of: running.attempt)
  }

  /// Cancels what runs and waits, for as long as the grace lasts, until it has cleaned up.
  private mutating func cancelTries(_ inputs: inout AsyncStream<DriverInput>.Iterator) async {
    for running in tries.values { stop(running, because: .runEnds) }
    while !tries.isEmpty, let input = await inputs.next(isolation: #isolation) {
      switch input {
      case .result(let result): tries[result.path] = nil
      case .reconciled(let event): tries[event.path] = nil
      case .alarm:
        for case .graceOver(let path, _) in alarms.takeRung(at: .now) { tries[path] = nil }
      case .told(let event): try? await append([event])
      case .started, .signal, .reply, .cancelled: continue
      }
    }
  }
}

/// A try whose module is at work.
private struct RunningTry {
  let attempt: Try
  /// It is asked how it ended, not done.
  let isReconciled: Bool
  let task: Task<Void, Never>
  let stopping: StopFlag
  let since = ContinuousClock.now
}
