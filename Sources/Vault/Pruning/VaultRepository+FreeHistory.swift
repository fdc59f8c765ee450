import Git

/// The lock of a vault, for work that goes on while programs of the host do their part. It is held as long as the object is alive.
package final class VaultLock: Sendable {
  private let folder: VaultFolder

  /// - Parameter checkpoint: throws once it has been waited for long enough.
  package init(_ path: String, checkpoint: () throws(VaultError) -> Void) throws(VaultError) {
    // Without a vault there is nothing to lock, and none is to be made.
    _ = try VaultRepository(opening: path)
    folder = try VaultFolder.open(path, checkpoint: checkpoint)
  }
}

/// A backup to which neither its set's branch nor a tag of the set leads any more.
package struct ForgottenBackup: Sendable {
  package let name: String
  /// In hex.
  package var commitText: String { commit.description }
  let commit: GitID
  let archive: GitFile
}

extension VaultRepository {
  /// Makes the branch of a set lead to the kept backups alone: a commit for each, with its message and its time, and its tag moved there.
  /// The tags of all others are removed. Objects to which nothing refers any more stay until git is told to remove them.
  ///
  /// Killed at any moment, it leaves a branch that is whole, and done again it comes to the same.
  /// - Parameter lock: the vault's, since commits of others would be lost.
  /// - Returns: the backups that were pruned, to which neither the branch nor a tag of the set leads any more.
  package static func forgetHistory(
    of set: String, in path: String, holding lock: VaultLock
  ) throws(VaultError) -> [ForgottenBackup] {
    let vault = try VaultRepository(opening: path)
    return try withExtendedLifetime(lock) { () throws(VaultError) in try vault.forgetHistory(of: set) }
  }

  private borrowing func forgetHistory(of set: String) throws(VaultError) -> [ForgottenBackup] {
    guard let head = try head(of: set) else {
      throw VaultError(.unknownBackup, "the vault \(path) has no backup of the set \(set)")
    }
    try refuseLocks(of: set)
    try refuseForeign(head, of: set)
    try refuseForeignHistory(of: set)
    let content = try content(of: set, at: head)
    if let lost = content.lost.first {
      throw VaultError(
        .damaged, "history is not freed while git has lost a part of what is kept: \(lost.error.message)",
        advice: "make a new backup first, which takes off the branch what is lost")
    }
    for backup in content.backups {
      if let error = try loss(of: backup, { () throws(VaultError) in }) { throw error }
    }
    if let newest = content.backups.first { try completeTag(of: newest, at: head) }
    let files = try git { () throws(GitError) in try repository.files(of: head) }
    var chain: [(backup: Backup, commit: GitCommit)] = []
    for backup in content.backups.reversed() {
      chain.append(
        (backup, try keptCommit(of: backup, in: files, after: chain.last?.commit, Set(chain.map(\.backup.name)))))
    }
    guard let newest = chain.last else { return [] }
    var forgotten: [ForgottenBackup] = []
    for backup in try pruned(of: set) {
      let tag = BackupLayout.tag(of: backup.name, in: set, isComplete: backup.isComplete)
      guard let commit = try git({ () throws(GitError) in try repository.commit(taggedAs: tag) }) else { continue }
      forgotten.append(ForgottenBackup(name: backup.name, commit: commit.id, archive: backup.archive))
    }
    try git { () throws(GitError) in
      try repository.move(BackupLayout.branch(of: set), from: head, to: newest.commit)
      var kept: Set<String> = []
      for (backup, commit) in chain {
        let tag = BackupLayout.tag(of: backup.name, in: set, isComplete: backup.isComplete)
        kept.insert(tag)
        if try repository.commit(taggedAs: tag)?.id != commit.id {
          try repository.tag(tag, at: commit.id, message: commit.message, by: commit.author, replacing: true)
        }
      }
      let all = try repository.tags(startingWith: BackupLayout.tag(of: "", in: set, isComplete: true))
      for tag in all where !kept.contains(tag) { try repository.removeTag(tag) }
    }
    return forgotten
  }

  /// Throws ``VaultError/Kind/foreignCommit`` if a commit of the set's branch, or a tag of the set, was made by something else: it would
  /// be destroyed.
  private borrowing func refuseForeignHistory(of set: String) throws(VaultError) {
    let branch = BackupLayout.branch(of: set)
    let commits = try git { () throws(GitError) in try repository.commits(of: branch) }
    for commit in commits where CommitTrailers(commit.message)["Backup-Set"] != set {
      throw VaultError(
        .foreignCommit,
        "the commit \(commit.id) of the branch \(branch) was not made by runbook but by \(commit.author.name) <\(commit.author.email)>, and would be destroyed: \(commit.message.prefix { $0 != "\n" })",
        advice:
          "nothing was freed. Look at it: git --git-dir=\(path) show \(commit.id). To free the history, take that commit off the branch first"
      )
    }
    let prefix = BackupLayout.tag(of: "", in: set, isComplete: true)
    let tags = try git { () throws(GitError) in try repository.tags(startingWith: prefix) }
    for tag in tags {
      guard let commit = try git({ () throws(GitError) in try repository.commit(taggedAs: tag) }) else { continue }
      let trailers = CommitTrailers(commit.message)
      if trailers["Backup-Set"] == set, let name = trailers["Backup-Name"],
        tag == prefix + name || tag == prefix + name + BackupLayout.incompleteSuffix
      {
        continue
      }
      throw VaultError(
        .foreignCommit, "the tag \(tag) was not made by runbook, and would be destroyed",
        advice:
          "nothing was freed. Look at it: git --git-dir=\(path) show \(tag). To free the history, rename or remove that tag first"
      )
    }
  }

  /// Whether the commit or the archive of a backup is in the vault all the same.
  package borrowing func holds(_ backup: ForgottenBackup) throws(VaultError) -> Bool {
    try git { () throws(GitError) in
      if try repository.holds(GitFile(name: "the commit \(backup.commit)", id: backup.commit)) { return true }
      return try repository.holds(backup.archive)
    }
  }

  /// The commit of a kept backup as it stands alone: with those before it that are kept, and its own redacted configuration.
  private borrowing func keptCommit(
    of backup: Backup, in files: [GitFile], after parent: GitCommit?, _ older: Set<String>
  ) throws(VaultError) -> GitCommit {
    let tag = BackupLayout.tag(of: backup.name, in: backup.set, isComplete: backup.isComplete)
    let names = Set(
      older.union([backup.name]).flatMap { [BackupLayout.archive(of: $0), BackupLayout.manifest(of: $0)] })
    return try git { () throws(GitError) in
      guard let own = try repository.commit(taggedAs: tag) else {
        throw GitError(.notFound, "read the tag \(tag)", code: -1, message: "there is none")
      }
      var kept = files.filter { names.contains($0.name) }
      kept += try repository.files(of: own).filter { $0.name == BackupLayout.redacted }
      let id = try repository.commit(kept, after: parent, message: own.message, by: own.author)
      return try repository.commit(id)
    }
  }
}
