import Journal
import Ledger
import Reports
import Runs
import TerminalText

/// Tells of the runs of a runbook that died since it last ended, and of what they left running.
struct DeadRuns {
  let ledger: Ledger
  let runbook: String

  /// How many are told of, the newest first.
  private static let shown = 3

  /// Lines for people; empty if there is nothing to tell.
  func warning() throws(JournalError) -> String {
    let died = try ledger.died(of: runbook)
    var lines: [String] = []
    for run in died.prefix(Self.shown) {
      let number = run.summary.number > 0 ? "\(run.summary.number)" : run.summary.id
      let target = run.summary.target.map { " on \($0)" } ?? ""
      let moment = listedMomentText(run.summary.startedAt, offset: localOffset(at:))
      lines.append(
        "warning: run \(number) of \(runbook)\(target), started \(moment), died; see: runbook report \(number)")
      let processes = run.folders.flatMap(\.leftProcesses)
      lines += processes.map { "  " + $0.sentence }
      if let advice = processes.advice { lines.append("  \(advice)") }
      let acted = run.folders.compactMap { try? RecordedRun.read($0) }.flatMap(\.openTries).filter(\.mayHaveActed)
      if !acted.isEmpty {
        let steps = Set(acted.map(\.path.description)).sorted().joined(separator: ", ")
        lines.append("  it was at work, and may have taken effect: \(steps)")
      }
      lines.append(
        "  to go on with it: runbook resume \(number); to record that it is over: runbook cancel \(number)")
    }
    let further = died.count - Self.shown
    if further > 0 { lines.append("warning: more runs of \(runbook) that died: \(further)") }
    return lines.map { terminalSafe($0) + "\n" }.joined()
  }
}

extension RunReport {
  /// The report of a run, with those of its child runs that are at hand, and with what has become of the processes that it
  /// had at work if it died.
  init(looking run: RecordedRun) {
    let look = ProcessLook(run.started)
    self.init(run, details: run.childRuns(), state: look.state)
  }
}

extension RunFolder {
  /// What the run had at work if it died; none of one that cannot be read: its report says why.
  var leftProcesses: [RunReport.Process] {
    (try? RecordedRun.read(self)).map { RunReport(looking: $0).processes } ?? []
  }
}
