package import Journal

/// One run in a list.
package struct LedgerEntry: Hashable, Sendable {
  package let folder: RunFolder
  package let content: Content

  package enum Content: Hashable, Sendable {
    /// `goesOn` tells a run without an end that is still being written from one that died.
    case run(RunSummary, goesOn: Bool)
    /// The journal's ends can be read, and it, or what it is compared with, was changed: nothing that they say counts.
    case changed(RunSummary, JournalError)
    /// The journal is none that can be read, and why.
    case damaged(JournalError)
    /// We may not read it.
    case refused(JournalError)
  }

  /// Reads the ends of the journal, and believes them.
  init(reading folder: RunFolder) {
    self.folder = folder
    do throws(JournalError) {
      let ends = try JournalEnds.read(folder)
      let finished = ends.finished
      let run = RunSummary(
        id: ends.id, number: Int64(ends.started.number), runbook: ends.started.runbook,
        target: ends.started.target?.name,
        parent: ends.started.parent, only: ends.started.only, startedAt: ends.first.moment.wall,
        finishedAt: finished == nil ? nil : ends.last.moment.wall,
        took: finished == nil ? nil : ends.last.moment.time(since: ends.first.moment), outcome: finished?.verdict,
        goesOn: finished == nil && ends.isBeingWritten,
        wasLockedOut: finished?.finding?.code == RunFinished.lockedOut)
      content = .run(run, goesOn: run.goesOn)
    } catch {
      content = error.code == .refused ? .refused(error) : .damaged(error)
    }
  }

  /// The entry after every line of the journal was verified.
  func verified() -> LedgerEntry {
    guard case .run(let run, _) = content else { return self }
    do throws(JournalError) { _ = try RecordedRun.read(folder) } catch {
      return LedgerEntry(folder: folder, content: error.code == .refused ? .refused(error) : .changed(run, error))
    }
    return self
  }

  /// Why the run cannot be trusted, or not be read; nil for one that can.
  package var problem: JournalError? {
    switch content {
    case .run: nil
    case .changed(_, let error), .damaged(let error), .refused(let error): error
    }
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
