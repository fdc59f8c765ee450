import Files
package import Schema

/// When a set was read last and found equal to its newest backup, with nothing missing. It lies beside git, in the vault:
/// a backup that changed nothing is not committed.
package struct VaultCheck: Hashable, Sendable {
  /// The backup's name.
  package let backup: String
  package let checked: Timestamp

  package init(backup: String, checked: Timestamp) {
    self.backup = backup
    self.checked = checked
  }
}

extension VaultRepository {
  private borrowing func checkPath(_ set: String) -> String { "\(path)/runbook/\(set).json" }

  /// Nil if the set was never read with nothing missing.
  package borrowing func lastCheck(of set: String) throws(VaultError) -> VaultCheck? {
    let file = checkPath(set)
    let content: FileContent
    do throws(FileError) {
      guard try FileMetadata.of(file) != nil else { return nil }
      content = try File.read(file, limit: 1 << 16)
    } catch { throw VaultError(error) }
    guard let json = try? JSON(parsing: content.bytes), let backup = json["backup"]?.string,
      let checked = json["checked"]?.string.flatMap({ Timestamp($0) })
    else { throw VaultError(.damaged, "\(file) cannot be read", advice: "remove it: the next backup writes it anew") }
    return VaultCheck(backup: backup, checked: checked)
  }

  /// On the disk when it returns.
  borrowing func record(_ check: VaultCheck, of set: String) throws(VaultError) {
    let json: JSON = [
      "version": 1, "set": .string(set), "backup": .string(check.backup), "checked": .string(check.checked.description),
    ]
    do throws(FileError) {
      try Folder.makeAll("\(path)/runbook", Permissions(0o700))
      try File.writeWhole(Array((json.text() + "\n").utf8), to: checkPath(set), Permissions(0o600))
    } catch { throw VaultError(error) }
  }
}
