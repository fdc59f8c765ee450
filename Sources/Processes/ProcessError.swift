import Glibc

/// Why a process could not be started. What it did once started is never an error but a `ProcessResult`.
package struct ProcessError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure; the list may grow.
  package struct Code: Hashable, Sendable {
    private enum Kind {
      case notFound
      case notExecutable
      case lineEnds
      case invalidText
      case workingDirectory
      case cancelled
      case system
    }

    private let kind: Kind

    /// No file of the executable's name, neither at its path nor in a folder of `PATH`.
    package static let notFound = Code(kind: .notFound)
    /// There is such a file, but it may not be executed, or is nothing that can be.
    package static let notExecutable = Code(kind: .notExecutable)
    /// A script whose first line ends in a carriage return, so that no interpreter has the name that stands there.
    package static let lineEnds = Code(kind: .lineEnds)
    /// An argument, path or variable holds a NUL byte; or a variable's name is empty or holds `=`.
    package static let invalidText = Code(kind: .invalidText)
    /// The working directory is not there, or not a directory that may be entered.
    package static let workingDirectory = Code(kind: .workingDirectory)
    /// The task was cancelled before.
    package static let cancelled = Code(kind: .cancelled)
    /// A system call failed for another reason: too many processes, arguments too long, …
    package static let system = Code(kind: .system)
  }

  package let code: Code
  /// What failed, on what and why, in a sentence without its full stop. Holds no argument and no value of a variable.
  package let message: String

  package var description: String { message }

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// A failed system call, with the reason it left in errno.
  package init(systemCall: StaticString, errno reason: CInt = errno) {
    self.init(.system, "\(systemCall) failed: \(String(errorNumber: reason))")
  }
}

extension String {
  /// The C library's words for an errno value.
  package init(errorNumber: CInt) {
    self = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let start = buffer.baseAddress, strerror_r(errorNumber, start, buffer.count) == 0 else {
        return "error \(errorNumber)"
      }
      return String(cString: start)
    }
  }
}
