import Glibc

/// Why an operation on a file or folder failed: what was to be done, on what, and the reason.
package struct FileError: Error, Hashable, Sendable {
  /// What was to be done; the raw value stands between "cannot" and the path.
  package enum Operation: String, Hashable, Sendable {
    case open
    case create
    case makeFolder = "make the folder"
    case examine = "look at"
    case read
    case readFolder = "read the folder"
    case write = "write to"
    case truncate = "cut off"
    case sync = "bring to the disk"
    case setMode = "set the mode of"
    case setOwner = "set the owner of"
    case setTime = "set the time of"
    case rename
    case remove
    case lock
    case examineLock = "look at the lock of"
    case close
    case resolve
  }

  package enum Cause: Hashable, Sendable {
    /// An error number of the system (errno(3)).
    case system(CInt)
    /// A folder, pipe, socket or device stands in the place of a regular file.
    case notRegular
    /// The file has more bytes than are read at most. The size is nil if it was not known before it was read.
    case tooLarge(size: Int?, limit: Int)
    /// A name that is no single part of a path: empty, `.`, `..`, or with `/` or NUL in it.
    case notOneName
  }

  package let operation: Operation
  package let path: String
  /// Of a rename: what `path` was to be called.
  package let newPath: String?
  package let cause: Cause

  package init(_ operation: Operation, _ path: String, to newPath: String? = nil, _ cause: Cause) {
    self.operation = operation
    self.path = path
    self.newPath = newPath
    self.cause = cause
  }

  /// The failure of the last system call, by `errno`.
  static func last(_ operation: Operation, _ path: String, to newPath: String? = nil) -> FileError {
    FileError(operation, path, to: newPath, .system(errno))
  }

  /// The system's error number; nil if it was not the system that refused.
  package var number: CInt? {
    if case .system(let number) = cause { number } else { nil }
  }

  /// True if there is nothing at the path, or a part of it is no folder.
  package var isMissing: Bool { number == ENOENT || number == ENOTDIR }

  /// Why it failed, in the system's words: `Permission denied`.
  package var reason: String {
    switch cause {
    case .system(let number): String(cString: strerror(number))
    case .notRegular: "it is no regular file"
    case .tooLarge(let size?, let limit): "it has \(size) bytes; at most \(limit) are read"
    case .tooLarge(nil, let limit): "it has more than \(limit) bytes, which is the most that is read"
    case .notOneName: "this is no name of a file in a folder"
    }
  }

  /// What failed, on what and why, in one sentence without a full stop.
  package var message: String {
    let target = newPath.map { "\(path) to \($0)" } ?? path
    return "cannot \(operation.rawValue) \(target): \(reason)"
  }
}

/// Makes a system call again for as long as a signal interrupts it.
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result == -1, errno == EINTR { continue }
    return result
  }
}
