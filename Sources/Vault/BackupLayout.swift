/// The names of things in a vault and in an archive, as docs/vault.md has them.
package enum BackupLayout {
  /// What stands in an archive before the path of each file.
  package static let files = Array("files/".utf8)
  /// What stands in an archive before the name of each command.
  package static let commands = Array("commands/".utf8)
  /// The manifest in the archive, its last member.
  package static let manifest = Array("manifest.json".utf8)

  /// The branch of a set.
  package static func branch(of set: String) -> String { branchPrefix + set }
  package static let branchPrefix = "backup/"

  /// The tag of a backup.
  package static func tag(of backup: String, in set: String, isComplete: Bool) -> String {
    "backup/\(set)/\(backup)" + (isComplete ? "" : incompleteSuffix)
  }
  package static let incompleteSuffix = "-incomplete"

  static let archiveSuffix = ".tar.zst.age"
  static let manifestSuffix = ".manifest.json"
  /// The configuration of the newest backup without its secrets.
  package static let redacted = "configuration.redacted"

  /// The file of a backup's encrypted archive on the set's branch.
  package static func archive(of backup: String) -> String { backup + archiveSuffix }
  /// The file of a backup's manifest there.
  package static func manifest(of backup: String) -> String { backup + manifestSuffix }
}
