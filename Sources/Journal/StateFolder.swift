import CLinux
import Files
import Glibc

/// Where runs are kept: `.runbook` of a project, `/var/lib/runbook`, or a folder in memory.
package struct StateFolder: Hashable, Sendable {
  package let path: String
  package let access: Access
  /// True if what it holds is gone after a reboot.
  package let isVolatile: Bool

  /// Who may read what is recorded.
  package enum Access: Hashable, Sendable {
    /// Nobody else: a project's own state.
    case owner
    /// The folder's group too: an installed state, which cron's root shares with operators.
    case group
    /// The folder's group may also record runs of its own.
    case groupWriting

    /// Permissions of a file that everybody who records runs may write.
    package var fileMode: UInt32 {
      switch self {
      case .owner: 0o600
      case .group: 0o640
      case .groupWriting: 0o660
      }
    }

    /// Of what a run records: whoever shares the folder may read it, and nobody but the one who runs it may write it.
    var recordMode: mode_t { fileMode & ~0o022 }

    /// Permissions of a folder in which everybody who records runs may make files.
    package var folderMode: UInt32 {
      switch self {
      case .owner: 0o700
      case .group: 0o750
      case .groupWriting: 0o770
      }
    }
  }

  /// - Parameters:
  ///   - path: made with the first run, if it is not there.
  ///   - access: what is made there is given. A folder that is there and that its group may write to is shared with the group,
  ///     whatever this says.
  package init(_ path: String, access: Access = .owner) {
    self.path = path
    let found = (try? FileMetadata.of(path, followingLinks: true)).flatMap(\.self)
    let isShared = found.map { $0.kind == .folder && $0.mode & 0o020 != 0 } ?? false
    self.access = isShared ? .groupWriting : access
    isVolatile = false
  }

  private init(volatile path: String) {
    self.path = path
    access = .owner
    isVolatile = true
  }

  /// The folder that holds one folder for each run.
  package var runs: String { "\(path)/runs" }

  /// The folder in which it is counted how many notices each channel took.
  package var notices: String { "\(path)/notices" }

  /// The folder of a run, whether it is there or not.
  package func run(_ id: String) -> RunFolder { RunFolder("\(runs)/\(id)") }

  /// The folders of its runs, in no order; none if there is no such state yet.
  package func runFolders() throws(JournalError) -> [RunFolder] {
    try onDisk(try Folder.names(in: runs)).filter(ULID.isValid).map(run)
  }

  /// Waits for the lock under which runs are put in place and removed; given back with the descriptor.
  func lockRuns() throws(JournalError) -> File {
    try onDisk { () throws(FileError) in
      let file = try File.openOrCreate("\(runs)/.lock", O_RDWR, Permissions(access.fileMode))
      try file.lock()
      return file
    }
  }

  /// The folder in memory-backed storage that stands in for this one when the disk is full or broken: in `/dev/shm`, or
  /// else in the user's runtime folder; the same for every session of the user, another for every project.
  ///
  /// Throws if neither is backed by memory, or where somebody else owns the folder.
  package func inMemory(runtimeFolder: String?) throws(JournalError) -> StateFolder {
    guard let shared = Self.sharedMemory(runtimeFolder) else {
      throw JournalError(
        .missing, "neither /dev/shm nor the runtime folder is backed by memory",
        advice: "mount a tmpfs at /dev/shm, or set XDG_RUNTIME_DIR to one", path: "/dev/shm")
    }
    let path = "\(shared)/\(nameInMemory)"
    for folder in [shared, path] {
      try Self.makeUnlessThere(folder)
      guard Self.belongsToUs(folder) else {
        throw JournalError(
          .refused, "\(folder) is not a folder that belongs to this user alone",
          advice: "find out who made it; remove it if that is safe", path: folder)
      }
    }
    return StateFolder(volatile: path)
  }

  /// The same for who only reads: nil if no run was ever kept in memory since the last boot.
  package func existingInMemory(runtimeFolder: String?) -> StateFolder? {
    guard let shared = Self.sharedMemory(runtimeFolder) else { return nil }
    let path = "\(shared)/\(nameInMemory)"
    return Self.belongsToUs(shared) && Self.belongsToUs(path) ? StateFolder(volatile: path) : nil
  }

  private static func makeUnlessThere(_ folder: String) throws(JournalError) {
    do throws(FileError) { try Folder.make(folder, Permissions(Access.owner.folderMode)) } catch {
      guard error.number == EEXIST else { throw JournalError(error) }
    }
  }

  /// The same however the project was come to: links above it are resolved.
  private var nameInMemory: String {
    let parent = parentFolder(of: path)
    guard let resolved = try? resolvedPath(parent) else { return sha256Hex(path.utf8) }
    return sha256Hex("\(resolved)\(path.dropFirst(parent.count))".utf8)
  }

  private static func sharedMemory(_ runtimeFolder: String?) -> String? {
    ["/dev/shm", runtimeFolder ?? ""].first(where: isMemoryBacked).map { "\($0)/runbook-\(geteuid())" }
  }

  private static func belongsToUs(_ path: String) -> Bool {
    guard let found = try? FileMetadata.of(path) else { return false }
    return found.kind == .folder && found.owner == geteuid() && found.mode & 0o077 == 0
  }

  private static func isMemoryBacked(_ path: String) -> Bool { unsafe !path.isEmpty && runbook_is_memory_backed(path) }
}

/// The folder of one run, named by its id.
package struct RunFolder: Hashable, Sendable {
  package let path: String
  package let id: String

  package init(_ path: String) {
    self.path = path
    id = lastName(of: path)
  }

  /// The events.
  package var journal: String { "\(path)/journal.jsonl" }
  /// The parameters with secrets masked, as one JSON object.
  package var params: String { "\(path)/params.json" }
  /// The runbook and its checks, by their paths in the project.
  package var sources: String { "\(path)/sources" }
  /// What was too large for the journal's lines.
  package var outputs: String { "\(path)/\(Attachment.folder)" }
  /// Where answers of people arrive while the run goes on; see ``Inbox``.
  package var inbox: String { "\(path)/inbox" }
}
