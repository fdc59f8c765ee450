import Files
import Processes
import Vault

/// What was freed of a vault's history. It is done by being made.
struct FreedHistory: Sendable {
  /// The names of the backups to which nothing leads any more.
  let backups: [String]
  /// What the vault takes less on the disk.
  let bytes: Int

  /// Lets the set's branch lead to the kept backups alone, and has git remove the objects that nothing leads to any more, with the vault
  /// locked for all of it.
  init(
    of set: String, in path: String, checkpoint: () throws(VaultError) -> Void
  ) async throws(VaultError) {
    let lock = try VaultLock(path, checkpoint: checkpoint)
    let before = Folder.diskUsage(of: path)
    backups = try VaultRepository.forgetHistory(of: set, in: path, holding: lock)
    do throws(FileError) { try Self.removeCommitGraph(in: path) } catch { throw VaultError(.other, error.message) }
    try await Self.git(["reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"], in: path)
    // Only what git has packed needs it: then what nothing leads to stays behind.
    if !((try? Folder.names(in: "\(path)/objects/pack")) ?? []).isEmpty {
      try await Self.git(["repack", "-a", "-d", "--quiet"], in: path)
    }
    try await Self.git(["prune", "--expire=now"], in: path)
    bytes = max(0, Int(before - Folder.diskUsage(of: path)))
    withExtendedLifetime(lock) {}
  }

  /// `git gc` writes it, to find commits sooner. It would name those that are about to go; git does well without.
  private static func removeCommitGraph(in path: String) throws(FileError) {
    guard try FileMetadata.of("\(path)/objects/info") != nil else { return }
    let folder = try Folder("\(path)/objects/info")
    for name in ["commit-graph", "commit-graphs"] where try folder.metadata(of: name) != nil {
      try folder.remove(name)
    }
  }

  private static func git(_ arguments: [String], in path: String) async throws(VaultError) {
    var command = Command("git", arguments)
    command.directory = "/"
    command.environment = [
      "GIT_DIR": path, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C.UTF-8",
    ]
    let again = "nothing of the kept backups is lost; run it again"
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run() } catch {
      throw VaultError(.other, "git, which removes the objects, does not start: \(error.message)", advice: again)
    }
    guard result.isSuccess else {
      let line = result.standardError.text.split(separator: "\n").first.map(String.init) ?? "no reason given"
      throw VaultError(.other, "git \(arguments[0]) failed: \(line)", advice: again)
    }
  }
}
