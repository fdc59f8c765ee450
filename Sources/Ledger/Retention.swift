package import Journal
package import Schema

/// Which past runs may go. A run goes only if every rule that is given lets it go.
package struct Retention: Hashable, Sendable {
  /// Runs whose last event is older.
  package var olderThan: Duration?
  /// All but the newest so many of each runbook.
  package var keep: Int?
  /// Only runs that passed, with or without warnings, or had nothing to do.
  package var keepFailed: Bool

  package init(olderThan: Duration? = nil, keep: Int? = nil, keepFailed: Bool = false) {
    self.olderThan = olderThan
    self.keep = keep
    self.keepFailed = keepFailed
  }
}

/// What may go of a state folder.
package struct PruneList: Sendable {
  /// A run, and its children where it has any: they go together.
  package struct Group: Hashable, Sendable {
    package let run: RunSummary
    /// The run itself first.
    package let folders: [RunFolder]
    /// On the disk, in bytes.
    package let size: Int64
  }

  /// The newest first.
  package let groups: [Group]
  /// Runs that cannot be read. They are kept: what happened to them should be looked into.
  package let unreadable: [LedgerEntry]
}

extension StateFolder {
  /// What may go at a moment. Nothing is removed.
  ///
  /// A run that is still being written to is kept, and with it its parent and its siblings.
  package func prunable(by retention: Retention, at now: Timestamp) throws(JournalError) -> PruneList {
    var families: [String: [LedgerEntry]] = [:]
    var roots: [LedgerEntry] = []
    var unreadable: [LedgerEntry] = []
    let entries = try newestFirst().map { LedgerEntry(reading: $0) }
    let ids = Set(entries.map(\.folder.id))
    for entry in entries {
      guard let run = entry.run else {
        unreadable.append(entry)
        continue
      }
      if let parent = run.parent, ids.contains(parent) {
        families[parent, default: []].append(entry)
      } else {
        roots.append(entry)
      }
    }
    var seen: [String: Int] = [:]
    var groups: [PruneList.Group] = []
    for root in roots {
      guard let run = root.run else { continue }
      let family = [root] + (families[root.folder.id] ?? [])
      let newer = seen[run.runbook, default: 0]
      seen[run.runbook] = newer + 1
      guard retention.letsGo(family, newer: newer, at: now) else { continue }
      let folders = family.map(\.folder)
      groups.append(PruneList.Group(run: run, folders: folders, size: folders.reduce(0) { $0 + $1.diskUsage }))
    }
    return PruneList(groups: groups, unreadable: unreadable)
  }

  /// Removes what was listed, the oldest first, and gives what is gone: all but what is being written to again.
  ///
  /// - Parameter removed: called after each.
  package func prune(
    _ groups: [PruneList.Group], removed: (PruneList.Group) -> Void
  ) throws(JournalError) {
    guard !groups.isEmpty else { return }
    let removal = try RunRemoval(from: self)
    for group in groups.reversed() where try removal.remove(group.folders) { removed(group) }
  }
}

extension Retention {
  /// - Parameters:
  ///   - family: a run, then its children.
  ///   - newer: how many runs of its runbook are newer.
  fileprivate func letsGo(_ family: [LedgerEntry], newer: Int, at now: Timestamp) -> Bool {
    if family.contains(where: \.isLive) { return false }
    if let olderThan {
      let isOld = family.allSatisfy { $0.lastEvent.map { now.duration(since: $0) > olderThan } ?? false }
      if !isOld { return false }
    }
    if let keep, newer < keep { return false }
    return !(keepFailed && family.contains { !$0.isGood })
  }
}

extension LedgerEntry {
  fileprivate var run: RunSummary? {
    if case .run(let run, _) = content { run } else { nil }
  }

  private var ends: JournalEnds? { try? JournalEnds.read(folder) }

  /// True while its writer is there, also behind the run's end.
  fileprivate var isLive: Bool { ends?.isBeingWritten ?? true }

  fileprivate var lastEvent: Timestamp? { ends?.last.moment.wall }

  /// False for a run that died.
  fileprivate var isGood: Bool { run?.outcome.map { $0.isGood || $0 == .skipped } ?? false }
}
