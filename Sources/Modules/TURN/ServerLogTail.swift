import Foundation
import Glibc
import Schema
import Steps

/// What a server writes into its log from one moment on.
struct ServerLogTail: Sendable {
  /// More than a server logs during one call; what stands behind is not read.
  private static let limit = 64 << 20

  let path: String
  private let device: dev_t
  private let file: ino_t
  private let offset: off_t

  /// Begins at what is the file's end now.
  init(_ path: String) throws(StepError) {
    self.path = path
    var status = stat()
    guard stat(path, &status) == 0 else { throw Self.unreadable(path, String(cString: strerror(errno))) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw Self.unreadable(path, "it is no regular file") }
    guard access(path, R_OK) == 0 else { throw Self.unreadable(path, String(cString: strerror(errno))) }
    (device, file, offset) = (status.st_dev, status.st_ino, status.st_size)
  }

  private static func unreadable(_ path: String, _ reason: String) -> StepError {
    .notStarted(
      "log.unreadable", "\(path) cannot be read: \(reason)",
      advice: "Check the path, and that this user may read the file and enter its folders.")
  }

  /// What came since, and whether that is all of it. Of a file that was rotated meanwhile, only the new one is read.
  func bytes() -> (bytes: [UInt8], isWhole: Bool) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return ([], false) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return ([], false) }
    let isSame = status.st_dev == device && status.st_ino == file && status.st_size >= offset
    var place = isSame ? offset : 0
    var bytes: [UInt8] = []
    while bytes.count < Self.limit {
      var count = 0
      bytes += [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, filled in
        count = pread(descriptor, buffer.baseAddress, buffer.count, place)
        filled = max(count, 0)
      }
      guard count > 0 else { return (bytes, isSame && count == 0) }
      place += off_t(count)
    }
    return (bytes, false)
  }
}
