import Glibc

/// Looks at a socket of this host that a step connects to, such as Docker's: whether it is there, and whether this user may.
enum UnixSocketLook {
  static func look(at path: String, neededBy users: [String]) -> Diagnosis.Item {
    func missing(_ reason: String, _ fix: String) -> Diagnosis.Item {
      .init(.sockets, path, .missing, reason, fix: fix, neededBy: users)
    }
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      let reason = unsafe String(cString: strerror(errno))
      return missing("it cannot be looked at: \(reason)", "start the service that listens there")
    }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      return missing("it is no socket", "ls -l \(shellQuoted(path))")
    }
    guard faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 else {
      let reason = unsafe "this user may not connect to it: \(String(cString: strerror(errno)))"
      guard status.st_mode & 0o020 != 0, status.st_gid != 0, let group = groupName(status.st_gid) else {
        return missing(reason, "ls -l \(shellQuoted(path))")
      }
      return missing("\(reason); the group \(group) may", joinGroup(group))
    }
    return .init(.sockets, path, .ok, "this user may connect to it", neededBy: users)
  }
}

/// What makes the user who types it a member of a group.
func joinGroup(_ group: String) -> String {
  "sudo usermod --append --groups \(group) \"$USER\" (and log in again)"
}

/// The name of a group; nil if the system knows none.
func groupName(_ id: gid_t) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
    var entry = group()
    var found: UnsafeMutablePointer<group>?
    guard let start = buffer.baseAddress,
      unsafe getgrgid_r(id, &entry, start, buffer.count, &found) == 0, unsafe found != nil,
      let name = unsafe entry.gr_name
    else { return nil }
    return unsafe String(cString: name)
  }
}
