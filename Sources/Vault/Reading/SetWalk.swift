import Backups
import Glibc
import SQLite

/// Looks for all that belongs to a set: names, kinds and attributes, no contents.
struct SetWalk {
  /// One file, folder or link that goes into the archive.
  struct Entry {
    enum Kind {
      case file
      case folder
      case link(target: [UInt8])
    }

    let path: [UInt8]
    let kind: Kind
    let status: HostFiles.Status
    let isFollowed: Bool
  }

  private let set: BackupSet
  private let exclusions: [Exclusion]
  private(set) var entries: [[UInt8]: Entry] = [:]
  private(set) var missing: [BackupManifest.Missing] = []
  private let ownFolders: [HostFiles.Status]
  private let checkpoint: () throws(VaultError) -> Void

  /// - Parameters:
  ///   - ownFolders: the vault and other folders of this tool itself, which are left out unless the set names them.
  ///   - checkpoint: throws if the work is to end.
  init(
    _ set: BackupSet, ownFolders: [String] = [], checkpoint: @escaping () throws(VaultError) -> Void
  ) throws(VaultError) {
    self.set = set
    self.ownFolders = ownFolders.compactMap { try? HostFiles.status(Array($0.utf8), following: true) }
    self.checkpoint = checkpoint
    exclusions = set.excludes.map(Exclusion.init)
    for path in set.paths + set.optionalPaths {
      let isOptional = !set.paths.contains(path)
      var path = Array(path.utf8)
      while path.count > 1, path.last == 0x2F { path.removeLast() }
      if isOptional, Self.isMissing(path) { continue }
      try visit(path, isNamed: true, above: [])
    }
    leaveOutSideFilesOfDatabases()
  }

  private static func isMissing(_ path: [UInt8]) -> Bool {
    do throws(HostFiles.Refusal) { _ = try HostFiles.status(path, following: false) } catch {
      return error.number == ENOENT || error.number == ENOTDIR
    }
    return false
  }

  var files: [Entry] { entries.values.filter { if case .file = $0.kind { true } else { false } } }

  private mutating func miss(_ path: [UInt8], _ reason: String) { missing.append(.init(path: path, reason: reason)) }

  private mutating func add(_ path: [UInt8], _ kind: Entry.Kind, _ status: HostFiles.Status, isFollowed: Bool) {
    entries[path] = Entry(path: path, kind: kind, status: status, isFollowed: isFollowed)
  }

  /// - Parameters:
  ///   - isNamed: whether the set itself names it: a link is followed then, whatever the policy.
  ///   - above: the folders that led here, to find circles.
  private mutating func visit(_ path: [UInt8], isNamed: Bool, above: [HostFiles.Status]) throws(VaultError) {
    guard isNamed || !exclusions.contains(where: { $0.matches(path) }) else { return }
    try checkpoint()
    // What a restore refuses must not be taken for backed up.
    if let reason = MemberName.objection(to: BackupLayout.files + path.drop { $0 == 0x2F }) {
      miss(path, "a restore would refuse it: \(reason)")
      return
    }
    do throws(HostFiles.Refusal) {
      var status = try HostFiles.status(path, following: false)
      let isLink = status.kind == .link
      if isLink {
        let target = try HostFiles.target(path)
        guard isNamed || set.links == .follow else {
          if let reason = MemberName.objection(toTarget: target) {
            miss(path, "a restore would refuse it: \(reason)")
            return
          }
          add(path, .link(target: target), status, isFollowed: false)
          return
        }
        do throws(HostFiles.Refusal) { status = try HostFiles.status(path, following: true) } catch {
          miss(path, "it is a link to \(String(decoding: target, as: UTF8.self)), and \(error.reason)")
          return
        }
      }
      switch status.kind {
      case .file: add(path, .file, status, isFollowed: isLink)
      case .link, .other:
        if set.specialFiles == .refuse { miss(path, "it is a pipe, a socket or a device") }
      case .folder:
        guard isNamed || !ownFolders.contains(where: { $0.isSameFile(as: status) }) else { return }
        guard !above.contains(where: { $0.isSameFile(as: status) }) else {
          miss(path, "it is a link back to a folder above it")
          return
        }
        let names = try HostFiles.names(path)
        add(path, .folder, status, isFollowed: isLink)
        let prefix = path == [0x2F] ? path : path + [0x2F]
        var failure: VaultError?
        for name in names where failure == nil {
          do throws(VaultError) { try visit(prefix + name, isNamed: false, above: above + [status]) } catch {
            failure = error
          }
        }
        if let failure { stopped = failure }
      }
    } catch {
      miss(path, error.reason)
    }
    if let stopped { throw stopped }
  }

  /// Set once the work is to end.
  private var stopped: VaultError?

  /// What SQLite keeps beside a database belongs to the database, which is copied as a whole.
  private mutating func leaveOutSideFilesOfDatabases() {
    for path in entries.keys {
      for suffix in ["-wal", "-shm", "-journal"] where path.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
        let database = Array(path.dropLast(suffix.utf8.count))
        if entries[database] != nil, SQLiteDatabase.isDatabase(database) { entries[path] = nil }
      }
    }
  }
}
