import CLibgit2
import Glibc

/// Why something could not be done in a repository.
package struct GitError: Error, Hashable, Sendable {
  package enum Reason: Hashable, Sendable {
    /// There is no repository at the path.
    case notARepository
    /// The repository's folder belongs to another user: it is not read, since its configuration could be anybody's.
    case foreignOwner
    /// There is no such branch, tag, commit or file.
    case notFound
    /// Another commit came in between, or the name is taken.
    case changedMeanwhile
    /// A lock file is in the way: another git is at work, or died at it.
    case locked
    /// What is in the repository is not what was written there.
    case damaged
    case other
  }

  package let reason: Reason
  /// What was being done, as it stands in a sentence: `open the repository`.
  package let action: String
  /// libgit2's number, below 0.
  package let code: Int32
  /// libgit2's words.
  package let message: String

  package init(_ reason: Reason, _ action: String, code: Int32, message: String) {
    self.reason = reason
    self.action = action
    self.code = code
    self.message = message
  }

  /// - Parameter code: what libgit2 returned, just before: its words are of the thread's last call.
  init(_ action: String, code: Int32) {
    // Of a disk that is full libgit2 says nothing.
    let number = errno
    let last = git_error_last()
    let words =
      last?.pointee.message.map { String(cString: $0) }
      ?? (number == 0 ? "no reason given" : String(cString: strerror(number)))
    let reason: Reason =
      switch code {
      case GIT_EOWNER.rawValue: .foreignOwner
      case GIT_ENOTFOUND.rawValue:
        // 1.5 says of a foreign owner only that the configuration lacks `safe.directory`.
        words.contains("safe.directory") ? .foreignOwner : .notFound
      case GIT_EEXISTS.rawValue, GIT_EMODIFIED.rawValue: .changedMeanwhile
      case GIT_ELOCKED.rawValue: .locked
      default: .other
      }
    self.init(reason, action, code: code, message: words)
  }

  static func check(_ code: Int32, _ action: String) throws(GitError) {
    guard code >= 0 else { throw GitError(action, code: code) }
  }
}

/// libgit2 as a whole: prepared at the first use, for the life of the process.
enum GitLibrary {
  private static let started: Result<Void, GitError> = Result { () throws(GitError) in
    if let problem = runbook_git_load() {
      throw GitError(
        .other, "load libgit2", code: -1,
        message: String(cString: problem) + " (package libgit2-1.5, or that of this system)")
    }
    try GitError.check(git_libgit2_init(), "start libgit2")
    // Without it libgit2 does not wait for the disk.
    try GitError.check(runbook_git_enable(GIT_OPT_ENABLE_FSYNC_GITDIR), "have libgit2 write to the disk")
    try GitError.check(runbook_git_enable(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION), "have libgit2 check what it writes")
    try GitError.check(runbook_git_enable(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION), "have libgit2 check what it reads")
  }

  static func start() throws(GitError) { try started.get() }
}
