import Glibc

/// The facts of this process that a run's first event records.
struct HostFacts: Sendable {
  let host: String
  let user: String
  let pid: Int

  static func current() -> HostFacts {
    HostFacts(host: hostName(), user: userName(), pid: Int(getpid()))
  }

  private static func hostName() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let start = buffer.baseAddress, gethostname(start, buffer.count - 1) == 0 else { return "unknown" }
      buffer[buffer.count - 1] = 0
      return String(cString: start)
    }
  }

  /// The effective user's name, or its number where the password file has none.
  private static func userName() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard let start = buffer.baseAddress, getpwuid_r(geteuid(), &entry, start, buffer.count, &found) == 0,
        found != nil, let name = entry.pw_name
      else { return "\(geteuid())" }
      return String(cString: name)
    }
  }
}
