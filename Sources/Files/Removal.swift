import Glibc

extension Folder {
  /// Removes a file of it, or a folder with all that is in it; never follows links.
  ///
  /// What can be removed is gone, whatever is thrown; the first failure is. A name that is not there is one.
  package func remove(_ name: String) throws(FileError) {
    let path = try self.path(of: name, .remove)
    guard let found = try metadata(of: name) else { throw FileError(.remove, path, .system(ENOENT)) }
    var failure: FileError?
    if found.kind == .folder {
      do throws(FileError) { try folder(name).removeAll() } catch { failure = error }
    }
    guard unlinkat(file.descriptor, name, found.kind == .folder ? AT_REMOVEDIR : 0) == 0 else {
      throw failure ?? .last(.remove, path)
    }
  }

  /// Removes all that is in it.
  package func removeAll() throws(FileError) {
    var failure: FileError?
    for name in try names() {
      do throws(FileError) { try remove(name) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  /// The same of what is at a path.
  package static func remove(_ path: String) throws(FileError) {
    try Folder(parentFolder(of: path), followingLinks: true).remove(lastName(of: path))
  }
}
