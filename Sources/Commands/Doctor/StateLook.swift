import Glibc
import Journal
import Language
import Ledger
import Runs
import Schema

/// Looks at where the project's runs are kept: whether this user can record one, and whether there is room.
struct StateLook: Sendable {
  let project: Project

  /// Below this a run may not find room for its journal, in bytes.
  private static let room: UInt64 = 50 << 20

  func items() async -> [Diagnosis.Item] {
    let path = project.state.path
    guard let items = await ProgramLook.briefly({ Self.look(at: path) }) else {
      return [
        .init(
          .state, path, .unknown, "the file system that holds it does not answer",
          fix: "findmnt --target \(shellQuoted(path)); run with --volatile meanwhile")
      ]
    }
    guard items.allSatisfy({ $0.state == .ok }) else { return items }
    return items + history
  }

  /// Whether past runs can be read, as modules that need them do.
  private var history: [Diagnosis.Item] {
    do { _ = try project.ledger.entries(limit: 1) } catch {
      return [.init(.state, "history", .missing, error.message, fix: error.advice)]
    }
    return []
  }

  private static func look(at path: String) -> [Diagnosis.Item] {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      guard errno == ENOENT else { return [refusal(path, errno)] }
      return [absent(path)]
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      return [
        .init(.state, path, .missing, "it is no folder", fix: "mv \(shellQuoted(path)) \(shellQuoted(path + ".old"))")
      ]
    }
    for folder in [path, "\(path)/runs"] {
      if faccessat(AT_FDCWD, folder, R_OK | W_OK | X_OK, AT_EACCESS) != 0, errno != ENOENT {
        return [refusal(folder, errno)]
      }
    }
    return [space(path)]
  }

  private static func absent(_ path: String) -> Diagnosis.Item {
    var parent = path
    while access(parent, F_OK) != 0, parent != "/", let slash = parent.lastIndex(of: "/") {
      parent = slash == parent.startIndex ? "/" : String(parent[..<slash])
    }
    guard faccessat(AT_FDCWD, parent, W_OK | X_OK, AT_EACCESS) == 0 else {
      return .init(
        .state, path, .missing,
        "it is not there, and this user cannot make it in \(parent): \(unsafe String(cString: strerror(errno)))",
        fix: "sudo install -d -o \(geteuid()) -g \(getegid()) -m 0700 \(shellQuoted(path))")
    }
    return .init(.state, path, .ok, "the first run makes it")
  }

  private static func refusal(_ path: String, _ number: CInt) -> Diagnosis.Item {
    let reason = "this user cannot record a run there: \(unsafe String(cString: strerror(number)))"
    var status = stat()
    guard number == EACCES, unsafe stat(path, &status) == 0, let group = groupName(status.st_gid),
      status.st_mode & 0o070 == 0o070, status.st_gid != 0
    else {
      let fix =
        number == EROFS
        ? "findmnt --target \(shellQuoted(path)) (it is mounted read-only; run with --volatile meanwhile)"
        : "sudo chown -R \(geteuid()) \(shellQuoted(path))"
      return .init(.state, path, .missing, reason, fix: fix)
    }
    return .init(
      .state, path, .missing, reason + "; the group \(group) can",
      fix: joinGroup(group))
  }

  private static func space(_ path: String) -> Diagnosis.Item {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else { return refusal(path, errno) }
    let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
    let text = "\(free >> 20) MiB are free"
    // File systems such as btrfs count no inodes.
    let hasNoInode = status.f_files > 0 && status.f_favail == 0
    guard free >= room, !hasNoInode else {
      return .init(
        .state, path, free == 0 || hasNoInode ? .missing : .warning,
        hasNoInode ? "its file system has no inode left" : "its file system is nearly full: \(text)",
        fix: "runbook prune --older-than 90d --yes (or run with --volatile)")
    }
    return .init(.state, path, .ok, "this user can record runs; \(text)")
  }
}
