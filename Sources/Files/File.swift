import Glibc

/// An open file with one owner, closed when the owner lets go of it. Always close-on-exec.
///
/// Every call throws a ``FileError`` that names the operation, the path and the system's reason. Calls that a signal interrupts
/// are made again.
package struct File: ~Copyable {
  /// For system calls that are not offered here; not to be closed.
  package let descriptor: CInt
  /// As errors name it.
  package var path: String

  init(adopting descriptor: CInt, _ path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// Opens what is there.
  ///
  /// - Parameters:
  ///   - flags: of open(2).
  ///   - followingLinks: if false, a symbolic link in the last part of the path is an error (`ELOOP`).
  package init(opening path: String, _ flags: CInt, followingLinks: Bool = false) throws(FileError) {
    self = try Self.open(path, in: AT_FDCWD, as: path, flags, followingLinks: followingLinks)
  }

  /// Opens a regular file to read. Anything else is refused, and no pipe or terminal can keep us waiting.
  package init(reading path: String, followingLinks: Bool = false) throws(FileError) {
    self = try Self.openRegular(path, in: AT_FDCWD, as: path, followingLinks: followingLinks)
  }

  /// Makes a file that is not there yet.
  ///
  /// - Parameter flags: of open(2), such as `O_WRONLY | O_APPEND`.
  package init(creating path: String, _ flags: CInt, _ permissions: Permissions) throws(FileError) {
    let parent = parentFolder(of: path)
    guard let folder = try FileMetadata.of(parent, followingLinks: true) else {
      throw FileError(.create, path, .system(ENOENT))
    }
    self = try Self.create(path, in: AT_FDCWD, folder, as: path, flags, permissions)
  }

  /// Opens a file, or makes it if it is not there.
  package static func openOrCreate(
    _ path: String, _ flags: CInt, _ permissions: Permissions
  ) throws(FileError) -> File {
    while true {
      do throws(FileError) { return try File(opening: path, flags) } catch {
        guard error.number == ENOENT else { throw error }
      }
      do throws(FileError) { return try File(creating: path, flags, permissions) } catch {
        // If it is there now, somebody else was faster.
        guard error.number == EEXIST else { throw error }
      }
    }
  }

  static func open(
    _ name: String, in folder: CInt, as path: String, _ flags: CInt, followingLinks: Bool
  ) throws(FileError) -> File {
    let opened = retrying { openat(folder, name, flags | O_CLOEXEC | (followingLinks ? 0 : O_NOFOLLOW)) }
    guard opened >= 0 else { throw .last(.open, path) }
    return File(adopting: opened, path)
  }

  static func openRegular(
    _ name: String, in folder: CInt, as path: String, followingLinks: Bool
  ) throws(FileError) -> File {
    let file = try open(
      name, in: folder, as: path, O_RDONLY | O_NONBLOCK | O_NOCTTY, followingLinks: followingLinks)
    guard try file.metadata().kind == .regular else { throw FileError(.read, path, .notRegular) }
    return file
  }

  /// - Parameter surroundings: of the folder.
  static func create(
    _ name: String, in folder: CInt, _ surroundings: FileMetadata, as path: String, _ flags: CInt,
    _ permissions: Permissions
  ) throws(FileError) -> File {
    let made = retrying {
      openat(folder, name, flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, permissions.mode)
    }
    guard made >= 0 else { throw .last(.create, path) }
    let file = File(adopting: made, path)
    do throws(FileError) { try permissions.apply(to: file, in: surroundings) } catch {
      unlinkat(folder, name, 0)
      throw error
    }
    return file
  }

  /// What the system knows of it.
  package func metadata() throws(FileError) -> FileMetadata {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .last(.examine, path) }
    return FileMetadata(status)
  }
}
