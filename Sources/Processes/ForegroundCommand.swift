import CLinux
import Glibc

/// Runs a program in our own place before the person at the terminal: it shares our input, outputs, session and group.
///
/// INT and QUIT from the keyboard reach both; we ignore them meanwhile, so that the program decides. Throws if it could
/// not be started.
///
/// - Parameter environment: variables besides our own, or in their place; nil: none of that name.
package func runInForeground(
  _ program: String, _ arguments: [String], environment: [String: String?]
) async throws(ProcessError) -> ProcessResult.Ending {
  for (name, value) in environment {
    if let value { setenv(name, value, 1) } else { unsetenv(name) }
  }
  let previous = [SIGINT, SIGQUIT].map { ($0, signal($0, SIG_IGN)) }
  defer { for (number, action) in previous { signal(number, action) } }
  return try await onBlockingThread { () throws(ProcessError) in
    let vector = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for argument in vector { free(argument) } }
    var pid: pid_t = 0
    let failure = runbook_spawn_foreground(&pid, program, vector)
    guard failure == 0 else {
      throw ProcessError(
        failure == ENOENT ? .notFound : .system, "\(program) cannot be started: \(String(errorNumber: failure))")
    }
    let ending = runbook_wait(pid)
    guard ending.reaped != 0 else { throw ProcessError(systemCall: "waitpid") }
    return ending.signalled != 0 ? .signalled(ending.status) : .exited(ending.status)
  }
}
