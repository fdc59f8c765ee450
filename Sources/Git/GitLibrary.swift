import CLibgit2

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
