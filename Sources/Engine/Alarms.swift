import Journal

/// The times at which a run is to be looked at again, with one timer for all of them: most tries end long before their
/// deadline, and cost no timer.
struct Alarms {
  enum Alarm: Hashable, Sendable {
    /// A try's time is over.
    case deadline(path: StepPath, attempt: Int)
    /// So is the time that it had to clean up.
    case graceOver(path: StepPath, attempt: Int)
    /// The machine has something to do.
    case due
  }

  private var times: [Alarm: ContinuousClock.Instant] = [:]
  private var timer: (at: ContinuousClock.Instant, task: Task<Void, Never>)?
  private let ring: @Sendable () -> Void

  /// - Parameter ring: called at the earliest of the times, and now and then without need.
  init(ring: @escaping @Sendable () -> Void) { self.ring = ring }

  mutating func set(_ alarm: Alarm, at time: ContinuousClock.Instant) {
    times[alarm] = time
    if let timer, timer.at <= time { return }
    start(time)
  }

  mutating func clear(_ alarm: Alarm) { times[alarm] = nil }

  /// Those whose time has come, the earliest first. They are cleared, and the timer waits for the next.
  mutating func takeRung(at now: ContinuousClock.Instant) -> [Alarm] {
    let rung = times.filter { $0.value <= now }.sorted { $0.value < $1.value }.map(\.key)
    for alarm in rung { times[alarm] = nil }
    cancel()
    if let next = times.values.min() { start(next) }
    return rung
  }

  mutating func cancel() {
    timer?.task.cancel()
    timer = nil
  }

  private mutating func start(_ time: ContinuousClock.Instant) {
    timer?.task.cancel()
    let task = Task { [ring] in
      do { try await Task.sleep(until: time, clock: .continuous) } catch { return }
      ring()
    }
    timer = (time, task)
  }
}
