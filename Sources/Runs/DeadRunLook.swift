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
    if run.isFinished {
      throw ResumeRefusal("run \(name) has ended: there is nothing to go on with", advice: "runbook report \(name)")
    }
    guard !run.isBeingWritten else {
      throw ResumeRefusal(
        "run \(name) goes on: another process is writing to its journal",
        advice: "wait until it has ended, or end it with: runbook cancel \(name)")
    }
  }

  /// Throws if a process of the dead run still runs, or where this host cannot tell: it could still do what the run would do
  /// again.
  package func checkNothingRuns() throws(ResumeRefusal) {
    let look = ProcessLook(run.started)
    var running: [String] = []
    var pids: [Int] = []
    for left in run.leftProcesses {
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
        "run \(name) died, but what it started still runs: \(running.joined(separator: "; "))",
        advice: "wait until that has ended, or end it: kill \(pids.map(String.init).joined(separator: " "))")
    }
  }
}
