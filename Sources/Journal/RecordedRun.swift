import Files

/// A run as its journal tells it, its chain verified.
package struct RecordedRun: Sendable {
  package let folder: RunFolder
  package let id: String
  package let started: RunStarted
  /// All events, the first and the last included.
  package let events: [RecordedEvent]
  /// Length of a last line that a crash cut off; it is no part of the events. 0 for a sound journal.
  package let tornBytes: Int
  /// True while a process has the journal open to write.
  package let isBeingWritten: Bool
  /// What could not be compared with the journal, such as a file that is missing.
  package private(set) var doubts: [String] = []

  package init(
    folder: RunFolder, id: String, started: RunStarted, events: [RecordedEvent], tornBytes: Int = 0,
    isBeingWritten: Bool = false
  ) {
    self.folder = folder
    self.id = id
    self.started = started
    self.events = events
    self.tornBytes = tornBytes
    self.isBeingWritten = isBeingWritten
  }

  /// Nil for a run that goes on or died.
  package var finished: RunFinished? {
    guard case .runFinished(let finished) = events.last?.event else { return nil }
    return finished
  }

  package var isFinished: Bool { finished != nil }

  /// Reads a run's journal and changes nothing. Its outcome is reckoned again from its steps, and compared with what parent
  /// and children recorded; so are the files that it names.
  ///
  /// Throws `missing` if there is none, `damaged` with the line if the chain does not hold or something was altered,
  /// `newer` for a form that this version cannot read.
  package static func read(_ folder: RunFolder) throws(JournalError) -> RecordedRun {
    let file = try onDisk(try File(reading: folder.journal))
    let isBeingWritten = try onDisk(try file.isLockedByOther())
    let content = try JournalContent(of: file, in: folder)
    guard case .runStarted(let started) = content.events.first?.event else {
      throw JournalLineReader(folder: folder, number: 1).damaged("is no \(RunStarted.type)")
    }
    var run = RecordedRun(
      folder: folder, id: content.run, started: started, events: content.events, tornBytes: content.tornBytes,
      isBeingWritten: isBeingWritten)
    run.doubts = try RunVerification(run: run).doubts()
    return run
  }
}

/// The first and the last event of a run: enough for a list of many. The chain between them is not verified.
package struct JournalEnds: Sendable {
  package let id: String
  package let started: RunStarted
  package let first: RecordedEvent
  package let last: RecordedEvent
  package let isBeingWritten: Bool

  /// Nil for a run that goes on or died.
  package var finished: RunFinished? {
    guard case .runFinished(let finished) = last.event else { return nil }
    return finished
  }

  /// Reads the two lines, however long the journal is. Throws as ``RecordedRun/read(_:)`` does.
  package static func read(_ folder: RunFolder) throws(JournalError) -> JournalEnds {
    let file = try onDisk(try File(reading: folder.journal))
    let isBeingWritten = try onDisk(try file.isLockedByOther())
    let longest = JournalLine.limit + 1
    let opening = JournalLineReader(folder: folder, number: 1)
    let head = try onDisk(try file.read(limit: longest))
    guard let end = head.firstIndex(of: 0x0A) else { throw opening.damaged("is not whole") }
    let line = try opening.parse(head[..<end])
    try opening.check(line, follows: .start, of: nil)
    let first = try opening.event(of: line)
    guard case .runStarted(let started) = first.event else { throw opening.damaged("is no \(RunStarted.type)") }

    // A torn line may follow the last whole one.
    let tail = try onDisk { () throws(FileError) -> [UInt8] in
      let written = try file.sizeWithoutTrailingZeros()
      return try file.read(from: max(0, written - 2 * longest), limit: min(written, 2 * longest))
    }
    guard let lastEnd = tail.lastIndex(of: 0x0A), tail.count - lastEnd - 1 <= JournalLine.limit else {
      throw JournalError(
        .damaged, "the last line of \(folder.journal) is longer than \(JournalLine.limit) bytes",
        advice: "restore the file from a copy", path: folder.journal)
    }
    let lines = tail[..<lastEnd]
    let lastLine = try opening.parse(lines[(lines.lastIndex(of: 0x0A).map { $0 + 1 } ?? lines.startIndex)...])
    let closing = JournalLineReader(folder: folder, number: lastLine.seq)
    guard lastLine.run == line.run else { throw closing.damaged("belongs to another run, \(lastLine.run)") }
    return JournalEnds(
      id: line.run, started: started, first: first, last: try closing.event(of: lastLine),
      isBeingWritten: isBeingWritten)
  }
}
