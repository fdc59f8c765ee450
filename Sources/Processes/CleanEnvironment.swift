import Glibc

/// The environment every child starts from: `PATH`, `HOME` and `LANG`, and nothing else of ours.
///
/// It depends as little as possible on who starts us, so that a command finds under cron what it found in a shell.
package enum CleanEnvironment {
  private static let standardFolders = [
    "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
  ]

  /// `PATH` as we have it, followed by the standard folders it lacks (cron's lacks most); `HOME` as we have it, else the
  /// password file's; `LANG=C.UTF-8`, in which programs speak alike everywhere.
  package static func variables() -> [String: String] {
    var folders = (value(of: "PATH") ?? "").split(separator: ":").map(String.init)
    folders += standardFolders.filter { !folders.contains($0) }
    return ["PATH": folders.joined(separator: ":"), "HOME": value(of: "HOME") ?? homeDirectory(), "LANG": "C.UTF-8"]
  }

  private static func value(of name: String) -> String? {
    guard let text = getenv(name), text.pointee != 0 else { return nil }
    return String(cString: text)
  }

  private static func homeDirectory() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard let start = buffer.baseAddress,
        getpwuid_r(geteuid(), &entry, start, buffer.count, &found) == 0, found != nil,
        let home = entry.pw_dir
      else { return "/" }
      return String(cString: home)
    }
  }
}
