import Glibc

/// What the system knows of a file or folder, its content apart (stat(2)).
package struct FileMetadata: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case regular
    case folder
    case link
    /// A pipe, socket or device.
    case other
  }

  package let kind: Kind
  /// The permission bits, set-user-ID, set-group-ID and sticky bit included.
  package let mode: UInt32
  package let owner: UInt32
  package let group: UInt32
  /// How many names it has.
  package let links: Int
  /// In bytes.
  package let size: Int
  /// Bytes that it takes on the disk.
  package let diskUsage: Int64
  /// Seconds since 1970 at which its content was last changed.
  package let modified: Int64
  /// Seconds since 1970 at which its content or its attributes were last changed; nobody can set it back.
  package let changed: Int64
  /// Differs whenever the content or the attributes of the file at a path have changed, or another file has taken its place.
  package let version: String

  init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .folder
      case S_IFLNK: .link
      default: .other
      }
    mode = status.st_mode & 0o7777
    owner = status.st_uid
    group = status.st_gid
    links = Int(status.st_nlink)
    size = Int(status.st_size)
    diskUsage = Int64(status.st_blocks) * 512
    modified = Int64(status.st_mtim.tv_sec)
    changed = Int64(status.st_ctim.tv_sec)
    version =
      "\(status.st_dev) \(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) "
      + "\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
  }

  /// What is at a path; nil if nothing is.
  package static func of(_ path: String, followingLinks: Bool = false) throws(FileError) -> FileMetadata? {
    try look(path, in: AT_FDCWD, as: path, followingLinks: followingLinks)
  }

  static func look(
    _ name: String, in folder: CInt, as path: String, followingLinks: Bool
  ) throws(FileError) -> FileMetadata? {
    var status = stat()
    guard fstatat(folder, name, &status, followingLinks ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .last(.examine, path)
    }
    return FileMetadata(status)
  }
}
