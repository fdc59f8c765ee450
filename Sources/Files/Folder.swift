import CLinux
import Glibc

/// An open folder with one owner. What is in it is reached from it and not by its path, so that nobody can lead us elsewhere by a
/// link or by renaming a folder above.
///
/// Names are single parts of a path; `notOneName` is thrown for any other. Links are never followed.
package struct Folder: ~Copyable {
  let file: File

  package var path: String { file.path }

  /// Opens the folder at a path.
  ///
  /// - Parameter followingLinks: if false, a symbolic link in the last part of the path is an error.
  package init(_ path: String, followingLinks: Bool = false) throws(FileError) {
    file = try File(opening: path, O_RDONLY | O_DIRECTORY, followingLinks: followingLinks)
  }

  init(_ file: consuming File) { self.file = file }

  /// Another handle of the same folder.
  package func reopened() throws(FileError) -> Folder {
    Folder(try File.open(".", in: file.descriptor, as: path, O_RDONLY | O_DIRECTORY, followingLinks: false))
  }

  // MARK: What is in it

  /// The names of what is in it, in no order; what is no text in them is replaced.
  package func names() throws(FileError) -> [String] {
    try namesInBytes().map { String(decoding: $0, as: UTF8.self) }
  }

  /// What the system knows of what is called so; nil if nothing is.
  package func metadata(of name: String) throws(FileError) -> FileMetadata? {
    let path = try self.path(of: name, .examine)
    return try FileMetadata.look(name, in: file.descriptor, as: path, followingLinks: false)
  }

  /// Opens a folder in it.
  package func folder(_ name: String) throws(FileError) -> Folder {
    let path = try self.path(of: name, .open)
    return Folder(
      try File.open(name, in: file.descriptor, as: path, O_RDONLY | O_DIRECTORY, followingLinks: false))
  }

  /// Opens a file in it.
  ///
  /// - Parameter flags: of open(2).
  package func open(_ name: String, _ flags: CInt) throws(FileError) -> File {
    let path = try self.path(of: name, .open)
    return try File.open(name, in: file.descriptor, as: path, flags, followingLinks: false)
  }

  /// Opens a regular file in it to read; anything else is refused.
  package func openToRead(_ name: String) throws(FileError) -> File {
    let path = try self.path(of: name, .open)
    return try File.openRegular(name, in: file.descriptor, as: path, followingLinks: false)
  }

  // MARK: Making and removing

  /// Makes a folder in it, which must not be there yet.
  package func makeFolder(_ name: String, _ permissions: Permissions) throws(FileError) -> Folder {
    let path = try self.path(of: name, .makeFolder)
    guard mkdirat(file.descriptor, name, permissions.mode) == 0 else { throw .last(.makeFolder, path) }
    do throws(FileError) {
      let made = try folder(name)
      try permissions.apply(to: made.file, in: file.metadata())
      return made
    } catch {
      unlinkat(file.descriptor, name, AT_REMOVEDIR)
      throw error
    }
  }

  /// Makes a file in it, which must not be there yet.
  ///
  /// - Parameter flags: of open(2), such as `O_WRONLY`.
  package func create(_ name: String, _ flags: CInt, _ permissions: Permissions) throws(FileError) -> File {
    let path = try self.path(of: name, .create)
    return try File.create(name, in: file.descriptor, file.metadata(), as: path, flags, permissions)
  }

  /// What a rename does with what has the new name already.
  package enum Replacing: Hashable, Sendable {
    /// It is gone at the same moment. A folder must be empty.
    case anything
    /// The rename fails with `EEXIST`.
    case nothing
    /// Both change their places at the same moment. It must be there.
    case exchanging
  }

  /// Renames what is in it.
  ///
  /// - Parameter destination: of the same file system.
  package func rename(
    _ name: String, to newName: String, in destination: borrowing Folder, replacing: Replacing = .anything
  ) throws(FileError) {
    let path = try self.path(of: name, .rename)
    let newPath = try destination.path(of: newName, .rename)
    let (from, to) = (file.descriptor, destination.file.descriptor)
    switch replacing {
    case .anything: if renameat(from, name, to, newName) == 0 { return }
    case .exchanging: if runbook_exchange(from, name, to, newName) == 0 { return }
    case .nothing:
      if runbook_rename_to_free(from, name, to, newName) == 0 { return }
      // File systems that do not know the flag; of folders there is no other way.
      if errno == EINVAL, linkat(from, name, to, newName, 0) == 0 {
        guard unlinkat(from, name, 0) == 0 else { throw .last(.remove, path) }
        return
      }
    }
    throw .last(.rename, path, to: newPath)
  }

  /// The same within the folder.
  package func rename(
    _ name: String, to newName: String, replacing: Replacing = .anything
  ) throws(FileError) {
    try rename(name, to: newName, in: self, replacing: replacing)
  }

  /// Brings what was made, renamed or removed in it to the disk.
  package func sync() throws(FileError) { try file.sync() }

  /// Waits until all that was written to its file system, by anybody, is on the disk: for a tree of many files it takes one call
  /// and not one for each.
  package func syncFileSystem() throws(FileError) {
    guard retrying({ runbook_sync_file_system(file.descriptor) }) == 0 else { throw .last(.sync, path) }
  }

  /// The path of what is called so, for errors.
  func path(of name: String, _ operation: FileError.Operation) throws(FileError) -> String {
    let path = self.path == "/" ? "/\(name)" : "\(self.path)/\(name)"
    guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(0x2F), !name.utf8.contains(0) else {
      throw FileError(operation, path, .notOneName)
    }
    return path
  }
}
