import CLinux
import Glibc

/// The processes of one command: its leader, which is the session and first group, and what came of it.
///
/// Holds as long as the leader is not reaped: until then its number stays the session's and the group's.
struct CommandSession {
  let leader: pid_t

  /// Who is in the session besides the leader. Those that have ended and were left to us are reaped on the way.
  func members() -> [ProcessEntry] {
    ProcessEntry.all().filter { entry in
      guard entry.session == leader, entry.pid != leader else { return false }
      return !isGone(entry)
    }
  }

  /// Who has left the session, yet holds one of the outputs open.
  func outsiders(holding pipes: Set<UInt64>) -> [ProcessEntry] {
    guard !pipes.isEmpty else { return [] }
    return RunningCommands.exclusively {
      ProcessEntry.all().filter { entry in
        entry.session != leader && entry.pid != getpid() && !entry.isZombie && entry.holds(pipes: pipes)
      }
    }
  }

  /// Those of `entries` that are still there; where they have ended and were left to us, they are reaped.
  func remaining(of entries: some Collection<ProcessEntry>) -> [ProcessEntry] {
    entries.compactMap { ProcessEntry(pid: $0.pid) }.filter { entry in
      entries.contains { $0.pid == entry.pid && $0.startTime == entry.startTime } && !isGone(entry)
    }
  }

  /// Sends a signal to the leader's group and to those of `others` who are not in it.
  func signal(_ signal: Int32, _ others: [ProcessEntry]) {
    kill(-leader, signal)
    for other in others where other.group != leader { ProcessIdentity(other)?.signal(signal) }
  }

  /// Whether nothing remains to be done about a process: it is reaped, or another's to reap.
  private func isGone(_ entry: ProcessEntry) -> Bool {
    guard entry.isZombie else { return false }
    if entry.parent == getpid() { return runbook_reap(entry.pid).reaped != 0 }
    // A zombie whose parent is about to end too will be left to us in a moment.
    guard let parent = ProcessEntry(pid: entry.parent) else { return false }
    return parent.session != leader
  }
}
