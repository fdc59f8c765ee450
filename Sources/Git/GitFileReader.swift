import CLibgit2

/// The content of one file of a repository, piece by piece.
package struct GitFileReader: ~Copyable {
  private let handle: GitObjectHandle
  private let name: String
  /// In bytes.
  package let size: Int
  private var position = 0

  init(_ file: GitFile, in repository: OpaquePointer) throws(GitError) {
    name = file.name
    handle = try GitObjectHandle(file, in: repository)
    size = handle.size
  }

  /// Fills the buffer as far as there is anything; 0 at the end.
  ///
  /// Throws if the content ends before its ``size``.
  package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(GitError) -> Int {
    let wanted = min(buffer.count, size - position)
    guard wanted > 0, let base = buffer.baseAddress else { return 0 }
    let count = try handle.read(base, wanted, from: position, name)
    guard count > 0 else {
      throw GitError(.other, "read \(name)", code: -1, message: "it ends after \(position) of \(size) bytes")
    }
    position += count
    return count
  }
}

/// Owns what libgit2 has of one object, as a whole: its digest is checked as it is read. libgit2's stream of a loose object checks
/// nothing, and never returns from one whose compressed bytes were altered.
///
/// Not private: Swift 6.3.1 at -O destroys it from other modules, and the symbol of a private type is not there to link.
package struct GitObjectHandle: ~Copyable {
  private let database: OpaquePointer?
  private let whole: OpaquePointer?
  fileprivate let size: Int

  fileprivate init(_ file: GitFile, in repository: OpaquePointer) throws(GitError) {
    var database: OpaquePointer?
    try GitError.check(git_repository_odb(&database, repository), "read \(file.name)")
    var id = file.id.oid
    var whole: OpaquePointer?
    let code = git_odb_read(&whole, database, &id)
    guard code >= 0 else {
      git_odb_free(database)
      let error = GitError("read \(file.name)", code: code)
      // What is not there, cannot be unpacked, or is not what its name says, was altered.
      throw [.other, .notFound].contains(error.reason)
        ? GitError(.damaged, error.action, code: code, message: error.message) : error
    }
    (self.database, self.whole, size) = (database, whole, git_odb_object_size(whole))
  }

  deinit {
    git_odb_object_free(whole)
    git_odb_free(database)
  }

  fileprivate borrowing func read(
    _ buffer: UnsafeMutableRawPointer, _ count: Int, from position: Int, _ name: String
  ) throws(GitError) -> Int {
    guard let content = git_odb_object_data(whole) else { return 0 }
    buffer.copyMemory(from: content + position, byteCount: count)
    return count
  }
}
