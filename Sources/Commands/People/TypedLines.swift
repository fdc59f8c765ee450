import Glibc

/// Lines that somebody types at the process's standard input, one asked for after the other.
struct TypedLines: Sendable {
  enum Line: Hashable, Sendable {
    case typed(String)
    /// Nobody types any more: end of input, or the terminal hung up.
    case ended
    /// The task was cancelled.
    case cancelled
  }

  private static let pause = Duration.milliseconds(100)
  /// The most bytes of a line; a terminal gives at most 4,096.
  private static let limit = 65_536

  /// Whether a person can be asked: both ends are a terminal.
  static var isPossible: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

  /// Forgets what was typed before anything was asked: it is no answer.
  static func forgetTyped() { tcflush(STDIN_FILENO, TCIFLUSH) }

  /// The next line, without its line break. Reading would stop a process in the background: one there waits until it is brought to
  /// the front.
  static func next() async -> Line {
    var bytes: [UInt8] = []
    while !Task.isCancelled {
      if isInForeground, let piece = available() {
        guard !piece.isEmpty else { return .ended }
        bytes += piece
        if bytes.last == 0x0A { return .typed(String(decoding: bytes.dropLast(), as: UTF8.self)) }
        if bytes.count > limit { return .typed("") }
        continue
      }
      do { try await Task.sleep(for: pause) } catch { return .cancelled }
    }
    return .cancelled
  }

  private static var isInForeground: Bool {
    let group = tcgetpgrp(STDIN_FILENO)
    // A terminal that is not the session's own has no foreground.
    return group == -1 || group == getpgrp()
  }

  /// What can be read without waiting; nil for nothing yet, empty at the end.
  private static func available() -> [UInt8]? {
    var look = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard poll(&look, 1, 0) > 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(STDIN_FILENO, &buffer, buffer.count)
    guard count >= 0 else { return errno == EINTR || errno == EAGAIN ? nil : [] }
    return Array(buffer.prefix(count))
  }
}
