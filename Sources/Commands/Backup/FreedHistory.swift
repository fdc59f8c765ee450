import Files
import Processes
import Runs
import Vault

/// What was freed of a vault's history. It is done by being made.
struct FreedHistory: Sendable {
  /// The names of the pruned backups that were taken out of the history.
  let backups: [String]
  /// Those of them that git holds all the same.
  let held: [ForgottenBackup]
  /// What the vault takes less on the disk.
  let bytes: Int

  /// Lets the set's branch lead to the kept backups alone, and has git remove the objects that nothing leads to any more, with the vault
  /// locked for all of it.
  ///
  /// - Parameter signals: after the first, no further git is started.
  init(
    of set: String, in path: String, signals: EndingSignals, checkpoint: () throws(VaultError) -> Void
  ) async throws(VaultError) {
    let lock = try VaultLock(path, checkpoint: checkpoint)
    let before = Folder.diskUsage(of: path)
    let forgotten = try VaultRepository.forgetHistory(of: set, in: path, holding: lock)
    do throws(FileError) { try Self.removeCommitGraph(in: path) } catch { throw VaultError(.other, error.message) }
    try await Self.git(["reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"], in: path, signals)
    let packs: [String]
    do throws(FileError) { packs = try Folder.names(in: "\(path)/objects/pack") } catch {
      throw VaultError(.other, error.message)
    }
    // `git prune` removes loose objects only. Packs are written anew first, without what nothing leads to.
    if !packs.isEmpty { try await Self.git(["repack", "-a", "-d", "--quiet"], in: path, signals) }
    try await Self.git(["prune", "--expire=now"], in: path, signals)
    let vault = try VaultRepository(opening: path)
    var held: [ForgottenBackup] = []
    for backup in forgotten where try vault.holds(backup) { held.append(backup) }
    self.held = held
    backups = forgotten.map(\.name)
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

  private static func git(
    _ arguments: [String], in path: String, _ signals: EndingSignals
  ) async throws(VaultError) {
    let again = "nothing of the kept backups is lost; run it again"
    let interruption = VaultError(
      .interrupted, "the history was not freed to its end: it was interrupted", advice: again)
    guard signals.first == nil else { throw interruption }
    var command = Command("git", arguments)
    command.directory = "/"
    command.environment = [
      "GIT_DIR": path, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C.UTF-8",
    ]
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run() } catch {
      throw VaultError(.other, "git, which removes the objects, does not start: \(error.message)", advice: again)
    }
    guard result.isSuccess else {
      if signals.first != nil { throw interruption }
      let line = result.standardError.text.split(separator: "\n").first.map(String.init) ?? "no reason given"
      throw VaultError(.other, "git \(arguments[0]) failed: \(line)", advice: again)
    }
  }
}
