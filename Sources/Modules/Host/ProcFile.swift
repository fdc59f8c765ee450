import Glibc
import Schema
import Steps

/// Files of the kernel (proc(5)): their size is not known before they are read.
enum ProcFile {
  /// The whole text of a file.
  ///
  /// Throws `broken` where it cannot be opened or read.
  static func text(_ path: String) throws(StepError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw unreadable(path) }
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }

  private static func unreadable(_ path: String) -> StepError {
    .broken(
      "host.procUnreadable", "\(path) cannot be read: \(String(cString: strerror(errno)))",
      advice: "Check that /proc is mounted and that this user may read it.")
  }

  /// What a file holds is not what proc(5) says.
  static func unexpected(_ path: String, _ what: String) -> StepError {
    .broken("host.procUnexpected", "\(path) \(what)", advice: "Compare it with proc(5) of this kernel.")
  }
}
