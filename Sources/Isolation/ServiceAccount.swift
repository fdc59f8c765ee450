import Glibc

/// A user of this host as whom a program runs in an isolated host.
package struct ServiceAccount: Hashable, Sendable {
  package let name: String
  package let user: UInt32
  package let group: UInt32

  /// The user of this name or number; nil if this host has none.
  package init?(_ text: String) {
    let found: (String, UInt32, UInt32)? = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
      var entry = passwd()
      var result: UnsafeMutablePointer<passwd>?
      guard let start = buffer.baseAddress else { return nil }
      let status =
        UInt32(text).map { getpwuid_r($0, &entry, start, buffer.count, &result) }
        ?? getpwnam_r(text, &entry, start, buffer.count, &result)
      guard status == 0, result != nil, let name = entry.pw_name else { return nil }
      return (String(cString: name), entry.pw_uid, entry.pw_gid)
    }
    guard let found else { return nil }
    (name, user, group) = found
  }

  /// All its groups, looked up anew.
  package var groups: [UInt32] {
    var count: Int32 = 64
    while true {
      var found = [gid_t](repeating: 0, count: Int(count))
      let capacity = count
      if getgrouplist(name, group, &found, &count) >= 0 { return Array(found.prefix(Int(count))) }
      // It has told how many there are.
      count = max(count, 2 * capacity)
    }
  }
}
