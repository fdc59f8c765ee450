import Files
import Schema

/// Holds a run against itself. The chain shows a change of every line but the last, which has no successor; so the last
/// line's outcome is reckoned again from the steps, and the files beside the journal and the journals of parent and
/// children are compared with what the journal says of them.
struct RunVerification {
  let run: RecordedRun

  private var folder: RunFolder { run.folder }
  private var first: JournalLineReader { JournalLineReader(folder: folder, number: 1) }

  /// What could not be compared, each as a sentence without a full stop.
  ///
  /// Throws `damaged` with what was altered, as far as it can be told.
  func doubts() throws(JournalError) -> [String] {
    if ULID.isValid(folder.id), folder.id != run.id {
      throw first.damaged("belongs to the run \(run.id): the folder is another run's")
    }
    try checkOutcome()
    var doubts = try checkSources()
    doubts += try checkParameters()
    doubts += try checkChildren()
    doubts += try checkParent()
    return doubts
  }

  func checkOutcome() throws(JournalError) {
    var tally = OutcomeTally()
    for (index, recorded) in run.events.enumerated() {
      if let retry = recorded.event.retry {
        tally = OutcomeTally()
        // They were looked at before.
        for kept in run.events[..<index].standing.without(retry) { _ = tally.take(kept.event) }
      }
      guard let problem = tally.take(recorded.event) else { continue }
      throw JournalLineReader(folder: folder, number: recorded.seq).damaged(problem)
    }
  }

  // MARK: The files beside the journal

  private func checkSources() throws(JournalError) -> [String] {
    var doubts: [String] = []
    for source in run.started.sources {
      guard RunSource.staysInside(source.path) else {
        throw first.damaged("names a source outside the run's folder, \"\(source.path)\"")
      }
      let path = "\(folder.sources)/\(source.path)"
      guard let digest = try unlessMissing(path, &doubts, { (file) throws(FileError) in try file.sha256() }) else {
        continue
      }
      guard digest == source.sha256 else {
        throw altered(path, "its digest is not the one that the journal's first line holds")
      }
    }
    return doubts
  }

  private func checkParameters() throws(JournalError) -> [String] {
    var doubts: [String] = []
    guard let bytes = try unlessMissing(folder.params, &doubts, { (file) throws(FileError) in try file.read() })
    else { return doubts }
    guard (try? JSON(parsing: bytes)) == run.started.params.json else {
      throw altered(folder.params, "it does not hold the parameters that the journal's first line holds")
    }
    return doubts
  }

  /// A file that is gone proves nothing either way: a journal may be copied without it.
  private func unlessMissing<Content>(
    _ path: String, _ doubts: inout [String], _ read: (borrowing File) throws(FileError) -> Content
  ) throws(JournalError) -> Content? {
    do throws(JournalError) { return try onDisk(try read(File(reading: path))) } catch {
      guard error.code == .missing else { throw error }
      doubts.append("\(path) is missing: it could not be compared with the journal")
      return nil
    }
  }

  private func altered(_ path: String, _ reason: String) -> JournalError {
    JournalError(
      .damaged, "\(path) was altered: \(reason)",
      advice: "restore the file from a copy; the run proves nothing without it",
      path: path)
  }

  // MARK: Parent and children

  private func checkChildren() throws(JournalError) -> [String] {
    var doubts: [String] = []
    for recorded in run.standing {
      guard case .childFinished(let child) = recorded.event, let folder = relative(child.run) else { continue }
      let ends: JournalEnds
      do throws(JournalError) { ends = try JournalEnds.read(folder) } catch {
        guard error.code == .refused || error.code == .missing else { throw error }
        doubts.append("the journal of the child run \(child.run) could not be compared: \(error.message)")
        continue
      }
      try compare(child, says: ends.finished?.outcome, in: folder, line: ends.last.seq)
    }
    return doubts
  }

  private func checkParent() throws(JournalError) -> [String] {
    guard let parent = run.started.parent, let folder = relative(parent) else { return [] }
    do throws(JournalError) {
      guard let child = try ChildRecord.find(run.id, in: folder) else { return [] }
      try compare(child, says: run.finished?.outcome, in: self.folder, line: run.events.last?.seq ?? 1)
      return []
    } catch {
      guard error.code == .refused || error.code == .missing else { throw error }
      return ["the journal of the parent run \(parent) could not be compared: \(error.message)"]
    }
  }

  /// The folder of another run of the same state; nil if it is not there, as in a copy or after a prune.
  private func relative(_ id: String) -> RunFolder? {
    guard ULID.isValid(id) else { return nil }
    let folder = RunFolder("\(parentFolder(of: folder.path))/\(id)")
    return Folder.exists(folder.path) ? folder : nil
  }

  /// What the parent recorded of a child against the last line of the child's own journal.
  private func compare(
    _ child: ChildFinished, says outcome: Outcome?, in folder: RunFolder, line: Int
  ) throws(JournalError) {
    guard outcome != child.outcome else { return }
    let own = outcome.map { "says that the run ended in \($0.rawValue)" } ?? "is not the run's end"
    throw JournalLineReader(folder: folder, number: line).damaged(
      "\(own), but its parent recorded \(child.outcome.rawValue): one of the two was altered")
  }
}

/// What a parent's journal says of one child.
private enum ChildRecord {
  /// The child's `child.finished` that counts; nil if none is recorded. Only lines that name the child, or say that the parent was
  /// gone on with, are read: children of a run over many targets ask one after the other.
  static func find(_ id: String, in parent: RunFolder) throws(JournalError) -> ChildFinished? {
    let name = Array("\"\(id)\"".utf8)
    let resumed = Array("\"\(RunResumed.type)\"".utf8)
    let journal = try onDisk(try File(reading: parent.journal).read())
    var found: ChildFinished?
    for (index, line) in journal.split(separator: 0x0A).enumerated() {
      guard line.offset(of: name) != nil || line.offset(of: resumed) != nil else { continue }
      let reader = JournalLineReader(folder: parent, number: index + 1)
      let event = try reader.event(of: reader.parse(line)).event
      if case .childFinished(let child) = event, child.run == id { found = child }
      if let child = found, event.retry?.targets.contains(child.target) == true { found = nil }
    }
    return found
  }
}
