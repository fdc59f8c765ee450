package import Backups
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
  /// Only those that the module's declaration names are sure to be there.
  package let services: Services
  /// Tells people who watch what goes on; never recorded.
  package let progress: @Sendable (String) -> Void
  /// Records a process that the step has just started, so that a run that dies can be told what it left behind.
  package let started: @Sendable (StartedProcess) -> Void

  package init(
    run: String, path: String, attempt: Int, idempotencyKey: String, deadline: ContinuousClock.Instant,
    services: Services, progress: @escaping @Sendable (String) -> Void,
    started: @escaping @Sendable (StartedProcess) -> Void = { _ in }
  ) {
    self.run = run
    self.path = path
    self.attempt = attempt
    self.idempotencyKey = idempotencyKey
    self.deadline = deadline
    self.services = services
    self.progress = progress
    self.started = started
  }

  /// What is left until the deadline; zero once it has passed.
  package var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: deadline)) }
}

/// A process that a step started, as the kernel names it.
package struct StartedProcess: Hashable, Sendable {
  /// As the step names it.
  package var program: String
  package var pid: Int
  /// In clock ticks since the boot (field 22 of `/proc/PID/stat`).
  package var startTime: Int
  /// The namespace in which the pid counts, as `/proc/self/ns/pid` names it; nil if the kernel does not tell.
  package var pidNamespace: String?

  package init(program: String, pid: Int, startTime: Int, pidNamespace: String?) {
    self.program = program
    self.pid = pid
    self.startTime = startTime
    self.pidNamespace = pidNamespace
  }
}

/// What a module may need beyond its input. A module names in its declaration which it needs; a project that lacks one
/// cannot use the module.
package enum Service: String, Hashable, Sendable, CaseIterable {
  /// Earlier runs.
  case history
  /// The vault and the sets that are backed up in it.
  case vault
}

/// The services of one process, made once where the program is put together and handed down as they are.
package struct Services: Sendable {
  package let history: any RunHistory
  /// Nil if there is no project, or none with backups.
  package let vault: VaultSettings?

  package init(history: any RunHistory, vault: VaultSettings? = nil) {
    self.history = history
    self.vault = vault
  }
}
