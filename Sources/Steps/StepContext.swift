package import Backups
package import Journal
package import Notices

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
  /// Where the step belongs to, for what tells people.
  package let origin: RunOrigin
  /// Channels that took this step's notice before, in a process that died: they are not told again.
  package let deliveredTo: Set<String>
  /// Whether a try before this one may have been at work, in this process or in one that died.
  package let isRepetition: Bool
  /// Records how a notice fared at a channel, as soon as that is known.
  package let delivered: @Sendable (ChannelAnswer) -> Void
  /// Records a process that the step has just started, so that a run that dies can be told what it left behind.
  package let started: @Sendable (StartedProcess) -> Void

  package init(
    run: String, path: String, attempt: Int, idempotencyKey: String, deadline: ContinuousClock.Instant,
    services: Services, origin: RunOrigin = RunOrigin(), deliveredTo: Set<String> = [],
    isRepetition: Bool = false,
    progress: @escaping @Sendable (String) -> Void,
    delivered: @escaping @Sendable (ChannelAnswer) -> Void = { _ in },
    started: @escaping @Sendable (StartedProcess) -> Void = { _ in }
  ) {
    self.run = run
    self.path = path
    self.attempt = attempt
    self.idempotencyKey = idempotencyKey
    self.deadline = deadline
    self.services = services
    self.origin = origin
    self.deliveredTo = deliveredTo
    self.isRepetition = isRepetition
    self.progress = progress
    self.delivered = delivered
    self.started = started
  }

  /// What is left until the deadline; zero once it has passed.
  package var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: deadline)) }
}

/// What a step belongs to.
package struct RunOrigin: Hashable, Sendable {
  /// Name of the runbook, or `checks/NAME`; nil for a step by hand.
  package var runbook: String?
  /// Name of the target; nil if there is none.
  package var target: String?
  /// Of the runbook; nil if it has none.
  package var severity: String?

  package init(runbook: String? = nil, target: String? = nil, severity: String? = nil) {
    self.runbook = runbook
    self.target = target
    self.severity = severity
  }
}

/// How a notice of a step fared at one channel.
package struct ChannelAnswer: Hashable, Sendable {
  package var channel: String
  /// What the channel calls the notice; nil if it gives no name.
  package var receipt: String?
  /// What it answered, without secrets; nil if it gave no answer.
  package var answer: String?
  /// Why it did not take the notice; nil if it did.
  package var finding: Finding?
  /// Whether the notice was held back on purpose: the channel was not asked.
  package var isSuppressed: Bool

  package init(channel: String, receipt: String?, answer: String?, finding: Finding?, isSuppressed: Bool = false) {
    self.channel = channel
    self.receipt = receipt
    self.answer = answer
    self.finding = finding
    self.isSuppressed = isSuppressed
  }

  /// How it is recorded.
  ///
  /// - Parameter path: of the step whose notice it is; nil for a notice of the run itself.
  package func event(of path: StepPath?, attempt: Int = 1) -> Event {
    guard let finding else {
      return .notifyDelivered(
        NotifyDelivered(path: path, attempt: attempt, channel: channel, receipt: receipt, answer: answer))
    }
    return isSuppressed
      ? .notifySuppressed(NotifySuppressed(path: path, attempt: attempt, channels: [channel], finding: finding))
      : .notifyFailed(
        NotifyFailed(path: path, attempt: attempt, channel: channel, finding: finding, answer: answer))
  }
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
  /// The channels through which people are told.
  case channels
}

/// The outages that people were told of.
package protocol ToldOutages: Sendable {
  /// The runbook of severity P1 that fails on a target, if people were told so of late; nil if there is none.
  ///
  /// - Parameter runbook: the one that asks. It is never the answer.
  func outage(on target: String, besides runbook: String) -> String?
}

/// The services of one process, made once where the program is put together and handed down as they are.
package struct Services: Sendable {
  package let history: any RunHistory
  /// Nil if there is no project, or none with backups.
  package let vault: VaultSettings?
  /// Nil if there is no project, or none with channels.
  package let channels: ChannelRoutes?
  /// The state of the run, where it is counted how many notices a channel took. Nil if no run is recorded: nothing is counted then.
  package var state: StateFolder?
  /// Nil if no run is recorded: nothing is known of outages then.
  package var outages: (any ToldOutages)?

  package init(history: any RunHistory, vault: VaultSettings? = nil, channels: ChannelRoutes? = nil) {
    self.history = history
    self.vault = vault
    self.channels = channels
  }
}
