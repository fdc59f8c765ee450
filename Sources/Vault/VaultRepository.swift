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

  /// The backups of a set that are kept, newest first; none if there is no such set.
  package borrowing func backups(of set: String) throws(VaultError) -> [Backup] {
    guard let head = try head(of: set) else { return [] }
    return try backups(of: set, at: head)
  }

  /// A backup by its name, also one that was pruned and that git's history still holds.
  package borrowing func backup(_ name: String, of set: String) throws(VaultError) -> Backup {
    if let kept = try backups(of: set).first(where: { $0.name == name }) { return kept }
    for isComplete in [true, false] {
      let tag = BackupLayout.tag(of: name, in: set, isComplete: isComplete)
      let commit = try git { () throws(GitError) in try repository.commit(taggedAs: tag) }
      guard let commit else { continue }
      if let found = try backups(of: set, at: commit).first(where: { $0.name == name }) { return found }
    }
    throw VaultError(
      .unknownBackup, "the vault \(path) has no backup \(name) of the set \(set)",
      advice: "`runbook backup list` names those that it has")
  }

  borrowing func backups(of set: String, at commit: GitCommit) throws(VaultError) -> [Backup] {
    let files = try git { () throws(GitError) in try repository.files(of: commit) }
    var found: [Backup] = []
    for archive in files where archive.name.hasSuffix(BackupLayout.archiveSuffix) {
      let name = String(archive.name.dropLast(BackupLayout.archiveSuffix.count))
      guard let file = files.first(where: { $0.name == BackupLayout.manifest(of: name) }) else {
        throw .damaged("the backup \(name) of the set \(set) has no manifest")
      }
      let content = try git { () throws(GitError) in try repository.content(of: file) }
      found.append(Backup(name: name, set: set, manifest: try BackupManifest(parsing: content), archive: archive))
    }
    return found.sorted { ($0.created, $0.name.count, $0.name) > ($1.created, $1.name.count, $1.name) }
  }

  /// The encrypted archive of a backup, piece by piece, as git has it: nothing is checked but its length.
  package borrowing func archive(of backup: Backup) throws(VaultError) -> GitFileReader {
    try git { () throws(GitError) in try repository.reader(of: backup.archive) }
  }
}
