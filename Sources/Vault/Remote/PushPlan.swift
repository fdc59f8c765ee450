import Git

/// What a remote has of a set, and what is to be pushed for it to have all.
package struct PushPlan: Hashable, Sendable {
  /// Why nothing is pushed: the remote's history is another one. Nothing is ever forced.
  package enum Refusal: Error, Hashable, Sendable {
    /// The remote has lost commits that were pushed to it.
    case rewound(String)
    /// The remote has commits or tags that this vault does not have.
    case diverged(String)

    /// One sentence without a full stop.
    package var message: String {
      switch self {
      case .rewound(let message), .diverged(let message): message
      }
    }
  }

  /// The branch's newest commit here, in hex.
  package let head: String
  /// By the name of the reference, what it is to point to.
  package let missing: [String: String]

  /// What git takes to push it: without a plus sign, so that a remote refuses what would lose something.
  package var refspecs: [String] { missing.sorted { $0.key < $1.key }.map { "\($0.value):\($0.key)" } }
}

extension VaultRepository {
  /// The references of a set, as patterns of git.
  package static func references(of set: String) -> [String] {
    ["refs/heads/\(BackupLayout.branch(of: set))", "refs/tags/\(BackupLayout.tag(of: "*", in: set, isComplete: true))"]
  }

  /// Compares a remote with this vault.
  ///
  /// - Parameters:
  ///   - found: the references of the set that the remote has, with what each points to.
  ///   - pushed: the commit that was pushed to this remote last; nil if none ever was.
  package borrowing func pushPlan(
    of set: String, to found: [String: String], pushed: String?
  ) throws -> PushPlan {
    let branch = "refs/heads/\(BackupLayout.branch(of: set))"
    let commits = try git { () throws(GitError) in try repository.commits(of: BackupLayout.branch(of: set)) }
      .map(\.id.description)
    guard let head = commits.first else {
      throw VaultError(.unknownBackup, "the vault \(path) has no backup of the set \(set)")
    }
    let last = pushed.flatMap(commits.firstIndex(of:))
    if let theirs = found[branch] {
      guard let place = commits.firstIndex(of: theirs) else {
        throw PushPlan.Refusal.diverged(
          "its branch \(BackupLayout.branch(of: set)) is at the commit \(theirs), which this vault does not have")
      }
      if let last, place > last {
        throw PushPlan.Refusal.rewound(
          "its branch \(BackupLayout.branch(of: set)) is back at the commit \(theirs), though \(commits[last]) was pushed to it"
        )
      }
    } else if let last {
      throw PushPlan.Refusal.rewound(
        "it has no branch \(BackupLayout.branch(of: set)) any more, though the commit \(commits[last]) was pushed to it"
      )
    }
    var missing: [String: String] = found[branch] == head ? [:] : [branch: head]
    let tags = try git { () throws(GitError) in
      try repository.tags(startingWith: BackupLayout.tag(of: "", in: set, isComplete: true))
    }
    for tag in tags {
      let name = "refs/tags/\(tag)"
      guard let id = try git({ () throws(GitError) in try repository.id(of: name) })?.description else { continue }
      guard let theirs = found[name] else {
        missing[name] = id
        continue
      }
      guard theirs == id else {
        throw PushPlan.Refusal.diverged("its tag \(tag) is another one than that of this vault")
      }
    }
    return PushPlan(head: head, missing: missing)
  }

  /// The tag of a backup, in hex; nil if a crash kept it from being made.
  package borrowing func tagID(of backup: Backup) throws(VaultError) -> (name: String, id: String)? {
    let tag = "refs/tags/\(BackupLayout.tag(of: backup.name, in: backup.set, isComplete: backup.isComplete))"
    return try git { () throws(GitError) in try repository.id(of: tag) }.map { (tag, $0.description) }
  }

  /// How many commits of the set's branch are newer than a commit; nil if the branch does not have it.
  package borrowing func commitsSince(_ commit: String, of set: String) throws(VaultError) -> Int? {
    try git { () throws(GitError) in try repository.commits(of: BackupLayout.branch(of: set)) }
      .firstIndex { $0.id.description == commit }
  }

  /// How many commits of the set's branch are newer than that of a backup; nil if the branch has none of it.
  package borrowing func commitsSince(_ backup: Backup) throws(VaultError) -> Int? {
    try git { () throws(GitError) in try repository.commits(of: BackupLayout.branch(of: backup.set)) }
      .firstIndex { CommitTrailers($0.message)["Backup-Name"] == backup.name }
  }
}
