import Files

/// Why a lab, or one server of it, is not to be had.
package struct LabError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure; the list may grow.
  package struct Code: Hashable, Sendable {
    private enum Kind {
      case serverMissing
      case serverEnded
      case serverSilent
      case serverDied
      case foreignFolder
      case stillRunning
      case system
    }

    private let kind: Kind

    /// There is no `turnserver` on this machine.
    package static let serverMissing = Code(kind: .serverMissing)
    /// A server ended while it was starting; the message has the last lines of its log.
    package static let serverEnded = Code(kind: .serverEnded)
    /// A server runs but did not answer in time; the message has the last lines of its log.
    package static let serverSilent = Code(kind: .serverSilent)
    /// A server of a lab that somebody wants is gone; the message names it.
    package static let serverDied = Code(kind: .serverDied)
    /// The lab's folder holds something, but nothing of a lab: it is left as it is.
    package static let foreignFolder = Code(kind: .foreignFolder)
    /// A server could not be ended.
    package static let stillRunning = Code(kind: .stillRunning)
    /// The system refused something: a file, a socket, a process, a key.
    package static let system = Code(kind: .system)
  }

  package let code: Code
  /// What failed, on what, why, and where it helps what to do. Holds no secret.
  package let message: String

  package var description: String { message }

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}

/// Writes a file that only this user may read, whole or not at all; another in its place is replaced, a link there not followed.
/// It stays ours whoever owns the folder: the servers' programs trust what it says.
func writePrivately(_ text: String, to path: String) throws(LabError) {
  try onDisk { () throws(FileError) in
    try File.writeWhole(
      Array(text.utf8), to: path, Permissions(0o600, owner: .ofProcess), followingLinks: true)
  }
}

/// Works on files; what goes wrong there is thrown as an error of the lab.
func onDisk<Result: ~Copyable>(_ work: () throws(FileError) -> Result) throws(LabError) -> Result {
  do throws(FileError) { return try work() } catch { throw LabError(.system, error.message) }
}
