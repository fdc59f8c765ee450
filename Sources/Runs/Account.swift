import Glibc

/// What this host knows of users and groups.
package enum Account {
  /// The user's name, or its number if there is none.
  package static func name(of uid: Int) -> String { entry(of: uid)?.name ?? "\(uid)" }

  /// Whether the host knows a user of this name.
  package static func exists(user name: String) -> Bool {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: bufferSize) { buffer in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard let start = buffer.baseAddress else { return false }
      return getpwnam_r(name, &entry, start, buffer.count, &found) == 0 && found != nil
    }
  }

  /// Whether the host knows a group of this name.
  package static func exists(group name: String) -> Bool { number(ofGroup: name) != nil }

  /// Whether a user belongs to a group, by its own group or as one of its members. False if either is not known.
  package static func user(_ uid: Int, isIn group: String) -> Bool {
    guard let entry = entry(of: uid), let number = number(ofGroup: group) else { return false }
    var count: CInt = 64
    while true {
      var groups = [gid_t](repeating: 0, count: Int(count))
      let room = count
      if getgrouplist(entry.name, entry.group, &groups, &count) >= 0 {
        return groups.prefix(Int(count)).contains(number)
      }
      // What it did not fit in; never less than before, so that this ends.
      count = max(count, 2 * room)
      guard count <= 1 << 17 else { return false }
    }
  }

  private static let bufferSize = 65_536

  private static func entry(of uid: Int) -> (name: String, group: gid_t)? {
    guard let uid = uid_t(exactly: uid) else { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: bufferSize) { buffer in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard let start = buffer.baseAddress,
        getpwuid_r(uid, &entry, start, buffer.count, &found) == 0, found != nil, let name = entry.pw_name
      else { return nil }
      return (String(cString: name), entry.pw_gid)
    }
  }

  /// The name of a group; nil if the host does not know it.
  static func name(ofGroup number: gid_t) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: bufferSize) { buffer in
      var entry = Glibc.group()
      var found: UnsafeMutablePointer<Glibc.group>?
      guard let start = buffer.baseAddress, getgrgid_r(number, &entry, start, buffer.count, &found) == 0, found != nil,
        let name = entry.gr_name
      else { return nil }
      return String(cString: name)
    }
  }

  private static func number(ofGroup name: String) -> gid_t? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: bufferSize) { buffer in
      var entry = Glibc.group()
      var found: UnsafeMutablePointer<Glibc.group>?
      guard let start = buffer.baseAddress, getgrnam_r(name, &entry, start, buffer.count, &found) == 0, found != nil
      else { return nil }
      return entry.gr_gid
    }
  }
}
