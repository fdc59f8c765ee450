import Glibc
import Journal
import Processes
import Schema
import Steps

/// Starts a service that is one process, and does not believe it before its PID file names it.
struct ServiceStart: Sendable {
  let service: ManagedProcess
  private let command: Command
  private let log: String
  private let patience: Duration
  private let settle: Duration
  /// Whether a process that runs and is not named by the PID file goes on: after the end of an old one it is better than none.
  private let keepsUnnamed: Bool

  /// The variable that a process is started with, and its children: the step's idempotency key. By it a run that died finds out what it
  /// had started.
  static let mark = "RUNBOOK_STEP"

  /// - Throws: `notStarted` if the command cannot be started: nothing is ended then for a start that must fail.
  init(_ input: ProcessStart.Input, key: String, keepsUnnamed: Bool = false) throws(StepError) {
    guard let executable = input.command.first, !executable.isEmpty else {
      throw .notStarted("command.empty", "the command is empty", advice: "Give a program as the first element.")
    }
    var command = Command(executable, Array(input.command.dropFirst()))
    command.environment = input.env.merging([Self.mark: key]) { _, own in own }
    command.directory = input.directory
    do throws(ProcessError) { try command.checkProgram() } catch { throw CommandRun.notStarted(error) }
    service = try ManagedProcess(pidFile: input.pidFile, program: input.program ?? executable, in: input.directory)
    self.command = command
    log = input.log ?? "/dev/null"
    patience = input.patience
    settle = input.settle
    self.keepsUnnamed = keepsUnnamed
  }

  /// A process that runs by the same command and that the PID file does not name.
  func unnamed(besides process: ProcessFacts?) -> ProcessFacts? {
    service.others(besides: process).first { other in
      let arguments = other.argumentsBehindName
      // Started through another program its arguments are the last ones; started by somebody else there may be more of them.
      return Array(command.arguments.suffix(arguments.count)) == arguments
        || !command.arguments.isEmpty && Set(command.arguments).isSubset(of: arguments)
    }
  }

  /// Throws `notStarted` if systemd starts the service: it would not know of a process that we start, and would start another one.
  func refuseUnit() throws(StepError) {
    guard let unit = SystemdUnit(starting: service.program, command.arguments) else { return }
    throw .notStarted(
      "process.ofSystemd", "the unit \(unit.name) of systemd starts \(service.program) by the same command",
      advice: "Leave it to systemd: `systemctl restart \(unit.name)`, in a runbook by `command.run`.")
  }

  /// Throws `notStarted` if a process runs by the same command: a second one would share its port without an error.
  func refuseSecond(besides process: ProcessFacts? = nil) throws(StepError) {
    guard let other = unnamed(besides: process) else { return }
    throw .notStarted(
      "process.unnamed",
      "\(other.title) runs by the same command, and the PID file \(service.pidFile) does not name it",
      advice:
        "A second server would share its port. If it is the service itself, do not end it: give the PID file that names it. Otherwise find out who started it, then end it."
    )
  }

  /// Starts it, and returns once the PID file names it and it has gone on for a while.
  func callAsFunction(_ context: StepContext) async throws(StepError) -> ProcessFacts {
    let child: ProcessIdentity
    do throws(ProcessError) { child = try command.startDetached(log: log) } catch { throw CommandRun.notStarted(error) }
    do throws(StepError) {
      let process = try await named(child, key: command.environment[Self.mark] ?? "", context)
      try await stays(process)
      return process
    } catch {
      if keepsUnnamed, child.isRunning, error.finding.code == "process.notNamed" { throw error }
      // Nobody but us knows of it: it would hold the port, and no file would name it.
      if child.isRunning { _ = await end(child, grace: .seconds(5)) } else { reap(child) }
      throw error
    }
  }

  private func named(
    _ child: ProcessIdentity, key: String, _ context: StepContext
  ) async throws(StepError) -> ProcessFacts {
    let limit = ContinuousClock.now + min(patience, context.remaining)
    // A program that becomes a daemon ends its first process itself.
    var endedAt: ContinuousClock.Instant?
    while ContinuousClock.now < limit {
      if let process = try service.look().process, process.pid == Int(child.pid) || process.isMarked(key) == true {
        return process
      }
      if !child.isRunning {
        endedAt = endedAt ?? .now
        if let endedAt, endedAt.duration(to: .now) > Self.daemonPatience { throw ended(child) }
      }
      await pause()
    }
    if !child.isRunning { throw ended(child) }
    throw .failed(
      "process.notNamed",
      "the service was started, and in \(durationLiteral(patience)) the PID file \(service.pidFile) did not name it; \(keepsUnnamed ? "it goes on" : "it was ended again")",
      advice: "Look whether the program writes that file (coturn: `pidfile`), and at its log.")
  }

  /// How long after the end of the first process another one may still be named.
  private static let daemonPatience: Duration = .seconds(2)

  private func stays(_ process: ProcessFacts) async throws(StepError) {
    guard let identity = process.identity else { throw ended(process.title) }
    let limit = ContinuousClock.now + settle
    while ContinuousClock.now < limit {
      guard identity.isRunning else { throw ended(process.title) }
      await pause()
    }
    guard identity.isRunning else { throw ended(process.title) }
  }

  private func ended(_ child: ProcessIdentity) -> StepError { ended("the service (PID \(Int(child.pid)))") }

  private func ended(_ title: String) -> StepError { ended("\(title)" as Sentence) }

  private func ended(_ title: Sentence) -> StepError {
    let place: Sentence = log == "/dev/null" ? "its own log" : "\(log), and its own log"
    return .failed(
      "process.endedAtOnce", "\(title) ended as soon as it was started",
      advice: "Look at \(place), and check its configuration (`coturn.config`): a restart will not mend it.")
  }

  /// A start that was begun is brought to its end, cancelled or not: the old process may be gone already, and to leave the service down is
  /// worse than to take a moment longer.
  private func pause() async {
    if Task.isCancelled {
      _ = await onBlockingThread { usleep(20_000) }
    } else {
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  /// How a start ended that a run has begun which died.
  enum Ending {
    case started(ProcessFacts)
    case notStarted
    case unknown(String)
  }

  /// Whether the step with this key has started the service. It waits for one that has not written its file yet.
  func ending(_ context: StepContext) async throws(StepError) -> Ending {
    let limit = ContinuousClock.now + min(.seconds(5), context.remaining)
    while true {
      let look = try service.look()
      if let process = look.process {
        switch process.isMarked(context.idempotencyKey) {
        case true?: return .started(process)
        case false?: return .notStarted
        case nil: return .unknown("this user may not see who started \(process.title)")
        }
      }
      guard let other = unnamed(besides: nil), other.isMarked(context.idempotencyKey) == true else {
        return .notStarted
      }
      guard ContinuousClock.now < limit else {
        return .unknown("\(other.title) was started, and the PID file \(service.pidFile) does not name it")
      }
      await pause()
    }
  }

  private func reap(_ child: ProcessIdentity) { _ = child.end(grace: .zero) }
}

/// Ends one process: TERM, and KILL if that is not enough within the grace. A stopped one is let go on, to hear TERM.
///
/// - Returns: how it ended; nil if it is there still, 5 seconds after KILL.
func end(_ process: ProcessIdentity, grace: Duration) async -> ProcessEnding? {
  process.signal(SIGTERM)
  process.signal(SIGCONT)
  if await hasEnded(process, within: grace) { return .term }
  process.signal(SIGKILL)
  return await hasEnded(process, within: .seconds(5)) ? .kill : nil
}

/// Which signal ended a process.
package enum ProcessEnding: String, CaseIterable, Hashable, Sendable {
  case term
  case kill
}

private func hasEnded(_ process: ProcessIdentity, within limit: Duration) async -> Bool {
  let deadline = ContinuousClock.now + limit
  while process.isRunning {
    guard ContinuousClock.now < deadline else { return false }
    // What was begun is brought to its end, cancelled or not: half an end helps nobody.
    if Task.isCancelled {
      _ = await onBlockingThread { usleep(20_000) }
    } else {
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
  // A child of ours is reaped.
  _ = process.end(grace: .zero)
  return true
}
