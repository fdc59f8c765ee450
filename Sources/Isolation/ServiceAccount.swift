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
}
