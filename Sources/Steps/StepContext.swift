package import Journal
/// What a step may know of the run it belongs to, beyond its input.
package struct StepContext: Sendable {
  /// The run's id.
  package let run: String
  /// The step's path in the run, `relays/allocate`.
  package let path: String
  /// From 1.
  package let attempt: Int
  /// The same for every try of this step in this run, and for no other: SHA-256 over run id and path, in hex.
  package let idempotencyKey: String
  /// When this try is cancelled. The clock is the boot-time clock.
  package let deadline: ContinuousClock.Instant
  /// Earlier runs.
  package let history: any RunHistory
  /// Tells people who watch what goes on; never recorded.
  package let progress: @Sendable (String) -> Void

  package init(
    run: String, path: String, attempt: Int, idempotencyKey: String, deadline: ContinuousClock.Instant,
    history: any RunHistory, progress: @escaping @Sendable (String) -> Void
  ) {
    self.run = run
    self.path = path
    self.attempt = attempt
    self.idempotencyKey = idempotencyKey
    self.deadline = deadline
    self.history = history
    self.progress = progress
  }

  /// What is left until the deadline; zero once it has passed.
  package var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: deadline)) }
}
