package import Journal
package import Schema

extension Ledger {
  /// The runs of a runbook that began at a moment or later, the newest first. It looks no further back than to the last one before it,
  /// so that a run does not begin late because many came before it.
  ///
  /// Children and runs of some steps only are left out.
  package func runs(of runbook: String, downTo moment: Timestamp) throws(JournalError) -> [RunSummary] {
    var runs: [RunSummary] = []
    for folder in try newestFolders(.max) where folder.mayBeRun(of: runbook) {
      guard case .run(let run, _) = LedgerEntry(reading: folder).content, run.runbook == runbook, run.parent == nil,
        run.only.isEmpty
      else { continue }
      guard run.startedAt >= moment else { break }
      runs.append(run)
    }
    return runs
  }

  /// The runs of every runbook, the newest first, and how many journals cannot be read: which runbook they belong to is not known.
  ///
  /// Children and runs of some steps only are left out: they do not stand for the runbook.
  package func runsByRunbook() throws(JournalError) -> (runs: [String: [RunSummary]], unreadable: Int) {
    var runs: [String: [RunSummary]] = [:]
    var unreadable = 0
    for entry in try unverified(of: nil, since: nil) {
      guard case .run(let run, _) = entry.content else {
        unreadable += 1
        continue
      }
      if run.parent == nil, run.only.isEmpty { runs[run.runbook, default: []].append(run) }
    }
    return (runs, unreadable)
  }
}
