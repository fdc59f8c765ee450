package import Files
import Glibc

/// Why a backup could not be put in its place. What was there is as it was, unless ``isInPlace``.
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
  /// True if the backup has its place, and only that it is on the disk is not known.
  package let isInPlace: Bool

  package init(_ kind: Kind, _ message: String, advice: String?) {
    self.kind = kind
    self.message = message
    self.advice = advice
    isInPlace = false
  }

  /// - Parameter kept: where the tree is that had the place before.
  init(inPlace error: FileError, kept: String?) {
    kind = .system
    message =
      "the backup is in its place\(kept.map { ", and the old tree is \($0)" } ?? ""), but whether the disk knows of it is not known: \(error.message)"
    advice = "Look at the disk, run sync(1), and compare before you rely on it."
    isInPlace = true
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
