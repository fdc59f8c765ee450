package import Journal

/// A run that died.
package struct DeadRun: Hashable, Sendable {
  package let summary: RunSummary
  /// Of the run itself, and of its children that died with it.
  package let folders: [RunFolder]
}

extension Ledger {
  /// How many runs are looked at: a run must not begin late because many came before it.
  private static let depth = 1000

  /// The runs of a runbook that died after the last one that ended, the newest first, by their ids.
  ///
  /// Throws if a state folder cannot be read.
  package func died(of runbook: String) throws(JournalError) -> [DeadRun] {
    var died: [DeadRun] = []
    var children: [String: [RunFolder]] = [:]
    for folder in try newestFolders(Self.depth) where folder.mayBeRun(of: runbook) {
      guard case .run(let run, let goesOn) = LedgerEntry(reading: folder).content, run.runbook == runbook, !goesOn
      else { continue }
      switch (run.parent, run.outcome) {
      case (let parent?, nil): children[parent, default: []].append(folder)
      case (_?, _): continue
      case (nil, nil): died.append(DeadRun(summary: run, folders: [folder] + (children[run.id] ?? [])))
      case (nil, _): return died
      }
    }
    return died
  }
}
