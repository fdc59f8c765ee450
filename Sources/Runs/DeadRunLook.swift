package import Journal

/// Looks whether a run is one that died, and that nothing of it goes on.
package struct DeadRunLook {
  private let run: RecordedRun
  private let name: String

  /// - Parameter name: as people call it, for what is said.
  package init(_ run: RecordedRun, called name: String) {
    self.run = run
    self.name = name
  }

  /// Throws unless the run died.
  package func checkDied() throws(ResumeRefusal) {
    guard !run.isFinished else {
      let failed = run.finished.map { !$0.verdict.isGood && $0.verdict != .skipped } ?? false
      throw ResumeRefusal(
        "run \(name) has ended: there is nothing to go on with",
        advice: "runbook report \(name)"
          + (failed ? "\nto try anew what failed: runbook resume \(name) --retry-failed" : ""))
    }
    try checkNobodyWrites()
  }

  private func checkNobodyWrites() throws(ResumeRefusal) {
    guard !run.isBeingWritten else {
      throw ResumeRefusal(
        "run \(name) goes on: another process is writing to its journal",
        advice: "wait until it has ended, or end it with: runbook cancel \(name)")
    }
  }

  /// Throws unless the run ended, and what failed in it can be tried anew.
  func checkRetriable() throws(ResumeRefusal) {
    try checkNobodyWrites()
    guard let finished = run.finished else {
      throw ResumeRefusal(
        "run \(name) died: what failed in it is tried anew only once it has ended",
        advice: "go on with it first: runbook resume \(name)")
    }
    guard !finished.verdict.isGood, finished.outcome != .skipped || finished.signal != nil else {
      throw ResumeRefusal(
        "run \(name) ended in \(finished.outcome.rawValue): nothing of it failed", advice: "runbook report \(name)")
    }
    let again = "start it anew: runbook run \(run.started.runbook)"
    if finished.finding?.code == RunFinished.cancelled {
      throw ResumeRefusal(
        "run \(name) died and was given up with runbook cancel: it is never gone on with", advice: again)
    }
    if finished.finding?.code == RunFinished.lockUnusable {
      throw ResumeRefusal("run \(name) did nothing, since its locks could not be taken", advice: again)
    }
    let wasTakenBack = run.standing.contains { $0.event.path?.stage == .undo }
    guard !wasTakenBack else {
      throw ResumeRefusal(
        "run \(name) took back what its steps had done: what passed does not stand any more",
        advice: "look at what is still in place: runbook report \(name)\n\(again)")
    }
  }

  /// Throws if a process of the dead run still runs, or where this host cannot tell: it could still do what the run would do
  /// again.
  ///
  /// - Parameter retry: what is done anew of a run that ended; nil for one that died.
  package func checkNothingRuns(retry: RunRetry? = nil) throws(ResumeRefusal) {
    let look = ProcessLook(run.started)
    var running: [String] = []
    var pids: [Int] = []
    for left in retry.map({ run.leftProcesses(by: $0) }) ?? run.leftProcesses {
      switch look.state(of: left) {
      case .ended: continue
      case .running(let members):
        running.append(
          "step \(left.process.path): \(members.map { "\($0.name) (pid \($0.pid))" }.joined(separator: ", "))")
        pids += members.map(\.pid)
      case .unknown:
        throw ResumeRefusal(
          "nobody can tell from here whether \(left.process.program) (pid \(left.process.pid)) of step "
            + "\(left.process.path) still runs: it was started on another host, or in another container",
          advice: "resume the run where it was started")
      }
    }
    guard running.isEmpty else {
      throw ResumeRefusal(
        "run \(name) \(retry == nil ? "died" : "has ended"), but what it started still runs: \(running.joined(separator: "; "))",
        advice: "wait until that has ended, or end it: kill \(pids.map(String.init).joined(separator: " "))")
    }
  }
}
