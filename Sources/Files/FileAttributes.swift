import Glibc

/// What a file or folder is given besides its content.
package struct FileAttributes: Hashable, Sendable {
  /// Nil if it stays as it is: only root may give files away.
  package var user: UInt32?
  package var group: UInt32?
  /// The twelve permission bits.
  package var mode: UInt32
  /// When it was last changed: seconds since 1970, and nanoseconds.
  package var modifiedSeconds: Int
  package var modifiedNanoseconds: Int

  package init(
    user: UInt32? = nil, group: UInt32? = nil, mode: UInt32, modifiedSeconds: Int, modifiedNanoseconds: Int
  ) {
    self.user = user
    self.group = group
    self.mode = mode
    self.modifiedSeconds = modifiedSeconds
    self.modifiedNanoseconds = modifiedNanoseconds
  }
}

extension File {
  /// Gives it these attributes, whatever the umask.
  package func set(_ attributes: FileAttributes) throws(FileError) {
    // The mode comes last but one: a change of owner takes bits of it away.
    if attributes.user != nil || attributes.group != nil {
      guard fchown(descriptor, attributes.user ?? .max, attributes.group ?? .max) == 0 else {
        throw .last(.setOwner, path)
      }
    }
    guard fchmod(descriptor, attributes.mode) == 0 else { throw .last(.setMode, path) }
    let modified = timespec(tv_sec: attributes.modifiedSeconds, tv_nsec: attributes.modifiedNanoseconds)
    // The first is the time of the last reading.
    guard futimens(descriptor, [modified, modified]) == 0 else { throw .last(.setTime, path) }
  }

  /// Writes bytes that lie in memory.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = retrying { Glibc.write(descriptor, part.baseAddress, part.count) }
      guard count >= 0 else { throw .last(.write, path) }
      guard count > 0 else { throw FileError(.write, path, .system(ENOSPC)) }
      rest = rest.dropFirst(count)
    }
  }
}

extension Folder {
  /// Gives it these attributes, whatever the umask.
  package func set(_ attributes: FileAttributes) throws(FileError) { try file.set(attributes) }

  /// What the system knows of it itself.
  package func metadata() throws(FileError) -> FileMetadata { try file.metadata() }

  /// Bytes that this process's user can still write to its file system.
  package func freeBytes() throws(FileError) -> UInt64 {
    var status = statvfs()
    guard fstatvfs(file.descriptor, &status) == 0 else { throw .last(.examine, path) }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }
}
