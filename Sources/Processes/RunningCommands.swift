import CLinux
import Glibc
import Synchronization

/// The commands that run now, and what becomes of their descendants.
///
/// Each is known here by its process, which is also its session and its group, from its start until just before it is
/// reaped: as long as that, its number cannot become another process's.
package enum RunningCommands {
  private static let leaders = Mutex<Set<pid_t>>([])

  /// Ends every running command and what shares its group by KILL, at once. For a process about to exit itself: the
  /// calls that run the commands go on and see them end.
  package static func killAll() {
    leaders.withLock { leaders in
      for leader in leaders { kill(-leader, SIGKILL) }
    }
  }

  /// Starts a process and remembers it.
  static func start(_ spawn: Spawn) throws(ProcessError) -> pid_t {
    try leaders.withLock { leaders throws(ProcessError) in
      runbook_become_subreaper()
      let leader = try spawn()
      leaders.insert(leader)
      return leader
    }
  }

  /// Reaps a process and forgets it. What is returned says whether it had ended.
  static func reap(_ leader: pid_t) -> runbook_ending {
    leaders.withLock { leaders in
      leaders.remove(leader)
      return runbook_reap(leader)
    }
  }

  /// Reaps every process that descends from a command of ours, outlived it, was left to us and has ended since: to reap
  /// them is the duty of a subreaper. Children that others in this process started share its session and are theirs.
  static func reapOrphans() {
    leaders.withLock { leaders in
      for entry in ProcessEntry.all()
      where entry.isZombie && entry.parent == getpid() && entry.session != getsid(0) && !leaders.contains(entry.pid) {
        _ = runbook_reap(entry.pid)
      }
    }
  }

  /// Runs `body` while no other process is started or reaped. There is then no copy of us, between fork and exec, that
  /// holds our descriptors for a moment and must not be taken for a holder of them.
  package static func exclusively<R, Failure: Error>(
    _ body: () throws(Failure) -> sending R
  ) throws(Failure) -> sending R {
    try leaders.withLock { _ throws(Failure) in try body() }
  }
}
