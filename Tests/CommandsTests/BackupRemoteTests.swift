import Foundation
import Glibc
import Processes
import Schema
import Synchronization
import TestSupport
import Testing

/// Backups that are pushed to another repository, and one that asks it.
@Suite("Remotes of the vault", .timeLimit(.minutes(3)))
struct BackupRemoteTests {
  private let project: CommandLineProject
  private var root: String { project.root }
  private var remote: String { "\(project.root)/remote.git" }

  init() async throws {
    project = try CommandLineProject(isEmpty: true)
    try project.write(
      "runbooks/back-up.yaml",
      """
      runbook: back-up
      title: Back up
      allow: [observe]
      steps:
        - id: create
          use: backup.create
          with: {set: conf}

      """)
    try project.write(
      "runbooks/ask.yaml",
      """
      runbook: ask
      title: Ask
      allow: [observe]
      steps:
        - id: ask
          use: backup.offsite
          with: {set: conf}

      """)
    var recipients: [String] = []
    for name in ["one.key", "two.key"] {
      recipients.append(
        try await project.runbook("backup", "keygen", "\(project.root)/\(name)").stdout
          .trimmingCharacters(in: .newlines))
    }
    try project.write("files/turnserver.conf", "realm=example.com\n")
    try project.write(
      "backups/conf.yaml", "backup: conf\npaths: [files]\nrecipients: [\(recipients.joined(separator: ", "))]\n")
  }

  private func use(_ remote: String, _ more: String = "") throws {
    try project.write("runbook.yaml", "project: test\nvault:\n  remote: \(remote)\n\(more)")
  }

  @discardableResult
  private func shell(_ script: String) async throws -> String {
    let run = try await Command("sh", ["-ec", "cd \(root); \(script)"]).run()
    try #require(run.isSuccess, "\(run.standardError.text)")
    return run.standardOutput.text
  }

  private func change(_ text: String) throws { try project.write("files/turnserver.conf", "realm=\(text)\n") }

  @Test("A backup is pushed with its tag, what an earlier push left too, and the remote is asked each time")
  func push() async throws {
    try use("remote.git")
    // No remote yet: the backup is made, and a warning says what is missing.
    let first = try await project.runbook("run", "back-up")
    #expect(first.status == 0 && first.stdout.contains("backup.remoteUnreachable"), "\(first)")
    try await shell("git init -q --bare remote.git")
    let none = try await project.runbook("run", "ask")
    #expect(none.status == 1 && none.stdout.contains("backup.notOffsite"), "\(none)")
    try change("two.example.com")
    let second = try await project.runbook("run", "back-up")
    #expect(second.status == 0 && !second.stdout.contains("backup.remote"), "\(second)")
    #expect(
      try await shell("git -C remote.git for-each-ref --format='%(refname) %(objectname)'")
        == shell("git -C backups/vault for-each-ref --format='%(refname) %(objectname)'"))
    try await shell("git -C remote.git fsck --full --strict")
    #expect(try await project.runbook("run", "ask").status == 0)
    try await shell("git -C remote.git tag -d $(git -C backups/vault tag | tail -n 1)")
    #expect(try await project.runbook("run", "ask").stdout.contains("backup.notOffsite"))
    // Nothing changed, and what the remote lacks is pushed all the same.
    #expect(try await project.runbook("run", "back-up").status == 0)
    #expect(try await project.runbook("run", "ask").status == 0)
  }

  @Test("A remote that is the vault itself, or lies in it, is no second place")
  func vaultItself() async throws {
    for address in ["backups/vault", "file://\(root)/backups/vault", "link", "backups/vault/inner.git"] {
      try use(address)
      let made = try await project.runbook("run", "back-up")
      #expect(made.status == 1 && made.stdout.contains("backup.remoteIsVault"), "\(address): \(made)")
      let asked = try await project.runbook("run", "ask")
      #expect(asked.status == 1 && asked.stdout.contains("the remote is the vault itself"), "\(address): \(asked)")
      if !project.exists("link") {
        try await shell("ln -s backups/vault link; git init -q --bare backups/vault/inner.git")
      }
    }
  }

  @Test("Nothing in the vault is carried out when it is pushed: no hook, no configuration")
  func hooks() async throws {
    try use("remote.git")
    try await shell("git init -q --bare remote.git")
    #expect(try await project.runbook("run", "back-up").status == 0)
    try await shell(
      """
      printf '#!/bin/sh\\ntouch \(root)/carried-out\\n' > backups/vault/hooks/pre-push; chmod +x backups/vault/hooks/pre-push
      git -C backups/vault config url."\(root)/elsewhere.git".insteadOf "file://\(remote)"
      git -C backups/vault config core.sshCommand "touch \(root)/carried-out"
      """)
    try change("two.example.com")
    #expect(try await project.runbook("run", "back-up").status == 0)
    #expect(!project.exists("carried-out"))
    #expect(try await project.runbook("run", "ask").status == 0)
  }

  @Test("A remote that was rewound, lost its branch, or has a history of its own is named and never forced")
  func otherHistory() async throws {
    try use("remote.git")
    try await shell("git init -q --bare remote.git")
    for text in ["one", "two"] {
      try change(text)
      #expect(try await project.runbook("run", "back-up").status == 0)
    }
    let there = "git -C remote.git rev-parse -q --verify refs/heads/backup/conf || echo none"
    func refused(_ code: String) async throws {
      let state = try await shell(there)
      try change(UUID().uuidString)
      let run = try await project.runbook("run", "back-up")
      #expect(run.status == 1 && run.stdout.contains(code), "\(run)")
      #expect(try await shell(there) == state)
      let asked = try await project.runbook("run", "ask")
      #expect(asked.status == 1 && asked.stdout.contains(code), "\(asked)")
    }
    try await shell("git -C remote.git update-ref refs/heads/backup/conf refs/heads/backup/conf~")
    try await refused("backup.remoteRewound")
    try await shell("git -C remote.git update-ref -d refs/heads/backup/conf")
    try await refused("backup.remoteRewound")
    try await shell(
      """
      cd remote.git; t=$(git mktree </dev/null)
      c=$(git -c user.name=Eve -c user.email=eve@example.com commit-tree -m other $t); git update-ref refs/heads/backup/conf $c
      """)
    try await refused("backup.remoteDiverged")
  }

  @Test(
    "A password in the address is refused, and stands in no message; so is what ssh or git would take for something else"
  )
  func addresses() async throws {
    for address in [
      "ssh://backup:hunter2@vault.example.com/x", "https://backup:hunter2@vault.example.com/x",
      "https://vault.example.com/x", "\"ext::sh -c touch% carried-out\"", "ssh://-oProxyCommand=x/y",
      "-oProxyCommand=x:y",
    ] {
      try use(address)
      let run = try await project.runbook("validate")
      #expect(run.status == 2, "\(address): \(run)")
      #expect(!(run.stdout + run.stderr).contains("hunter2"), "\(run)")
    }
    for address in [
      "/srv/vault.git", "ssh://backup@vault.example.com:2222/srv/x", "backup@vault.example.com:x", "ssh://[::1]:22/x",
    ] {
      try use("\"\(address)\"")
      #expect(try await project.runbook("validate").status == 0, "\(address)")
    }
  }

  @Test(
    "Over ssh: an unlisted and a changed host key are refused, a listed one is used with the key of the project, and a server that says nothing is left at the time limit",
    .enabled(if: access("/usr/sbin/sshd", X_OK) == 0, "openssh-server is not installed: scripts/setup test"))
  func ssh() async throws {
    let port = try freePort()
    try await shell(
      """
      git init -q --bare remote.git; mkdir -p ssh; chmod 700 ssh
      for k in host other user; do ssh-keygen -q -t ed25519 -N '' -f ssh/$k; done
      cp ssh/user.pub ssh/authorized; chmod 600 ssh/authorized
      """)
    try project.write(
      "ssh/config",
      """
      Port \(port)
      ListenAddress 127.0.0.1
      HostKey \(root)/ssh/host
      AuthorizedKeysFile \(root)/ssh/authorized
      PidFile none
      UsePAM no
      StrictModes no
      PasswordAuthentication no
      PermitRootLogin yes

      """)
    // Where sshd keeps an empty folder for its children; Debian's unit makes it.
    if geteuid() == 0 { try await shell("mkdir -p /run/sshd") }
    // Not as a Process of Foundation: that takes it for ended once sshd has closed what it inherited, and waits for it.
    let pid = Mutex<Int32>(0)
    let settings = "\(root)/ssh/config"
    let server = Task {
      try await Command("/usr/sbin/sshd", ["-D", "-e", "-f", settings]).run(started: { process in
        pid.withLock { $0 = process.pid }
      })
    }
    do {
      try await overSSH(port) { pid.withLock { $0 } }
    } catch {
      server.cancel()
      _ = try? await server.value
      throw error
    }
    server.cancel()
    _ = try await server.value
  }

  private func overSSH(_ port: UInt16, _ server: () -> Int32) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while try await !Command("sh", ["-c", "ssh-keyscan -p \(port) -t ed25519 127.0.0.1 2>/dev/null | grep -q ed25519"])
      .run().isSuccess
    {
      try #require(ContinuousClock.now < deadline)
    }
    let user = try await shell("id -un").trimmingCharacters(in: .newlines)
    try use(
      "ssh://\(user)@127.0.0.1:\(port)\(remote)", "  sshKey: ssh/user\n  knownHosts: \(root)/ssh/known hosts\n")

    let unknown = try await project.runbook("run", "back-up")
    #expect(unknown.status == 1 && unknown.stdout.contains("backup.hostKeyUnknown"), "\(unknown)")
    try await shell("printf '[127.0.0.1]:\(port) %s\\n' \"$(cut -d' ' -f1,2 ssh/other.pub)\" > 'ssh/known hosts'")
    let changed = try await project.runbook("run", "back-up")
    #expect(changed.status == 1 && changed.stdout.contains("backup.hostKeyChanged"), "\(changed)")
    #expect(try await shell("git -C remote.git for-each-ref") == "")
    try await shell("printf '[127.0.0.1]:\(port) %s\\n' \"$(cut -d' ' -f1,2 ssh/host.pub)\" > 'ssh/known hosts'")
    let pushed = try await project.runbook("run", "back-up")
    #expect(pushed.status == 0 && !pushed.stdout.contains("backup.remote"), "\(pushed)")
    #expect(try await project.runbook("run", "ask").status == 0)
    try await shell("cp ssh/other.pub ssh/authorized")
    let refused = try await project.runbook("run", "ask")
    #expect(refused.status == 3 && refused.stdout.contains("backup.remoteRefused"), "\(refused)")

    // It takes connections and never says a word.
    try #require(server() > 0 && kill(server(), SIGSTOP) == 0)
    defer { kill(server(), SIGCONT) }
    try project.write("runbooks/ask.yaml", try project.read("runbooks/ask.yaml") + "    timeout: 2s\n")
    let silent = try await project.runbook("run", "ask")
    #expect(silent.status == 3, "\(silent)")
  }
}
