import Glibc

/// Reads what a command was given as a file, a pipe or `-` for standard input.
enum InputReader {
  /// The most that is read, in bytes.
  private static let most = 16 << 20

  /// Whether a path means standard input.
  static func isStandardInput(_ path: String) -> Bool {
    ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].contains(path)
  }

  /// What messages call it: the path, or `standard input`.
  static func name(_ path: String) -> String { isStandardInput(path) ? "standard input" : path }

  /// All bytes up to the end; throws a failure that names the path and the reason.
  static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
    let isInput = isStandardInput(path)
    let name = name(path)
    let descriptor = isInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    func failure() -> CommandFailure {
      CommandFailure(.invalid, "\(name) cannot be read: \(unsafe String(cString: strerror(errno)))")
    }
    guard descriptor >= 0 else { throw failure() }
    defer { if !isInput { close(descriptor) } }
    var bytes: [UInt8] = []
    while true {
      var count = 0
      let chunk = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, initialized in
        count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        initialized = max(0, count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure() }
      if count == 0 { return bytes }
      bytes += chunk
      guard bytes.count <= most else {
        throw CommandFailure(.invalid, "\(name) has more than \(most >> 20) MiB, which is the most that is read")
      }
    }
  }
}
