package import Files
import Glibc

/// Why a backup could not be put in its place. What was there is as it was.
package struct RestoreError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// The place is not one where something may be put.
    case target
    /// The file system has no room left.
    case full
    /// The system refuses something else.
    case system
  }

  package let kind: Kind
  /// One sentence without a full stop.
  package let message: String
  package let advice: String?

  package init(_ kind: Kind, _ message: String, advice: String?) {
    self.kind = kind
    self.message = message
    self.advice = advice
  }

  package init(_ error: FileError) {
    let isFull = [ENOSPC, EDQUOT].contains(error.number)
    let advice: String? =
      switch error.number {
      case ENOSPC, EDQUOT: "Make room there, or restore to another file system."
      case EBUSY, EXDEV: "It may be a mount point, which cannot be replaced as a whole: restore to a folder in it."
      case EACCES, EPERM: "Restore as root, or to a folder of this user."
      case ENOENT: "Make the folder that it is to lie in first."
      default: nil
      }
    self.init(isFull ? .full : .system, error.message, advice: advice)
  }
}
