import Git

/// What is different between two backups of one set. Contents are compared by the digests under the host's key, and lines of
/// configuration by what stands in the place of secrets: nobody learns one from it.
package struct BackupDifference: Hashable, Sendable {
  /// Paths on the host, or names of members that were no files there.
  package var added: [String] = []
  package var removed: [String] = []
  package var changed: [String] = []
  /// Only mode or owner are others.
  package var attributesChanged: [String] = []

  package init(from older: BackupManifest, to newer: BackupManifest) {
    let old = Dictionary(older.members.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let new = Dictionary(newer.members.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    added = newer.members.filter { old[$0.name] == nil }.map(Self.shown)
    removed = older.members.filter { new[$0.name] == nil }.map(Self.shown)
    for member in newer.members {
      guard let before = old[member.name] else { continue }
      if before.kind != member.kind {
        changed.append(Self.shown(member))
      } else if (before.mode, before.user, before.group) != (member.mode, member.user, member.group) {
        attributesChanged.append(Self.shown(member))
      }
    }
  }

  package var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty && attributesChanged.isEmpty }

  private static func shown(_ member: BackupManifest.Member) -> String {
    String(decoding: member.path ?? member.name, as: UTF8.self)
  }
}

extension VaultRepository {
  /// The configuration of a backup without its secrets, line by line, as its own commit has it; none if it has none.
  package borrowing func redactedLines(of backup: Backup) throws(VaultError) -> [String] {
    let tag = BackupLayout.tag(of: backup.name, in: backup.set, isComplete: backup.isComplete)
    let content = try git { () throws(GitError) -> [UInt8]? in
      guard let commit = try repository.commit(taggedAs: tag),
        let file = try repository.files(of: commit).first(where: { $0.name == BackupLayout.redacted })
      else { return nil }
      return try repository.content(of: file)
    }
    return Self.lines(content)
  }

  static func lines(_ content: [UInt8]?) -> [String] {
    guard let content else { return [] }
    return content.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The lines that differ between two backups, as diff(1) marks them: `-old`, `+new`, each file's name before its own.
  package borrowing func changedLines(from older: Backup, to newer: Backup) throws(VaultError) -> [String] {
    Self.changedLines(from: try redactedLines(of: older), to: try redactedLines(of: newer))
  }

  /// The same of what has been read already.
  package static func changedLines(from old: [String], to new: [String]) -> [String] {
    let difference = new.difference(from: old)
    // In the order in which they stand; what was there before comes first.
    let removed = difference.removals.map { change -> (place: Int, line: String) in
      guard case .remove(let offset, let line, _) = change else { return (0, "") }
      return (offset, "-" + line)
    }
    let inserted = difference.insertions.map { change -> (place: Int, line: String) in
      guard case .insert(let offset, let line, _) = change else { return (0, "") }
      return (offset, "+" + line)
    }
    return (removed + inserted).sorted {
      ($0.place, $0.line.first == "-" ? 0 : 1) < ($1.place, $1.line.first == "-" ? 0 : 1)
    }
    .map(\.line)
  }
}
