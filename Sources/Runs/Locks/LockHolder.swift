import Files
import Glibc
package import Schema

/// Who holds a lock, as its file tells it.
package struct LockHolder: Hashable, Sendable {
  /// Id of the run.
  package var run: String
  package var runbook: String
  package var pid: Int
  package var user: String
  package var since: Timestamp

  package init(run: String, runbook: String, pid: Int, user: String, since: Timestamp) {
    self.run = run
    self.runbook = runbook
    self.pid = pid
    self.user = user
    self.since = since
  }

  /// A file of a lock is never longer.
  static let limit = 4096

  /// One line for the lock's file, which people may read too.
  var line: [UInt8] {
    let json: JSON = [
      "run": .string(run), "runbook": .string(runbook), "pid": .int(Int64(pid)), "user": .string(user),
      "since": .string(since.description),
    ]
    return Array((json.text(.compact) + "\n").utf8)
  }

  /// Nil for anything else than a whole line.
  init?(line: [UInt8]) {
    guard line.last == 0x0A, let json = try? JSON(parsing: line), let run = json["run"]?.string,
      let runbook = json["runbook"]?.string, let pid = json["pid"]?.int, let user = json["user"]?.string,
      let since = json["since"]?.string.flatMap({ Timestamp($0) })
    else { return nil }
    self.init(run: run, runbook: runbook, pid: Int(pid), user: user, since: since)
  }

  /// False if the process is gone: the line is left from a run that died.
  var isAlive: Bool { kill(pid_t(truncatingIfNeeded: pid), 0) == 0 || errno == EPERM }
}
