import Files

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
