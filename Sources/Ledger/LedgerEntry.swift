package import Journal
package import Steps

/// One run in a list.
package struct LedgerEntry: Hashable, Sendable {
  package let folder: RunFolder
  package let content: Content

  package enum Content: Hashable, Sendable {
    /// `goesOn` tells a run without an end that is still being written from one that died.
    case run(RunSummary, goesOn: Bool)
    /// The journal's ends can be read, and what lies between them was changed: nothing that they say counts.
    case changed(RunSummary, JournalError)
    /// The journal cannot be read, and why.
    case damaged(JournalError)
  }

  /// Reads the ends of the journal, and believes them.
  init(reading folder: RunFolder) {
    self.folder = folder
    do throws(JournalError) {
      let ends = try JournalEnds.read(folder)
      let finished = ends.finished
      let run = RunSummary(
        id: ends.id, number: Int64(ends.started.number), runbook: ends.started.runbook, target: ends.started.target,
        parent: ends.started.parent, only: ends.started.only, startedAt: ends.first.moment.wall,
        finishedAt: finished == nil ? nil : ends.last.moment.wall, outcome: finished?.outcome)
      content = .run(run, goesOn: finished == nil && ends.isBeingWritten)
    } catch {
      content = .damaged(error)
    }
  }

  /// The entry after every line of the journal was verified.
  func verified() -> LedgerEntry {
    guard case .run(let run, _) = content else { return self }
    do throws(JournalError) { _ = try RecordedRun.read(folder) } catch {
      return LedgerEntry(folder: folder, content: .changed(run, error))
    }
    return self
  }

  private init(folder: RunFolder, content: Content) {
    self.folder = folder
    self.content = content
  }

  /// False too where that cannot be told.
  var isChild: Bool {
    if case .run(let run, _) = content { run.parent != nil } else { false }
  }
}
