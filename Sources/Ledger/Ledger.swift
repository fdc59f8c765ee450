package import Journal
package import Schema

/// The runs of one or several state folders, read from their journals.
///
/// It keeps no index: the first line of each journal tells its number, the first and the last which run it is, so that the
/// cost grows with the number of runs; what is then listed is verified whole.
package struct Ledger: RunHistory {
  private let states: [StateFolder]

  /// - Parameter states: the project's state, and the one in memory if there is one.
  package init(_ states: [StateFolder]) { self.states = states }

  /// The newest runs first, at most `limit`. What cannot be read is listed too, and what was changed is listed as such.
  ///
  /// - Parameters:
  ///   - runbook: only runs of it; those that cannot be read, and so not be told apart, are listed all the same.
  ///   - since: only runs that started then or later, by the wall clock.
  ///
  /// Throws if a state folder cannot be read. One that is not there has no runs.
  package func entries(
    of runbook: String? = nil, since: Timestamp? = nil, limit: Int = .max
  ) throws(JournalError) -> [LedgerEntry] {
    try unverified(of: runbook, since: since, limit: limit).map { $0.verified() }
  }

  func unverified(of runbook: String?, since: Timestamp?, limit: Int = .max) throws(JournalError) -> [LedgerEntry] {
    var entries: [LedgerEntry] = []
    for folder in try folders() where entries.count < limit {
      let entry = LedgerEntry(reading: folder)
      if case .run(let run, _) = entry.content {
        if let runbook, run.runbook != runbook { continue }
        if let since, run.startedAt < since { continue }
      }
      entries.append(entry)
    }
    return entries
  }

  /// Whether every line of the journal of a run verifies. One that is gone, or cannot be read, proves nothing.
  ///
  /// - Parameter id: the whole id.
  package func verifies(run id: String) -> Bool {
    guard let folder = try? run(id) else { return false }
    return (try? RecordedRun.read(folder)) != nil
  }

  /// As ``RunHistory`` says. Journals that cannot be read are left out: which runbook they belong to is not known.
  package func runs(of runbook: String?, since: Timestamp?, limit: Int) throws -> [RunSummary] {
    var runs: [RunSummary] = []
    for folder in try folders() where runs.count < limit {
      guard case .run(let run, _) = LedgerEntry(reading: folder).content else { continue }
      if run.runbook == runbook ?? run.runbook, run.startedAt >= since ?? run.startedAt { runs.append(run) }
    }
    return runs
  }

  /// The folders of the runs that are being written, the newest first.
  package func runsThatGoOn() throws(JournalError) -> [RunFolder] {
    try unverified(of: nil, since: nil).compactMap { entry in
      if case .run(_, goesOn: true) = entry.content { entry.folder } else { nil }
    }
  }

  /// The folder of the run that a person means: `last` for the newest that is nobody's child, its number, or the
  /// beginning of its id.
  /// By its id a run is found though another state folder cannot be read; which one is the last is then not known.
  package func run(_ reference: String) throws(LedgerError) -> RunFolder {
    if reference == "last" {
      let (folders, failure) = readableFolders { (state) throws(JournalError) in try state.newestFirst() }
      if let failure { throw .unreadable(failure) }
      guard let last = folders.first(where: { !LedgerEntry(reading: $0).isChild }) else { throw .noRuns }
      return last
    }
    // Ids begin with 0 for another thousand years.
    let number = reference.hasPrefix("0") ? nil : Int(reference)
    // Which is the newest does not matter but to list them: no journal is opened for that.
    let (folders, failure) = readableFolders { (state) throws(JournalError) in
      try state.runFolders().sorted { $0.id > $1.id }
    }
    let matches = folders.filter { folder in
      if let number { return folder.recordedNumber == number }
      return !reference.isEmpty && folder.id.hasPrefix(reference.uppercased())
    }
    guard let match = matches.first else { throw failure.map(LedgerError.unreadable) ?? .unknownRun(reference) }
    guard matches.count == 1 else { throw .ambiguousRun(reference, among: matches.map(\.id)) }
    return match
  }

  /// The newest folders of all states by their ids, at most `count`; no file is opened.
  func newestFolders(_ count: Int) throws(JournalError) -> ArraySlice<RunFolder> {
    var folders: [RunFolder] = []
    for state in states { folders += try state.runFolders() }
    return folders.sorted { $0.id > $1.id }.prefix(count)
  }

  /// The folders of all runs, the newest first.
  private func folders() throws(JournalError) -> [RunFolder] {
    let (folders, failure) = readableFolders { (state) throws(JournalError) in try state.newestFirst() }
    if let failure { throw failure }
    return folders
  }

  /// The folders of the runs of every state that can be read, as `list` gives them, and why one could not.
  private func readableFolders(
    _ list: (StateFolder) throws(JournalError) -> [RunFolder]
  ) -> (folders: [RunFolder], failure: JournalError?) {
    var folders: [RunFolder] = []
    var failure: JournalError?
    for state in states {
      do throws(JournalError) { folders = merged(folders, try list(state)) } catch { failure = error }
    }
    return (folders, failure)
  }
}

extension StateFolder {
  /// The folders of its runs, the newest first: that is the one with the highest number, whatever the wall clock said. A run
  /// without a number (in memory, or not readable) stands where its id puts it.
  func newestFirst() throws(JournalError) -> [RunFolder] {
    let runs = try runFolders().sorted { $0.id > $1.id }
    guard !isVolatile else { return runs }
    let numbers = runs.map(\.recordedNumber)
    let numbered = zip(runs, numbers).compactMap { run, number in number.map { (run, $0) } }.sorted { $0.1 > $1.1 }
    return merged(numbered.map(\.0), zip(runs, numbers).filter { $0.1 == nil }.map(\.0))
  }
}

/// Two lists of runs as one: each keeps its order, and the greater id goes first where they meet.
private func merged(_ one: [RunFolder], _ other: [RunFolder]) -> [RunFolder] {
  var result: [RunFolder] = []
  var (one, other) = (one[...], other[...])
  while let a = one.first, let b = other.first {
    result.append(a.id > b.id ? one.removeFirst() : other.removeFirst())
  }
  return result + one + other
}
