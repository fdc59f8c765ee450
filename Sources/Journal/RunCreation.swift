import Files
import Glibc
import Schema

/// A file that a run was planned from.
package struct RunSource: Hashable, Sendable {
  /// Relative to the project, without `..`.
  package let path: String
  package let bytes: [UInt8]

  package init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }

  /// The parts of the path, where all of them stay below the folder that it is relative to.
  fileprivate var parts: [Substring]? {
    Self.staysInside(path) ? path.split(separator: "/") : nil
  }

  /// Whether a path stays below the folder that it is relative to.
  static func staysInside(_ path: String) -> Bool {
    path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
      !["", ".", ".."].contains($0) && !$0.contains("\0")
    }
  }
}

/// Puts the folder of a new run in place: built aside, brought to the disk, then renamed in. A crash leaves either the
/// whole folder with its first event, or nothing that counts.
struct RunCreation {
  let state: StateFolder
  let id: String
  let sources: [RunSource]

  /// Returns the open journal and its first event, which is written.
  func create(
    _ started: RunStarted, clock: @escaping @Sendable () -> Moment
  ) throws(JournalError) -> (file: JournalFile, first: RecordedEvent) {
    try onDisk(try Folder.makeAll(state.runs, Permissions(state.access.folderMode)))
    let lock = try state.lockRuns()
    defer { lock.unlock() }
    try removeAbandoned()

    let aside = RunFolder("\(state.runs)/.new-\(id)")
    do {
      return try build(aside, started, clock)
    } catch {
      try? Folder.remove(aside.path)
      throw error
    }
  }

  private func build(
    _ aside: RunFolder, _ started: RunStarted, _ clock: @escaping @Sendable () -> Moment
  ) throws(JournalError) -> (file: JournalFile, first: RecordedEvent) {
    try makeFolder(aside.path)
    try writeFile(started.params.json.utf8(.indented) + [0x0A], to: aside.params)
    try writeSources(below: aside.sources)

    var started = started
    // What lies in memory is gone with the next boot, and would leave a gap.
    started.number = state.isVolatile ? 0 : try RunNumber.next(in: state)
    started.sources = sources.map { SourceDigest(path: $0.path, sha256: sha256Hex($0.bytes)) }
    started.volatile = state.isVolatile
    started.stateId = try stateID()
    let journal = try JournalFile(creatingIn: aside, id: id, access: state.access, clock: clock)
    let first = try journal.append(.runStarted(started))
    try onDisk(try Folder.sync(aside.path))

    let number = RunNumber(value: started.number, claimedBy: id)
    if !state.isVolatile { try number.claim(in: state) }
    try onDisk { () throws(FileError) in
      let runs = try Folder(state.runs)
      try runs.rename(aside.id, to: id)
      try runs.sync()
    }
    if !state.isVolatile { try number.settle(in: state) }
    journal.moved(to: state.run(id))
    return (journal, first)
  }

  /// The id of the state folder, made with its first run; the caller holds the lock over `runs`.
  private func stateID() throws(JournalError) -> String {
    let path = "\(state.runs)/.id"
    let bytes: [UInt8]
    do throws(JournalError) {
      bytes = try onDisk(try File(reading: path).read(limit: 128))
    } catch  where error.code == .missing {
      let id = ULID.next()
      try onDisk(try File.writeWhole(Array("\(id)\n".utf8), to: path, Permissions(state.access.fileMode)))
      return id
    }
    let id = String(String(decoding: bytes, as: UTF8.self).prefix { !$0.isWhitespace })
    guard ULID.isValid(id) else {
      throw JournalError(
        .damaged, "\(path) does not hold the id of the state folder",
        advice: "remove it; the next run makes a new one", path: path)
    }
    return id
  }

  private func writeFile(_ bytes: [UInt8], to path: String) throws(JournalError) {
    try onDisk { () throws(FileError) in
      let file = try File(creating: path, O_WRONLY, Permissions(state.access.recordMode))
      try file.write(bytes)
      try file.sync()
    }
  }

  private func makeFolder(_ path: String) throws(JournalError) {
    try onDisk(try Folder.make(path, Permissions(state.access.folderMode)))
  }

  private func writeSources(below folder: String) throws(JournalError) {
    try makeFolder(folder)
    var folders: Set<String> = [folder]
    for source in sources {
      guard let parts = source.parts else {
        throw JournalError(
          .badSource, "the source \"\(source.path)\" would not stay inside the run's folder",
          advice: "name sources by their paths relative to the project", path: source.path)
      }
      var path = folder
      for part in parts.dropLast() {
        path += "/\(part)"
        if folders.insert(path).inserted { try makeFolder(path) }
      }
      try writeFile(source.bytes, to: "\(folder)/\(source.path)")
    }
    for folder in folders { try onDisk(try Folder.sync(folder)) }
  }

  /// What a crash left half-built, half-written or half-removed. Nobody else is at it while this process has the lock.
  private func removeAbandoned() throws(JournalError) {
    for name in try onDisk(try Folder.names(in: state.runs))
    where name.hasPrefix(".new-") || name.hasPrefix(RunRemoval.prefix) || PendingFile.isAside(name) {
      // What cannot be removed now is tried again with the next run, and counts as none meanwhile.
      try? Folder.remove("\(state.runs)/\(name)")
    }
  }
}
