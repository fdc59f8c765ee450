import Files
import Git
package import Schema

extension VaultRepository {
  /// Takes backups off the branch of a set, by a commit. History is never rewritten: it still holds them, and their tags lead there.
  ///
  /// - Parameters:
  ///   - plan: gives the names of those to be removed, of those that are there, newest first, once nobody else writes to the vault.
  ///   - checkpoint: throws once it has been waited for long enough.
  /// - Returns: what `plan` was made of.
  package static func prune(
    _ set: String, in path: String, host: String, at time: Timestamp,
    by plan: ([Backup]) -> PrunePlan, checkpoint: () throws(VaultError) -> Void
  ) throws(VaultError) -> PrunePlan {
    // Without a vault there is nothing to prune, and none is to be made.
    _ = try VaultRepository(opening: path)
    let folder = try VaultFolder.open(path, checkpoint: checkpoint)
    let vault = try VaultRepository(opening: path)
    return try withExtendedLifetime(folder) { () throws(VaultError) in
      try vault.prune(set, host: host, at: time, by: plan, checkpoint)
    }
  }

  private borrowing func prune(
    _ set: String, host: String, at time: Timestamp, by plan: ([Backup]) -> PrunePlan,
    _ checkpoint: () throws(VaultError) -> Void
  ) throws(VaultError) -> PrunePlan {
    guard let head = try head(of: set) else {
      throw VaultError(.unknownBackup, "the vault \(path) has no backup of the set \(set)")
    }
    try refuseLocks(of: set)
    try refuseForeign(head, of: set)
    let content = try content(of: set, at: head)
    if let lost = content.lost.first {
      throw VaultError(
        .damaged, "nothing is removed while git has lost a part of other backups: \(lost.error.message)",
        advice: "`runbook backup verify` tells what is whole; the next new backup takes off the branch what is lost")
    }
    let kept = content.backups
    if let newest = kept.first { try completeTag(of: newest, at: head) }
    let plan = plan(kept)
    let names = plan.removed.map(\.name)
    guard !names.isEmpty else { return plan }
    // What is kept for good must be what can be restored.
    if let damaged = try newestWhole(of: set, checkpoint: checkpoint).damaged.first {
      throw VaultError(
        .damaged, "nothing is removed while the newest complete backup is damaged: \(damaged.error.message)",
        advice: "make a new backup first, which takes off the branch what is lost")
    }
    let gone = Set(names.flatMap { [BackupLayout.archive(of: $0), BackupLayout.manifest(of: $0)] })
    let message =
      "\(set): remove \(names.count) \(names.count == 1 ? "backup" : "backups")\n\nBackup-Set: \(set)\nBackup-Host: \(host)\n"
      + names.map { "Backup-Pruned: \($0)\n" }.joined()
    _ = try git { () throws(GitError) in
      let files = try repository.files(of: head).filter { !gone.contains($0.name) }
      return try repository.commit(
        files, to: BackupLayout.branch(of: set), after: head, message: message,
        by: GitSignature(name: "runbook", email: "runbook@localhost", time: Int(time.seconds)))
    }
    return plan
  }

  /// The backups of a set that were pruned and that git's history still holds whole, by the tags that lead to them, newest first.
  package borrowing func pruned(of set: String) throws(VaultError) -> [Backup] {
    let content = try content(of: set)
    let kept = Set(content.backups.map(\.name) + content.lost.map(\.name))
    let prefix = BackupLayout.tag(of: "", in: set, isComplete: true)
    let tags = try git { () throws(GitError) in try repository.tags(startingWith: prefix) }
    var found: [Backup] = []
    for tag in tags {
      var name = String(tag.dropFirst(prefix.count))
      if name.hasSuffix(BackupLayout.incompleteSuffix) { name.removeLast(BackupLayout.incompleteSuffix.count) }
      guard !kept.contains(name) else { continue }
      do throws(VaultError) { found.append(try backup(name, of: set)) } catch {
        // A tag of another kind, or of what is lost.
        guard error.kind == .unknownBackup || error.kind == .damaged else { throw error }
      }
    }
    return found.reversed()
  }
}
