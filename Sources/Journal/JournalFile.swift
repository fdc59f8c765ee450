import Files
import Glibc
import Schema

/// An open journal: chains, numbers and writes events, one at a time. Not safe for use from several threads.
///
/// After an error nothing is known of what reached the disk, so the first one stands for good: each further event fails
/// with the same error, and no sync is tried again.
final class JournalFile {
  /// Where the run's folder lies.
  private(set) var folder: RunFolder
  let id: String
  private let access: StateFolder.Access
  private let clock: @Sendable () -> Moment
  private var file: File
  private var last: JournalTail
  private var failure: JournalError?
  /// The effects of the steps that have begun, by path.
  private var effects: [StepPath: Effect] = [:]

  /// Makes the file of a new run.
  init(
    creatingIn folder: RunFolder, id: String, access: StateFolder.Access, clock: @escaping @Sendable () -> Moment
  ) throws(JournalError) {
    file = try onDisk(try File(creating: folder.journal, O_WRONLY | O_APPEND, Permissions(access.recordMode)))
    self.folder = folder
    self.id = id
    self.access = access
    self.clock = clock
    last = .start
    try takeLock()
  }

  /// The run's folder was renamed, and the open file with it.
  func moved(to folder: RunFolder) {
    self.folder = folder
    file.path = folder.journal
  }

  /// Opens the journal of a run that died, to go on with it. A torn last line is kept in a file beside it, cut off,
  /// and recorded. The run's folder is on the disk when this returns.
  ///
  /// Throws `damaged` if the chain does not hold, `busy` if another process is writing to it.
  static func reopen(
    _ folder: RunFolder, access: StateFolder.Access, clock: @escaping @Sendable () -> Moment
  ) throws(JournalError) -> (file: JournalFile, first: RecordedEvent) {
    let opened = try onDisk(try File(opening: folder.journal, O_RDWR | O_APPEND))
    guard try onDisk(try opened.tryLock()) else { throw Self.busy(folder) }
    // Who put the run in place may have died before its name was on the disk.
    try onDisk(try Folder(parentFolder(of: folder.path), followingLinks: true).sync())
    let content = try JournalContent(of: opened, in: folder)
    guard let first = content.events.first else {
      throw JournalError(.damaged, "\(folder.journal) holds no whole event", path: folder.journal, line: 1)
    }
    let file = JournalFile(opened, holding: content, in: folder, access: access, clock: clock)
    try removeHalfWritten(in: folder)
    if content.tornBytes > 0 { try file.cutOff(content) }
    return (file, first)
  }

  /// Outputs that a crash left half-written: no line refers to them.
  private static func removeHalfWritten(in folder: RunFolder) throws(JournalError) {
    try onDisk { () throws(FileError) in
      for name in try Folder.names(in: folder.outputs) where PendingFile.isAside(name) {
        try Folder.remove("\(folder.outputs)/\(name)")
      }
    }
  }

  private init(
    _ opened: consuming File, holding content: JournalContent, in folder: RunFolder,
    access: StateFolder.Access, clock: @escaping @Sendable () -> Moment
  ) {
    file = opened
    self.folder = folder
    self.access = access
    self.clock = clock
    id = content.run
    last = content.tail
    for recorded in content.events { learnEffect(of: recorded.event) }
  }

  private static func busy(_ folder: RunFolder) -> JournalError {
    JournalError(
      .busy, "another process is writing to \(folder.journal)", advice: "wait until that run has ended, or cancel it",
      path: folder.journal)
  }

  private func takeLock() throws(JournalError) {
    guard try onDisk(try file.tryLock()) else { throw Self.busy(folder) }
  }

  private func cutOff(_ content: JournalContent) throws(JournalError) {
    let name = "line-\(last.seq + 1).torn"
    try onDisk { () throws(FileError) in
      try File.writeWhole(content.torn, to: "\(folder.path)/\(name)", Permissions(access.recordMode))
      try file.truncate(to: last.length)
      try file.sync()
    }
    try append(.journalRecovered(JournalRecovered(file: name, bytes: content.tornBytes)))
  }

  /// Writes events, on the disk when this returns where ``Event/mustBeDurable(effect:)`` says so of one of them. Where the wall
  /// clock went back since the last line, that is recorded first.
  func append(_ events: [Event]) throws(JournalError) -> [RecordedEvent] {
    if let failure { throw failure }
    do {
      var batch = Batch()
      for event in events {
        let moment = clock()
        if let back = last.moment.flatMap({ moment.wallStepBack(since: $0) }) {
          try add(.clockStepped(ClockStepped(back: back)), at: moment, to: &batch)
        }
        try add(event, at: moment, to: &batch)
        batch.recorded.append(RecordedEvent(seq: last.seq, moment: moment, event: event))
      }
      try onDisk { () throws(FileError) in
        try file.write(batch.bytes)
        if batch.mustBeDurable { try file.syncData() }
      }
      return batch.recorded
    } catch {
      failure = error
      throw error
    }
  }

  /// The same of one event.
  @discardableResult
  func append(_ event: Event) throws(JournalError) -> RecordedEvent { try append([event])[0] }

  /// Lines that are written in one piece.
  private struct Batch {
    var bytes: [UInt8] = []
    var mustBeDurable = false
    /// Those that were asked for.
    var recorded: [RecordedEvent] = []
  }

  private func add(_ event: Event, at moment: Moment, to batch: inout Batch) throws(JournalError) {
    let seq = last.seq + 1
    let bytes = try line(
      JournalLine(run: id, seq: seq, prev: last.digest, moment: moment, type: event.type, fields: event.fields))
    learnEffect(of: event)
    if event.mustBeDurable(effect: event.path.flatMap { effects[$0] }) { batch.mustBeDurable = true }
    last = JournalTail(
      seq: seq, digest: sha256Hex(bytes), length: last.length + bytes.count + 1, moment: moment)
    batch.bytes += bytes
    batch.bytes.append(0x0A)
  }

  /// The line's bytes, its largest fields kept as files if it would be too long.
  private func line(_ line: JournalLine) throws(JournalError) -> [UInt8] {
    var written = WrittenLine(line)
    for index in line.fields.indices where Attachment.looksLikeReference(line.fields[index].value) {
      try attach(&written.fields[index])
    }
    var length = written.length
    while length > JournalLine.limit {
      let left = written.fields.indices.filter { !written.fields[$0].isAttached }
      guard let largest = left.max(by: { written.fields[$0].length < written.fields[$1].length }) else {
        throw JournalError(
          .failed, "the event \(line.type) does not fit into a line of \(JournalLine.limit) bytes", path: folder.journal
        )
      }
      length -= written.fields[largest].length
      try attach(&written.fields[largest])
      length += written.fields[largest].length
    }
    return written.bytes
  }

  private func attach(_ field: inout WrittenLine.Member) throws(JournalError) {
    field.value = try Attachment(keeping: field.value, in: folder, access: access).reference.utf8()
    field.isAttached = true
  }

  private func learnEffect(of event: Event) {
    if case .stepStarted(let step) = event { effects[step.path] = step.effect }
  }
}

/// The end of a chain: what the next line follows on.
struct JournalTail {
  var seq: Int
  /// SHA-256 of the last line without its LF.
  var digest: String
  /// Bytes of all lines, with their LFs.
  var length: Int
  var moment: Moment?

  static let start = JournalTail(seq: 0, digest: JournalLine.noPrevious, length: 0, moment: nil)
}
