package import Git
package import Schema

/// One backup in a vault.
package struct Backup: Hashable, Sendable {
  /// `20261128T154725Z`; with `-2` and so on behind it if there was one in the same second.
  package let name: String
  package let set: String
  package let manifest: BackupManifest
  /// The encrypted archive.
  let archive: GitFile

  /// When the set began to be read.
  package var created: Timestamp { manifest.created ?? .unixEpoch }
  /// False if something was missing.
  package var isComplete: Bool { manifest.incomplete.isEmpty }
  /// Of the encrypted archive, in bytes.
  package var archiveSize: Int { manifest.archive?.size ?? 0 }
}

/// A backup that a set's branch names and of which git has lost a part.
package struct LostBackup: Hashable, Sendable {
  package let name: String
  package let set: String
  /// Of the kind ``VaultError/Kind/damaged``.
  package let error: VaultError
}

/// What a set's branch has.
package struct SetContent: Hashable, Sendable {
  /// Newest first.
  package let backups: [Backup]
  package let lost: [LostBackup]
}

/// The backups of all sets: a bare git repository with a branch for each set, on which each backup that is kept has an encrypted
/// archive and a manifest.
///
/// Use it from one thread at a time.
package struct VaultRepository: ~Copyable {
  let repository: GitRepository
  package let path: String

  /// Opens a vault that is there.
  package init(opening path: String) throws(VaultError) {
    self.path = path
    repository = try Self.translated(path) { () throws(GitError) in try GitRepository(path: path) }
  }

  /// What git refuses, as a vault's user needs it.
  borrowing func git<Result: ~Copyable>(_ work: () throws(GitError) -> Result) throws(VaultError) -> Result {
    try Self.translated(path, work)
  }

  static func translated<Result: ~Copyable>(_ path: String, _ work: () throws(GitError) -> Result) throws(VaultError)
    -> Result
  {
    do throws(GitError) { return try work() } catch { throw VaultError(error, vault: path) }
  }

  /// The sets that have backups, by name.
  package borrowing func sets() throws(VaultError) -> [String] {
    try git { () throws(GitError) in try repository.branches(startingWith: BackupLayout.branchPrefix) }
      .map { String($0.dropFirst(BackupLayout.branchPrefix.count)) }
  }

  /// The newest commit of a set's branch; nil if it has none.
  borrowing func head(of set: String) throws(VaultError) -> GitCommit? {
    try git { () throws(GitError) in try repository.head(of: BackupLayout.branch(of: set)) }
  }

  /// The backups of a set that are kept and of which git still has manifest and archive, newest first: in the order of their commits,
  /// whatever their clocks said. None if there is no such set.
  package borrowing func backups(of set: String) throws(VaultError) -> [Backup] { try content(of: set).backups }

  /// What the newest commit of a set's branch has; nothing if there is no such set.
  package borrowing func content(of set: String) throws(VaultError) -> SetContent {
    guard let head = try head(of: set) else { return SetContent(backups: [], lost: []) }
    return try content(of: set, at: head)
  }

  /// A backup by its name, also one that was pruned and that git's history still holds.
  package borrowing func backup(_ name: String, of set: String) throws(VaultError) -> Backup {
    let content = try content(of: set)
    if let kept = content.backups.first(where: { $0.name == name }) { return kept }
    if let lost = content.lost.first(where: { $0.name == name }) { throw lost.error }
    for isComplete in [true, false] {
      let tag = BackupLayout.tag(of: name, in: set, isComplete: isComplete)
      let commit = try git { () throws(GitError) in try repository.commit(taggedAs: tag) }
      guard let commit else { continue }
      let content = try self.content(of: set, at: commit)
      if let found = content.backups.first(where: { $0.name == name }) { return found }
      if let lost = content.lost.first(where: { $0.name == name }) { throw lost.error }
    }
    throw VaultError(
      .unknownBackup, "the vault \(path) has no backup \(name) of the set \(set)",
      advice: "`runbook backup list` names those that it has")
  }

  borrowing func content(of set: String, at commit: GitCommit) throws(VaultError) -> SetContent {
    let files = try git { () throws(GitError) in try repository.files(of: commit) }
    var manifests: [String: GitFile] = [:]
    for file in files where file.name.hasSuffix(BackupLayout.manifestSuffix) {
      manifests[String(file.name.dropLast(BackupLayout.manifestSuffix.count))] = file
    }
    var found: [Backup] = []
    var lost: [LostBackup] = []
    for archive in files where archive.name.hasSuffix(BackupLayout.archiveSuffix) {
      let name = String(archive.name.dropLast(BackupLayout.archiveSuffix.count))
      do throws(VaultError) {
        guard let file = manifests.removeValue(forKey: name) else {
          throw .damaged("the backup \(name) of the set \(set) has no manifest")
        }
        let manifest = try BackupManifest(
          parsing: try git { () throws(GitError) in try repository.content(of: file) })
        guard try git({ () throws(GitError) in try repository.holds(archive) }) else {
          throw .damaged("git has lost the archive of the backup \(name) of the set \(set)")
        }
        found.append(Backup(name: name, set: set, manifest: manifest, archive: archive))
      } catch {
        guard error.kind == .damaged else { throw error }
        lost.append(LostBackup(name: name, set: set, error: error))
      }
    }
    for name in manifests.keys.sorted() {
      lost.append(
        LostBackup(
          name: name, set: set, error: .damaged("the backup \(name) of the set \(set) has a manifest and no archive")))
    }
    return SetContent(backups: try newestFirst(found, from: commit), lost: lost)
  }

  /// A clock may have been wrong; the commits tell what came after what. Those of which no commit tells come last.
  private borrowing func newestFirst(_ backups: [Backup], from head: GitCommit) throws(VaultError) -> [Backup] {
    var left = Dictionary(backups.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var ordered: [Backup] = []
    var next: GitCommit? = head
    while let commit = next, !left.isEmpty {
      if let name = CommitTrailers(commit.message)["Backup-Name"], let backup = left.removeValue(forKey: name) {
        ordered.append(backup)
      }
      // Commits that cannot be read are what `checkCommits` is for.
      next = commit.parents.first.flatMap { try? repository.commit($0) }
    }
    return ordered + left.values.sorted { ($0.created, $0.name.count, $0.name) > ($1.created, $1.name.count, $1.name) }
  }

  /// The encrypted archive of a backup, piece by piece, as git has it: nothing is checked but its length.
  package borrowing func archive(of backup: Backup) throws(VaultError) -> GitFileReader {
    try git { () throws(GitError) in try repository.reader(of: backup.archive) }
  }
}
