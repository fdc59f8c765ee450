/// What a command did, from its start until nothing of it was left.
package struct ProcessResult: Sendable {
  /// How the process itself ended.
  package enum Ending: Hashable, Sendable {
    /// By itself, with this exit status, 0 to 255.
    case exited(Int32)
    /// By this signal.
    case signalled(Int32)
    /// Not even by KILL: it hangs inside the kernel, or became another user's.
    case unkillable
  }

  /// Why we ended it.
  package enum Interruption: Hashable, Sendable {
    case timeout
    case cancellation
  }

  package let ending: Ending
  /// Nil if it came to its own end.
  package let interruption: Interruption?
  package let standardOutput: CapturedOutput
  package let standardError: CapturedOutput
  /// From before the start until nothing was left; includes times at which the machine slept.
  package let duration: Duration
  /// What it left behind: see `LeakedProcess`.
  package let leaked: [LeakedProcess]

  /// Whether it came to its own end with exit status 0.
  package var isSuccess: Bool { ending == .exited(0) && interruption == nil }
}

/// The start of what a command wrote to one of its outputs.
package struct CapturedOutput: Hashable, Sendable {
  package private(set) var bytes: [UInt8] = []
  /// How much it wrote in all, as far as we read.
  package private(set) var total = 0
  private let limit: Int

  /// Whether the end is missing.
  package var isTruncated: Bool { total > bytes.count }
  /// As text; bytes that are no UTF-8 become U+FFFD.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  init(limit: Int) {
    self.limit = limit
  }

  /// Counts `chunk` and keeps what the limit has room for, which it returns.
  mutating func append(_ chunk: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let kept = UnsafeRawBufferPointer(rebasing: chunk.prefix(max(0, limit - bytes.count)))
    bytes += kept
    total += chunk.count
    return kept
  }
}

/// A process that a command left behind: it was still there a second after the command had ended, either in the
/// command's session, and was ended too; or outside it with the command's output held open, and was left alone unless the
/// command itself had to be ended. (What leaves the session and closes the outputs is a daemon, and none of our business.)
package struct LeakedProcess: Hashable, Sendable {
  package let pid: Int32
  /// The kernel's short name of the program, at most 15 bytes.
  package let name: String
}
