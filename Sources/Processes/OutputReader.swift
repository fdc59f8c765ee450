import Glibc

/// The reading end of a command's output: keeps its start, passes pieces on, counts and drops the rest, so that the
/// writer never waits for us.
final class OutputReader {
  private static let pieceSize = 65_536

  private let pipe: Descriptor
  private let observer: ([UInt8]) -> Void
  private let passesAll: Bool
  /// The number the kernel knows the pipe by, in `/proc/PID/fd` too.
  let inode: UInt64
  private(set) var captured: CapturedOutput
  /// Whether nobody has the writing end open any more and all is read.
  private(set) var ended = false

  var descriptor: Int32 { pipe.number }

  /// The observer gets every piece that is kept, or every piece there is.
  init(_ pipe: consuming Descriptor, limit: Int, passesAll: Bool = false, observer: @escaping ([UInt8]) -> Void) {
    var status = stat()
    fstat(pipe.number, &status)
    inode = UInt64(status.st_ino)
    captured = CapturedOutput(limit: limit)
    self.pipe = pipe
    self.observer = observer
    self.passesAll = passesAll
  }

  /// Reads what is there, at most one piece of it; false if there is nothing for now, or nothing any more.
  @discardableResult
  func readOnce() -> Bool {
    withUnsafeTemporaryAllocation(byteCount: Self.pieceSize, alignment: 1) { buffer in
      let count = read(pipe.number, buffer.baseAddress, buffer.count)
      guard count > 0 else {
        if count == 0 || (errno != EAGAIN && errno != EINTR) { ended = true }
        return false
      }
      let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      let kept = captured.append(piece)
      let passed = passesAll ? piece : kept
      if !passed.isEmpty { observer(Array(passed)) }
      return true
    }
  }

  /// Reads what had been written by now. A pipe holds a megabyte at most; who goes on writing is not waited for.
  func drain() {
    var pieces = 16
    while pieces > 0, !ended, readOnce() { pieces -= 1 }
  }
}
