import FoundationEssentials
import Glibc
import Processes

/// Files that only their owner may read.
enum PrivateFile {
  /// Writes a file of mode 0600, whole or not at all; another at its place is replaced, a link there not followed.
  static func write(_ text: String, to path: String) throws(LabError) {
    let aside = aside(path)
    unlink(aside)
    let file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure("create", aside) }
    defer { close(file) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      guard written >= 0 || errno == EINTR else { throw failure("write", aside) }
      rest = rest.dropFirst(max(written, 0))
    }
    guard rename(aside, path) == 0 else { throw failure("create", path) }
  }

  /// Where a file is written before it takes its place.
  static func aside(_ path: String) -> String { path + ".new" }

  private static func failure(_ act: String, _ path: String) -> LabError {
    LabError(.system, "cannot \(act) \(path): \(String(errorNumber: errno))")
  }
}
