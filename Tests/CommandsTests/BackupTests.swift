import Foundation
import Processes
import Schema
import Testing

@Suite("Backups from the command line", .timeLimit(.minutes(2)))
struct BackupTests {
  private let project: CommandLineProject

  init() throws {
    project = try CommandLineProject()
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
    try project.write("files/turnserver.conf", "realm=example.com\nstatic-auth-secret=correct-horse-battery\n")
  }

  private var path: String { project.root }

  /// Makes two keys, and a set that names them.
  private func declare(_ more: String = "") async throws {
    var recipients: [String] = []
    for name in ["one.key", "two.key"] {
      let key = try await project.runbook("backup", "keygen", "\(path)/\(name)")
      #expect(key.status == 0)
      recipients.append(key.stdout.trimmingCharacters(in: .newlines))
    }
    try project.write(
      "backups/conf.yaml",
      "backup: conf\npaths: [files]\nrecipients: [\(recipients.joined(separator: ", "))]\nkeep: {last: 1}\n\(more)")
  }

  private func shell(_ script: String) async throws -> String {
    let run = try await Command("sh", ["-ec", "cd \(path); \(script)"]).run()
    try #require(run.isSuccess, "\(run.standardError.text)")
    return run.standardOutput.text
  }

  @Test("A run backs up what changed, age opens it, and no secret stands in the vault or the journal in clear")
  func backUp() async throws {
    try await declare("commands:\n  - {name: hello, command: [echo, hello]}\n")
    #expect(try await project.runbook("validate").status == 0)
    let first = try await project.runbook("run", "back-up", "--format", "json")
    #expect(first.status == 0, "\(first.stdout)\(first.stderr)")
    #expect(try await project.runbook("run", "back-up").status == 0)
    let list = try await project.runbook("backup", "list", "--format", "json")
    let backups = try #require(list.json["sets"]?.array?.first?["backups"]?.array)
    #expect(backups.count == 1)
    let name = try #require(backups.first?["name"]?.string)
    #expect(
      try await shell(
        "git -C backups/vault show backup/conf:\(name).tar.zst.age | age -d -i two.key | zstd -dq | tar -xO 'files\(path)/files/turnserver.conf' commands/hello"
      ) == "hello\nrealm=example.com\nstatic-auth-secret=correct-horse-battery\n")
    let redacted = try await shell("git -C backups/vault show backup/conf:configuration.redacted")
    #expect(redacted.contains("realm=example.com\nstatic-auth-secret=‹hmac:"))
    #expect(
      try await shell(
        "for o in $(git -C backups/vault rev-list --objects --all | cut -d' ' -f1); do git -C backups/vault cat-file -p $o; done | grep -c correct-horse || true"
      ) == "0\n")
    #expect(try await shell("grep -rc correct-horse .runbook | grep -v ':0' || true") == "")
    try project.write("files/turnserver.conf", "realm=example.org\n")
    #expect(try await project.runbook("run", "back-up").status == 0)
    let dry = try await project.runbook("backup", "prune", "conf")
    #expect(dry.status == 0 && dry.stdout.contains("1 backup would be removed; --yes removes them\n"), "\(dry.stdout)")
    let wet = try await project.runbook("backup", "prune", "conf", "--yes")
    #expect(wet.status == 0 && wet.stdout.contains("git's history still holds 1 pruned backup"), "\(wet.stdout)")
    #expect(try await project.runbook("backup", "list").stdout.hasPrefix("conf: 1 backup, checked "))
  }

  @Test("What is missing fails the run by name; too few recipients and an unknown set are told before")
  func refusals() async throws {
    try await declare("ifPresent: [nowhere]\n")
    try project.write(
      "backups/conf.yaml", try project.read("backups/conf.yaml").replacing("[files]", with: "[files, gone]"))
    let incomplete = try await project.runbook("run", "back-up")
    #expect(incomplete.status == 1)
    #expect(incomplete.stdout.contains("\(path)/gone: it does not exist"), "\(incomplete.stdout)")
    try project.write("backups/conf.yaml", "backup: conf\npaths: [files]\n")
    let few = try await project.runbook("run", "back-up")
    #expect(few.status == 1 && few.stdout.contains("backup.tooFewRecipients"), "\(few.stdout)")
    try project.write("backups/conf.yaml", "backup: conf\npaths: [files]\nrecipients: [age1x]\n")
    #expect(try await project.runbook("validate").status == 2)
    #expect(try await project.runbook("run", "back-up").stdout.contains("backup.unknownSet"))
    try FileManager.default.removeItem(atPath: "\(path)/backups")
    let none = try await project.runbook("validate")
    #expect(none.status == 2 && (none.stdout + none.stderr).contains("missing-service"), "\(none)")
  }

  @Test("A key is made readable to its owner alone, and never written over")
  func keygen() async throws {
    let first = try await project.runbook("backup", "keygen", "\(path)/a.key", "--format", "json")
    let recipient = try #require(first.json["recipient"]?.string)
    #expect(try await shell("stat -c %a a.key; age-keygen -y a.key") == "600\n\(recipient)\n")
    let second = try await project.runbook("backup", "keygen", "\(path)/a.key")
    #expect(second.status == 2 && second.stderr.contains("File exists"), "\(second.stderr)")
    #expect(try await shell("age-keygen -y a.key") == "\(recipient)\n")
  }

  @Test("Killed at any moment, it leaves a vault that git finds sound and the next run uses")
  func killed() async throws {
    try await declare()
    for number in 0..<40 { try project.write("files/\(number).conf", String(repeating: "\(number)", count: 20_000)) }
    for round in 1...12 {
      try project.write("files/changing.conf", "\(round)\n")
      _ = try await shell(
        "\(CommandLineProject.executable) run back-up --quiet >/dev/null 2>&1 & p=$!; sleep 0.\(100 + round * 20); kill -9 $p 2>/dev/null || true; wait $p 2>/dev/null || true"
      )
      if FileManager.default.fileExists(atPath: "\(path)/backups/vault/HEAD") {
        _ = try await shell("git -C backups/vault fsck --full --strict")
      }
    }
    let after = try await project.runbook("run", "back-up")
    #expect(after.status == 0, "\(after.stdout)")
    #expect(
      try await shell("git -C backups/vault tag | wc -l")
        == shell("git -C backups/vault ls-tree --name-only backup/conf | grep -c age$"))
  }
}
