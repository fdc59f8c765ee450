import CLinux
import Glibc
import Synchronization

/// The commands that run now. Each is known here by its process, which is also its session and its group, from its start
/// until just before it is reaped: as long as that, its number cannot become another process's.
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

  /// Runs `body` while no process is being started: there is no copy of us then, between fork and exec, that holds our
  /// descriptors for a moment and must not be taken for a holder of them.
  static func whileNoneStarts<R>(_ body: () -> sending R) -> sending R {
    leaders.withLock { _ in body() }
  }
}
