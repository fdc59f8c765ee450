import Files
package import Schema

/// What was pushed last to a remote. It lies beside git, in the vault: a remote that has less than that was rewound.
package struct PushRecord: Hashable, Sendable {
  /// As `vault` of `runbook.yaml` has it.
  package let remote: String
  /// The newest commit of the set's branch, in hex.
  package let commit: String
  package let pushed: Timestamp

  package init(remote: String, commit: String, pushed: Timestamp) {
    (self.remote, self.commit, self.pushed) = (remote, commit, pushed)
  }
}

extension VaultRepository {
  /// The file that says what was pushed last of a set.
  ///
  /// - Parameter path: of the vault.
  package static func pushRecordPath(of set: String, in path: String) -> String {
    "\(path)/runbook/_\(set).remote.json"
  }

  /// Nil if nothing of the set was pushed to this remote.
  package borrowing func lastPush(of set: String, to remote: String) throws(VaultError) -> PushRecord? {
    let file = Self.pushRecordPath(of: set, in: path)
    let content: FileContent
    do throws(FileError) {
      guard try FileMetadata.of(file) != nil else { return nil }
      content = try File.read(file, limit: 1 << 16)
    } catch { throw VaultError(error) }
    guard let json = try? JSON(parsing: content.bytes), let address = json["remote"]?.string,
      let commit = json["commit"]?.string, let pushed = json["pushed"]?.string.flatMap({ Timestamp($0) })
    else {
      throw VaultError(
        .damaged, "\(file) cannot be read",
        advice: "look whether the remote has all backups, then remove the file: the next push writes it anew")
    }
    return address == remote ? PushRecord(remote: address, commit: commit, pushed: pushed) : nil
  }

  /// On the disk when it returns.
  package borrowing func record(_ push: PushRecord, of set: String) throws(VaultError) {
    let json: JSON = [
      "version": 1, "set": .string(set), "remote": .string(push.remote), "commit": .string(push.commit),
      "pushed": .string(push.pushed.description),
    ]
    do throws(FileError) {
      try Folder.makeAll("\(path)/runbook", Permissions(0o700))
      try File.writeWhole(
        Array((json.text() + "\n").utf8), to: Self.pushRecordPath(of: set, in: path), Permissions(0o600))
    } catch { throw VaultError(error) }
  }
}
