import Backups
import Files
import FoundationEssentials
import Glibc
import Journal
import Processes
import Schema
import Steps
import Vault

/// Talks to the remote of a vault through the program git, and ssh. docs/decisions/0006 says why not through libgit2.
///
/// git is given the vault's objects and nothing else of it: neither its configuration nor its hooks have a say.
struct RemoteGit {
  let vault: String
  let remote: VaultRemote
  let context: StepContext

  static let longestTime: Duration = .seconds(120)
  /// In seconds, until ssh has a connection, and between its looks whether the server is still there.
  private static let sshPatience = 15

  /// The references that the remote has, with what each points to in hex.
  func references(_ patterns: [String]) async throws(StepError) -> [String: String] {
    try refuseVaultItself()
    let result = try await git(["ls-remote", "--refs", "--", address] + patterns)
    var found: [String: String] = [:]
    for line in result.standardOutput.text.split(separator: "\n") {
      let parts = line.split(separator: "\t")
      if parts.count == 2 { found[String(parts[1])] = String(parts[0]) }
    }
    guard !result.standardOutput.isTruncated else {
      throw .broken(
        "backup.remoteFailed", "the remote \(remote.address) has more references than are read",
        advice: "Name a remote that holds the vault alone.")
    }
    return found
  }

  /// All or nothing; what would lose something on the remote is refused by it.
  func push(_ refspecs: [String]) async throws(StepError) {
    _ = try await git(["push", "--atomic", "--no-verify", "--quiet", "--", address] + refspecs)
  }

  private var address: String { remote.isReachedBySSH ? remote.address : "file://\(remote.address)" }

  /// Throws if the remote is the vault, or lies in it: what is pushed there is lost with the vault.
  private func refuseVaultItself() throws(StepError) {
    guard !remote.isReachedBySSH, let own = FileIdentity(vault) else { return }
    // Where git looks for a repository.
    let places =
      FileIdentity(remote.address) == nil ? ["\(remote.address).git"] : [remote.address, "\(remote.address)/.git"]
    for place in places {
      guard var path = try? resolvedPath(place) else { continue }
      while FileIdentity(path) != own, path != "/" { path = parentFolder(of: path) }
      guard FileIdentity(path) == own else { continue }
      throw .failed(
        "backup.remoteIsVault",
        "the remote is the vault itself; name another place: \(remote.address) leads to \(vault)",
        advice:
          "A copy in the same place is lost with it. Put another place after `remote` under `vault` in runbook.yaml."
      )
    }
  }

  /// What tells a file or folder from all others of this host, whatever path leads to it.
  private struct FileIdentity: Equatable {
    let device: dev_t
    let number: ino_t

    /// Links are followed. Nil if nothing is there.
    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      (device, number) = (status.st_dev, status.st_ino)
    }
  }

  private func git(_ arguments: [String]) async throws(StepError) -> ProcessResult {
    let home = "\(vault)/runbook/push.git"
    do throws(FileError) { try Self.prepare(home) } catch {
      throw .broken(
        "backup.remoteFailed", "\(error.message)", advice: "Look at the permissions and the room of the vault's folder."
      )
    }
    var command = Command("git", arguments)
    command.directory = "/"
    command.timeout = min(Self.longestTime, context.remaining)
    command.environment = [
      "GIT_DIR": home, "GIT_OBJECT_DIRECTORY": "\(vault)/objects", "GIT_CONFIG_NOSYSTEM": "1",
      "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "file:ssh",
      "GIT_SSH_COMMAND": ssh, "GIT_SSH_VARIANT": "ssh", "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C.UTF-8",
    ]
    if let agent = ProcessInfo.processInfo.environment["SSH_AUTH_SOCK"] { command.environment["SSH_AUTH_SOCK"] = agent }
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run(in: context) } catch {
      throw .broken(
        "backup.remoteFailed", "git, which reaches the remote, does not start: \(error.message)",
        advice: "Install it: apt install git openssh-client.")
    }
    if result.interruption == .cancellation {
      throw StepError(
        .interrupted, Finding("backup.interrupted", "the work with the remote was stopped before its end"))
    }
    guard result.isSuccess else { throw failure(of: result) }
    return result
  }

  /// A repository without objects and references of its own.
  private static func prepare(_ home: String) throws(FileError) {
    for folder in ["objects", "refs"] { try Folder.makeAll("\(home)/\(folder)", Permissions(0o700)) }
    let files = [
      ("config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\thooksPath = /dev/null\n"),
      ("HEAD", "ref: refs/heads/none\n"),
    ]
    for (name, text) in files {
      let path = "\(home)/\(name)"
      if let content = try? File.read(path, limit: 4096), content.bytes == Array(text.utf8) { continue }
      try File.writeWhole(Array(text.utf8), to: path, Permissions(0o600))
    }
  }

  /// A shell reads it.
  private var ssh: String {
    var words = [
      "ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no", "-o",
      "ClearAllForwardings=yes", "-o", "ForwardAgent=no", "-o", "ForwardX11=no", "-o", "PermitLocalCommand=no", "-o",
      "ConnectTimeout=\(Self.sshPatience)", "-o", "ServerAliveInterval=\(Self.sshPatience)", "-o",
      "ServerAliveCountMax=2",
    ]
    if let key = remote.keyFile { words += ["-i", key, "-o", "IdentitiesOnly=yes"] }
    if let known = remote.knownHosts {
      words += ["-o", "UserKnownHostsFile=\(Self.quotedForSSH(known))", "-o", "GlobalKnownHostsFile=/dev/null"]
    }
    return words.map { "'" + $0.replacing("'", with: "'\\''") + "'" }.joined(separator: " ")
  }

  /// ssh splits values at blanks, and has words of its own behind a percent sign.
  private static func quotedForSSH(_ path: String) -> String {
    "\"" + path.replacing("%", with: "%%") + "\""
  }

  private func failure(of result: ProcessResult) -> StepError {
    let address = remote.address
    if result.interruption == .timeout {
      return .broken(
        "backup.remoteUnreachable", "the remote \(address) did not answer in time",
        advice: "Look whether its host is up: `git ls-remote` asks it by hand.")
    }
    let text = result.standardError.text
    if text.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
      return StepError(
        .failed,
        Finding(
          "backup.hostKeyChanged",
          "the host key of the remote \(address) is not the one that is known: nothing was sent",
          advice:
            "Somebody may stand between. Ask who runs that host whether its key was changed, and only then put the new one into known_hosts."
        ))
    }
    if text.contains("Host key verification failed") {
      return StepError(
        .failed,
        Finding(
          "backup.hostKeyUnknown", "no host key of the remote \(address) is known: nothing was sent",
          advice:
            "Ask who runs that host for its key, and put it into known_hosts (`knownHosts` of `vault` in runbook.yaml)."
        ))
    }
    let lines = text.split(separator: "\n").map { $0.trimmingPrefix("fatal: ").trimmingPrefix("remote: ") }
    let first = lines.first { !$0.isEmpty }.map { String($0.prefix(200)) } ?? "git gave no reason"
    if text.contains("Permission denied") {
      return .broken(
        "backup.remoteRefused", "the remote \(address) does not let this user in: \(first)",
        advice: "Look at the key (`sshKey` of `vault` in runbook.yaml), and at authorized_keys there.")
    }
    if text.contains("[rejected]") || text.contains("[remote rejected]") || text.contains("non-fast-forward") {
      return StepError(
        .failed,
        Finding(
          "backup.remoteRefused", "the remote \(address) refuses what was pushed, and has what it had: \(first)",
          advice: "Somebody else may push to it, or its hooks say no. Nothing is ever forced."))
    }
    return .broken(
      "backup.remoteUnreachable", "the remote \(address) cannot be reached, or is no repository: \(first)",
      advice: remote.isReachedBySSH
        ? "If it should be there, mount or reconnect it. Only for a new remote, on its host: git init --bare PATH"
        : "If it should be there, mount or reconnect it. Only for a new remote: git init --bare \(address)")
  }
}
