import Glibc

/// The numbers that names of users and groups have on this host, each asked for once.
struct AccountNumbers {
  private var users: [String: UInt32?] = [:]
  private var groups: [String: UInt32?] = [:]

  /// Nil if this host has no such user.
  mutating func user(_ name: String) -> UInt32? {
    if let known = users[name] { return known }
    let number = withAccountBuffer { room, size -> UInt32? in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard getpwnam_r(name, &entry, room, size, &found) == 0, found != nil else { return nil }
      return entry.pw_uid
    }
    users[name] = .some(number)
    return number
  }

  /// Nil if this host has no such group.
  mutating func group(_ name: String) -> UInt32? {
    if let known = groups[name] { return known }
    let number = withAccountBuffer { room, size -> UInt32? in
      var entry = Glibc.group()
      var found: UnsafeMutablePointer<Glibc.group>?
      guard getgrnam_r(name, &entry, room, size, &found) == 0, found != nil else { return nil }
      return entry.gr_gid
    }
    groups[name] = .some(number)
    return number
  }
}
