import Files
import FoundationEssentials
import Glibc

/// Where a report is written to: a file that is replaced as a whole, something that takes what is written as it comes (a
/// pipe, a device), or one of our own open descriptors.
struct ReportDestination {
  private enum Kind {
    case file
    case stream
    case descriptor(CInt)
  }

  /// With links followed.
  let path: String
  private let kind: Kind
  /// Of the file that is there already; nil if there is none.
  private let mode: mode_t?

  /// How long somebody may keep us waiting who is to read a pipe.
  private static let patience: Int32 = 10_000
  private static let mostLinks = 40

  init(_ given: String) {
    var path = given
    for _ in 0..<Self.mostLinks {
      if let descriptor = Self.descriptor(path) {
        self.init(path: path, kind: .descriptor(descriptor), mode: nil)
        return
      }
      guard let target = Self.target(ofLink: path) else { break }
      path = target.hasPrefix("/") ? target : parentFolder(of: path) + "/" + target
    }
    var status = stat()
    guard stat(path, &status) == 0 else {
      self.init(path: path, kind: .file, mode: nil)
      return
    }
    let isFile = status.st_mode & S_IFMT == S_IFREG
    self.init(path: path, kind: isFile ? .file : .stream, mode: status.st_mode)
  }

  private init(path: String, kind: Kind, mode: mode_t?) {
    self.path = path
    self.kind = kind
    self.mode = mode
  }

  /// The descriptor of ours that a path names; nil for any other path.
  private static func descriptor(_ path: String) -> CInt? {
    switch path {
    case "/dev/stdout": return STDOUT_FILENO
    case "/dev/stderr": return STDERR_FILENO
    default:
      let folders = ["/dev/fd/", "/proc/self/fd/", "/proc/\(getpid())/fd/"]
      guard let folder = folders.first(where: path.hasPrefix) else { return nil }
      return CInt(path.dropFirst(folder.count))
    }
  }

  private static func target(ofLink path: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: path)
  }

  /// Why nothing can be written here, as far as that is known before there is anything to write; nil if nothing speaks
  /// against it.
  var refusal: String? {
    switch kind {
    case .descriptor(let number):
      let flags = fcntl(number, F_GETFL)
      guard flags >= 0 else { return "file descriptor \(number) is not open" }
      return flags & O_ACCMODE == O_RDONLY ? "file descriptor \(number) is open for reading only" : nil
    case .stream:
      guard (mode ?? 0) & S_IFMT != S_IFDIR else { return "it is a folder" }
      return access(path, W_OK) == 0 ? nil : reason()
    case .file:
      let folder = parentFolder(of: path)
      guard access(folder, W_OK | X_OK) == 0 else { return "\(folder): \(reason())" }
      var status = stat()
      guard lstat(path, &status) != 0, errno != ENOENT else { return nil }
      return reason()
    }
  }

  /// Writes the whole; a file is there whole or stays as it was, also after a loss of power.
  ///
  /// - Returns: why that could not be done; nil if it was.
  func write(_ bytes: [UInt8]) -> String? {
    switch kind {
    case .file: Self.reason { () throws(FileError) in try writeFile(bytes) }
    case .stream: writeStream(bytes)
    case .descriptor(let number): Self.reason { () throws(FileError) in try writeAll(bytes, to: number, path) }
    }
  }

  private static func reason(_ write: () throws(FileError) -> Void) -> String? {
    do throws(FileError) {
      try write()
      return nil
    } catch { return error.reason }
  }

  private func writeFile(_ bytes: [UInt8]) throws(FileError) {
    let permissions = mode.map { Permissions($0 & 0o777) } ?? .masked(0o666)
    try File.writeWhole(bytes, to: path, permissions, followingLinks: true)
  }

  private func writeStream(_ bytes: [UInt8]) -> String? {
    var file = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    var waited: Int32 = 0
    // A FIFO that nobody has opened to read yet.
    while file < 0, errno == ENXIO || errno == EINTR, waited < Self.patience {
      waited += poll(nil, 0, 50) == 0 ? 50 : 1
      file = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    }
    guard file >= 0 else { return errno == ENXIO ? "nobody reads from it" : reason() }
    defer { close(file) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if written >= 0 {
        rest = rest.dropFirst(written)
        continue
      }
      if errno == EINTR { continue }
      guard errno == EAGAIN else { return reason() }
      var room = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
      if poll(&room, 1, Self.patience) == 0 { return "its reader has stopped reading" }
    }
    return nil
  }

  private func reason() -> String { String(cString: strerror(errno)) }
}
