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
    try makeFolders(state.runs, mode: state.access.folderMode)
    let lock = try state.lockRuns()
    defer { lock.unlock() }
    try removeAbandoned()

    let aside = RunFolder("\(state.runs)/.new-\(id)")
    do {
      return try build(aside, started, clock)
    } catch {
      removeTree(aside.path)
      throw error
    }
  }

  private func build(
    _ aside: RunFolder, _ started: RunStarted, _ clock: @escaping @Sendable () -> Moment
  ) throws(JournalError) -> (file: JournalFile, first: RecordedEvent) {
    try makeFolder(aside.path, mode: state.access.folderMode)
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
    try syncFolder(aside.path)

    let number = RunNumber(value: started.number, claimedBy: id)
    if !state.isVolatile { try number.claim(in: state) }
    try move(aside.path, to: state.run(id).path)
    try syncFolder(state.runs)
    if !state.isVolatile { try number.settle(in: state) }
    journal.moved(to: state.run(id))
    return (journal, first)
  }

  /// The id of the state folder, made with its first run; the caller holds the lock over `runs`.
  private func stateID() throws(JournalError) -> String {
    let path = "\(state.runs)/.id"
    let bytes: [UInt8]
    do throws(JournalError) {
      bytes = try Descriptor.reading(path).read(limit: 128)
    } catch  where error.code == .missing {
      let id = ULID.next()
      try writeWhole(Array("\(id)\n".utf8), to: path, mode: state.access.fileMode)
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
    try Descriptor(creating: path, O_WRONLY, mode: state.access.fileMode).writeAndSync(bytes)
  }

  private func writeSources(below folder: String) throws(JournalError) {
    try makeFolder(folder, mode: state.access.folderMode)
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
        if folders.insert(path).inserted { try makeFolder(path, mode: state.access.folderMode) }
      }
      try writeFile(source.bytes, to: "\(folder)/\(source.path)")
    }
    for folder in folders { try syncFolder(folder) }
  }

  /// Folders that a crash left half-built or half-removed. Nobody else is at it while this process has the lock.
  private func removeAbandoned() throws(JournalError) {
    for name in try names(in: state.runs) where name.hasPrefix(".new-") || name.hasPrefix(RunRemoval.prefix) {
      removeTree("\(state.runs)/\(name)")
    }
  }
}
