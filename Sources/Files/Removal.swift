import Glibc

extension Folder {
  /// Removes a file of it, or a folder with all that is in it; never follows links.
  ///
  /// What can be removed is gone, whatever is thrown; the first failure is. A name that is not there is one.
  package func remove(_ name: String) throws(FileError) { try remove(Array(name.utf8)) }

  /// Removes all that is in it.
  package func removeAll() throws(FileError) {
    var failure: FileError?
    for name in try namesInBytes() {
      do throws(FileError) { try remove(name) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  /// The same of what is at a path.
  package static func remove(_ path: String) throws(FileError) {
    try Folder(parentFolder(of: path), followingLinks: true).remove(lastName(of: path))
  }
}
