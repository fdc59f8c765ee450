import Files
import Schema

/// What a journal holds, read and verified line by line.
struct JournalContent {
  let run: String
  let events: [RecordedEvent]
  let tail: JournalTail
  /// What follows the last LF: a line that a crash cut off, no longer than lines are.
  let torn: [UInt8]
  /// How many zeros stand behind it: some file systems leave them after a loss of power, for all that was not yet written.
  let zeros: Int

  /// All that follows the last LF.
  var tornBytes: Int { torn.count + zeros }

  /// Throws if a line is missing, moved, edited or malformed, with its number and the reason; nothing behind it is
  /// read then.
  init(of file: borrowing File, in folder: RunFolder) throws(JournalError) {
    var lines = JournalLines(folder: folder)
    var offset = 0
    while true {
      let piece = try onDisk(try file.read(from: offset, limit: Self.pieceSize))
      if piece.isEmpty { break }
      offset += piece.count
      try lines.take(piece)
    }
    try self.init(lines)
  }

  /// The same of bytes.
  init(bytes: [UInt8], in folder: RunFolder) throws(JournalError) {
    var lines = JournalLines(folder: folder)
    try lines.take(bytes)
    try self.init(lines)
  }

  private init(_ lines: JournalLines) throws(JournalError) {
    guard let run = lines.run else {
      throw JournalError(
        .damaged, "\(lines.folder.journal) does not hold one whole line: the run died before anything began",
        path: lines.folder.journal)
    }
    self.run = run
    events = lines.events
    tail = lines.tail
    torn = lines.rest
    zeros = lines.zeros
  }

  private static let pieceSize = 1 << 20
}

/// The lines of a journal that have been read and verified so far.
private struct JournalLines {
  let folder: RunFolder
  private(set) var run: String?
  private(set) var events: [RecordedEvent] = []
  private(set) var tail = JournalTail.start
  /// What follows the last LF.
  private(set) var rest: [UInt8] = []
  /// How many zeros follow that, where it is longer than lines are with them.
  private(set) var zeros = 0

  init(folder: RunFolder) { self.folder = folder }

  /// Takes the bytes that follow. What no line can hold any more is damage before its end is found, but for zeros.
  mutating func take(_ bytes: [UInt8]) throws(JournalError) {
    guard zeros == 0 else {
      guard isZero(bytes) else { throw tooLong }
      zeros += bytes.count
      return
    }
    let known = rest + bytes
    var left = known[...]
    var lines: [ArraySlice<UInt8>] = []
    while let end = left.prefix(JournalLine.limit + 1).firstIndex(of: 0x0A) {
      lines.append(left[..<end])
      left = left[(end + 1)...]
    }
    for line in SeparateLine.read(lines, from: tail.seq + 1, in: folder) { try take(line) }
    if left.count > JournalLine.limit {
      let written = left[..<(left.lastIndex { $0 != 0 }.map { $0 + 1 } ?? left.startIndex)]
      guard written.count <= JournalLine.limit else { throw tooLong }
      zeros = left.count - written.count
      left = written
    }
    rest = Array(left)
  }

  private var tooLong: JournalError { JournalLineReader(folder: folder, number: tail.seq + 1).tooLong }

  private mutating func take(_ read: SeparateLine) throws(JournalError) {
    let line = try read.line.get()
    try JournalLineReader(folder: folder, number: tail.seq + 1).check(line, follows: tail, of: run)
    let event = try read.event.get()
    run = line.run
    events.append(event)
    tail = JournalTail(
      seq: line.seq, digest: read.digest, length: tail.length + read.length + 1, moment: line.moment)
  }
}

/// Reads one line, and says in its errors which.
struct JournalLineReader {
  let folder: RunFolder
  let number: Int

  func parse(_ bytes: ArraySlice<UInt8>) throws(JournalError) -> JournalLine {
    guard bytes.count <= JournalLine.limit else { throw tooLong }
    do {
      return try JournalLine(parsing: bytes)
    } catch {
      let advice: String
      switch error.code {
      case .newer: advice = "read it with a newer runbook"
      case .unreleased: advice = "read it with the program that wrote it, or remove the run's folder"
      default: throw damaged(error.reason)
      }
      throw JournalError(
        error.code, "line \(number) of \(folder.journal) \(error.reason)", advice: advice, path: folder.journal,
        line: number)
    }
  }

  func check(_ line: JournalLine, follows tail: JournalTail, of run: String?) throws(JournalError) {
    guard line.seq == tail.seq + 1 else {
      throw damaged("has the number \(line.seq): lines are missing or were moved")
    }
    guard line.prev == tail.digest else {
      throw damaged(
        number == 1
          ? "does not begin a chain" : "does not follow on line \(number - 1): one of them is not what was written")
    }
    guard line.run == run ?? line.run else { throw damaged("belongs to another run, \(line.run)") }
    guard run != nil || line.type == RunStarted.type else { throw damaged("is no \(RunStarted.type)") }
  }

  /// The event of a line, what was kept beside the journal put back in its place.
  func event(of line: JournalLine) throws(JournalError) -> RecordedEvent {
    var fields: [JSON.Member] = []
    for field in line.fields {
      guard Attachment.looksLikeReference(field.value) else {
        fields.append(field)
        continue
      }
      guard let attachment = Attachment(reference: field.value) else {
        throw damaged("refers to a file that is none of the run's outputs, in \"\(field.name)\"")
      }
      fields.append(JSON.Member(field.name, try attachment.read(in: folder)))
    }
    let known = Event.kind(named: line.type)?.fields
    do {
      return RecordedEvent(
        seq: line.seq, moment: line.moment, event: try Event(type: line.type, fields: fields),
        unread: known?.undeclared(of: fields) ?? [])
    } catch {
      throw damaged("is no valid \(line.type): \(error.path): \(error.message)")
    }
  }

  /// The error of a line that has more bytes than lines may have.
  var tooLong: JournalError { damaged("is longer than \(JournalLine.limit) bytes") }

  func damaged(_ reason: String) -> JournalError {
    JournalError(
      .damaged, "line \(number) of \(folder.journal) \(reason)",
      advice: "restore the file from a copy; what it says from there on proves nothing", path: folder.journal,
      line: number)
  }
}
