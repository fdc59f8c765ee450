package import Git

/// Why something could not be done with a vault.
package struct VaultError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// There is no vault at the path.
    case missing
    /// It belongs to another user.
    case foreignOwner
    /// A lock file is in the way of git.
    case locked
    /// Another run is at work in it, and did not end in time.
    case busy
    /// A commit of a set's branch, or a tag of it, was not made by runbook.
    case foreignCommit
    /// There is no such set or backup in it.
    case unknownBackup
    /// What is in it is not what was put there.
    case damaged
    /// The file system has no room left.
    case full
    /// The set's files have more bytes than it may have.
    case tooLarge
    /// The set has fewer recipients than it asks for.
    case tooFewRecipients
    /// The time was over, or somebody asked to end.
    case interrupted
    /// Everything else.
    case other
  }

  package let kind: Kind
  /// One sentence without a full stop.
  package let message: String
  package let advice: String?

  package init(_ kind: Kind, _ message: String, advice: String? = nil) {
    self.kind = kind
    self.message = message
    self.advice = advice
  }

  static func damaged(_ message: String) -> Self {
    Self(.damaged, message, advice: "`git fsck --full --strict` in the vault says whether the repository is sound")
  }

  /// - Parameter path: of the vault.
  package init(_ error: GitError, vault path: String) {
    let message = "cannot \(error.action): \(error.message)"
    switch error.reason {
    case .notARepository:
      self.init(
        .missing, "there is no vault at \(path)", advice: "make the first backup: runbook run monthly-config-backup")
    case .foreignOwner:
      self.init(
        .foreignOwner, "the vault \(path) belongs to another user, whose configuration of git is not trusted",
        advice: "run as its owner, or give it to this user: chown -R")
    case .notFound: self.init(.unknownBackup, message)
    case .locked:
      self.init(.locked, message, advice: "another git is at work there, or died at it")
    case .changedMeanwhile: self.init(.busy, message)
    case .damaged:
      self.init(
        .damaged, message, advice: "take another backup, or another copy of the vault: git cannot mend what was altered"
      )
    case .other where error.message.contains("No space left"):
      self.init(.full, message, advice: "make room on the file system of \(path)")
    case .other: self.init(.other, message)
    }
  }
}
