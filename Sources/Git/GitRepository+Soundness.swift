import CLibgit2
import Glibc

extension GitRepository {
  /// Throws ``GitError/Reason/damaged`` if the file of a loose object cannot be unpacked to its end: libgit2 1.5 would never return from
  /// it. Objects that git has packed are left to libgit2.
  borrowing func requireSound(_ id: git_oid, to action: @autoclosure () -> String) throws(GitError) {
    switch runbook_git_check_loose(loosePath(of: id), 1) {
    case RUNBOOK_GIT_LOOSE_DAMAGED:
      throw GitError(
        .damaged, action(), code: -1,
        message: "the object \(GitID(id)) is cut off, or its compressed bytes were altered")
    case RUNBOOK_GIT_LOOSE_UNREADABLE:
      throw GitError(.other, action(), code: -1, message: "\(loosePath(of: id)): \(String(cString: strerror(errno)))")
    default: return
    }
  }

  /// Whether the repository has the content of a file, as far as can be told without reading it to its end.
  package borrowing func holds(_ file: GitFile) throws(GitError) -> Bool {
    var id = file.id.oid
    switch runbook_git_check_loose(loosePath(of: id), 0) {
    case RUNBOOK_GIT_LOOSE_SOUND: return true
    case RUNBOOK_GIT_LOOSE_DAMAGED: return false
    case RUNBOOK_GIT_LOOSE_UNREADABLE:
      throw GitError(
        .other, "read \(file.name)", code: -1, message: "\(loosePath(of: id)): \(String(cString: strerror(errno)))")
    default: break
    }
    var database: OpaquePointer?
    try GitError.check(git_repository_odb(&database, raw), "read \(file.name)")
    defer { git_odb_free(database) }
    return git_odb_exists(database, &id) == 1
  }

  private borrowing func loosePath(of id: git_oid) -> String {
    let name = GitID(id).description
    return "\(path)/objects/\(name.prefix(2))/\(name.dropFirst(2))"
  }
}
