import CLinux
import Glibc

/// Watches over one running command: reads its outputs, ends it when its time is over, and sees to it that nothing of it
/// is left. Lives on one thread, which it blocks.
final class Supervision {
  /// How long processes that outlive the command may take to finish by themselves.
  private static let lingering: Duration = .seconds(1)
  /// How long a process may take to die of KILL.
  private static let dying: Duration = .seconds(5)
  /// How often the process table is looked at while it is waited for: no event tells of the end of a grandchild.
  private static let glance: Duration = .milliseconds(20)

  private let began = ContinuousClock.now
  private let timeout: Duration?
  private let terminationGrace: Duration
  private let cancellation: Cancellation
  private let session: CommandSession
  private let leaderEnd: Descriptor
  private var leaderEnded = false
  private var outputs: [OutputReader]

  /// Starts the command.
  init(
    of command: Command, cancellation: Cancellation, observer: Command.OutputObserver?,
    started: ((ProcessIdentity) -> Void)?
  ) throws(ProcessError) {
    timeout = command.timeout
    terminationGrace = command.terminationGrace
    self.cancellation = cancellation
    let output = try Pipe.open()
    let error = try Pipe.open()
    let leader = try command.start(
      standardOutput: output.writeEnd.number, standardError: error.writeEnd.number, by: RunningCommands.start)
    outputs = [
      OutputReader(
        output.readEnd, limit: command.streamsStandardOutput ? 0 : command.outputLimit,
        passesAll: command.streamsStandardOutput
      ) { observer?(.standardOutput, $0) },
      OutputReader(error.readEnd, limit: command.outputLimit) { observer?(.standardError, $0) },
    ]
    session = CommandSession(leader: leader)
    do throws(ProcessError) {
      leaderEnd = try Descriptor(adopting: runbook_pidfd_open(leader), from: "pidfd_open")
    } catch {
      kill(-leader, SIGKILL)
      while RunningCommands.reap(leader).reaped == 0 { usleep(1000) }
      throw error
    }
    // It is there still, be it as a zombie: only this thread reaps it.
    if let started, let identity = ProcessIdentity(pid: leader) { started(identity) }
  }

  /// Stays until the command and what belongs to it are gone.
  func finish() -> ProcessResult {
    var interruption: ProcessResult.Interruption?
    var leaked: [ProcessEntry] = []
    switch wait(until: timeout.map { began + $0 }, for: { self.leaderEnded }) {
    case .reached:
      let rest = wait(until: .now + Self.lingering, glance: Self.glance) {
        self.openPipes.isEmpty && self.session.members().isEmpty
      }
      if rest != .reached {
        leaked = session.members() + session.outsiders(holding: openPipes)
        end { self.session.members() }
      }
    case .timeOver: interruption = .timeout
    case .cancelled: interruption = .cancellation
    }
    if interruption != nil {
      // They no longer hold an output once they end, and are looked for by what they were.
      var outsiders: [ProcessEntry] = []
      end {
        outsiders += self.session.outsiders(holding: self.openPipes).filter { found in
          !outsiders.contains { $0.pid == found.pid }
        }
        return self.session.members() + self.session.remaining(of: outsiders)
      }
      leaked = outsiders
    }
    for output in outputs { output.drain() }
    return ProcessResult(
      ending: reap(), interruption: interruption, standardOutput: outputs[0].captured,
      standardError: outputs[1].captured, duration: .now - began,
      leaked: leaked.filter { !$0.isZombie }.map { LeakedProcess(pid: $0.pid, name: $0.name) })
  }

  /// The outputs that somebody may still write to.
  private var openPipes: Set<UInt64> { Set(outputs.filter { !$0.ended }.map(\.inode)) }

  /// Asks the command's group and what `others` finds to end, and after the grace forces them.
  private func end(_ others: () -> [ProcessEntry]) {
    session.signal(SIGTERM, others())
    // A stopped process gets no TERM before it goes on.
    session.signal(SIGCONT, others())
    func gone() -> Bool { leaderEnded && others().isEmpty }
    guard wait(until: .now + terminationGrace, glance: Self.glance, endable: false, for: gone) != .reached else {
      return
    }
    _ = wait(until: .now + Self.dying, glance: Self.glance, endable: false) {
      // Again each time: what was forked a moment ago has not heard of the last one.
      self.session.signal(SIGKILL, others())
      return gone()
    }
  }

  private func reap() -> ProcessResult.Ending {
    let ending = RunningCommands.reap(session.leader)
    RunningCommands.reapOrphans()
    guard ending.reaped != 0 else { return .unkillable }
    return ending.signalled != 0 ? .signalled(ending.status) : .exited(ending.status)
  }

  private enum Wakening {
    case reached
    case timeOver
    case cancelled
  }

  /// Reads outputs until the condition holds, looked at after every event and, where given, at every glance.
  private func wait(
    until limit: ContinuousClock.Instant?, glance: Duration? = nil, endable: Bool = true, for condition: () -> Bool
  ) -> Wakening {
    // The kernel's timeouts stand still while the machine sleeps, our clock does not.
    let tick = glance ?? .seconds(1)
    while !condition() {
      let left = limit.map { $0 - .now } ?? tick
      guard left > .zero else { return .timeOver }
      let open = outputs.filter { !$0.ended }
      var events = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
      // A negative number is passed over by poll(2).
      events.append(pollfd(fd: leaderEnded ? -1 : leaderEnd.number, events: Int16(POLLIN), revents: 0))
      events.append(pollfd(fd: endable ? cancellation.event.number : -1, events: Int16(POLLIN), revents: 0))
      poll(&events, nfds_t(events.count), min(left, tick).wholeMilliseconds)
      for (output, event) in zip(open, events) where event.revents != 0 { output.readOnce() }
      if events[open.count].revents != 0 { leaderEnded = true }
      if events[open.count + 1].revents != 0 { return .cancelled }
    }
    return .reached
  }
}
