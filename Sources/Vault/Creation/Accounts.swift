import Glibc

/// The names of users and groups, each looked up once.
struct Accounts {
  private var users: [UInt32: String?] = [:]
  private var groups: [UInt32: String?] = [:]

  /// Nil if this host has no name for it.
  mutating func user(_ id: UInt32) -> String? {
    if let known = users[id] { return known }
    let name = withAccountBuffer { room, size -> String? in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard getpwuid_r(id, &entry, room, size, &found) == 0, found != nil else { return nil }
      return String(cString: entry.pw_name)
    }
    users[id] = .some(name)
    return name
  }

  /// Nil if this host has no name for it.
  mutating func group(_ id: UInt32) -> String? {
    if let known = groups[id] { return known }
    let name = withAccountBuffer { room, size -> String? in
      var entry = Glibc.group()
      var found: UnsafeMutablePointer<Glibc.group>?
      guard getgrgid_r(id, &entry, room, size, &found) == 0, found != nil else { return nil }
      return String(cString: entry.gr_name)
    }
    groups[id] = .some(name)
    return name
  }
}

/// Room for the texts of one entry of passwd(5) or group(5): the usual functions share one place among all threads.
func withAccountBuffer<Result>(_ body: (_ room: UnsafeMutablePointer<CChar>, _ size: Int) -> Result) -> Result {
  let size = 1 << 16
  let room = UnsafeMutablePointer<CChar>.allocate(capacity: size)
  defer { room.deallocate() }
  return body(room, size)
}
