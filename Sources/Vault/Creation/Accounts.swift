import Glibc

/// The names of users and groups, each looked up once.
struct Accounts {
  private var users: [UInt32: String?] = [:]
  private var groups: [UInt32: String?] = [:]

  mutating func user(_ id: UInt32) -> String? {
    if let known = users[id] { return known }
    let name = getpwuid(id).map { String(cString: $0.pointee.pw_name) }
    users[id] = .some(name)
    return name
  }

  mutating func group(_ id: UInt32) -> String? {
    if let known = groups[id] { return known }
    let name = getgrgid(id).map { String(cString: $0.pointee.gr_name) }
    groups[id] = .some(name)
    return name
  }
}
