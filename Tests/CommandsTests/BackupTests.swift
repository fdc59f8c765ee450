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

  @Test(
    "A destroyed archive is listed as lost and no fresh backup, the good one is named, and the next backup mends the vault",
    arguments: ["cut off", "altered", "gone"])
  func destroyed(how: String) async throws {
    try await declare("expect: {notOlderThan: 32d}\n")
    #expect(try await project.runbook("run", "back-up").status == 0)
    try project.write("files/turnserver.conf", "realm=example.net\n")
    #expect(try await project.runbook("run", "back-up").status == 0)
    let names = try await project.runbook("backup", "list", "--format", "json").json["sets"]?.array?.first?["backups"]?
      .array?.compactMap { $0["name"]?.string }
    let (newest, good) = (try #require(names?.first), try #require(names?.last))
    try #require(newest != good)
    let fresh = ["run", "checks/backup-fresh", "-p", "set=conf"]
    #expect(try await project.runbook(fresh, environment: [:]).status == 0)

    let object = try await shell(
      "o=$(git -C backups/vault rev-parse backup/conf:\(newest).tar.zst.age); echo backups/vault/objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-)"
    ).trimmingCharacters(in: .newlines)
    switch how {
    case "cut off": _ = try await shell("chmod 600 \(object); truncate -s 300 \(object)")
    case "gone": _ = try await shell("rm -f \(object)")
    default:
      var bytes = try Data(contentsOf: URL(filePath: "\(path)/\(object)"))
      bytes[bytes.count / 2] ^= 1
      _ = try await shell("chmod 600 \(object)")
      try bytes.write(to: URL(filePath: "\(path)/\(object)"))
    }

    let list = try await project.runbook("backup", "list")
    #expect(list.status == 1 && list.stdout.contains("conf: 1 backup, 1 lost"), "\(list)")
    #expect(list.stdout.contains("\(newest)  lost: "), "\(list)")
    #expect(list.stderr.contains("runbook backup restore conf --backup \(good) --to DIR --identity FILE"), "\(list)")
    let json = try await project.runbook("backup", "list", "--format", "json")
    #expect(json.status == 1)
    #expect(try json.json["sets"]?.array?.first?["lost"]?.array?.first?["name"]?.string == newest)
    let stale = try await project.runbook(fresh, environment: [:])
    #expect(stale.status == 1 && stale.stdout.contains("backup.damaged") && stale.stdout.contains(good), "\(stale)")
    let prune = try await project.runbook("backup", "prune", "conf", "--yes")
    #expect(prune.status == 1, "\(prune)")
    let named = try await project.runbook(
      "backup", "restore", "conf", "--backup", newest, "--to", "restored", "--identity", "one.key")
    #expect(named.status == 1 && named.stdout.contains("--backup \(good)"), "\(named)")
    let restored = try await project.runbook(
      "backup", "restore", "conf", "--backup", good, "--to", "restored", "--identity", "one.key")
    #expect(restored.status == 0, "\(restored)")

    #expect(try await project.runbook("run", "back-up").status == 0)
    let after = try await project.runbook("backup", "list")
    #expect(after.status == 0 && after.stdout.hasPrefix("conf: 2 backups, checked "), "\(after)")
    #expect(try await project.runbook(fresh, environment: [:]).status == 0)
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
    #expect(first.stderr.contains("a.key opens every backup") && first.stderr.contains("never commit it"), "\(first)")
    #expect(try await shell("stat -c %a a.key; age-keygen -y a.key") == "600\n\(recipient)\n")
    let second = try await project.runbook("backup", "keygen", "\(path)/a.key")
    #expect(second.status == 2 && second.stderr.contains("a.key is there already"), "\(second.stderr)")
    #expect(try await shell("age-keygen -y a.key") == "\(recipient)\n")
  }

  /// What there is in the vault by now, left-overs included.
  private func contents() -> Set<String> {
    Set((try? FileManager.default.subpathsOfDirectory(atPath: "\(path)/backups/vault")) ?? [])
  }

  /// As the message of a lock that is in the way says to do, once its git is known to be dead.
  private func removeLocks() async throws { _ = try await shell("find backups/vault -name '*.lock' -delete || true") }

  @Test("Killed at any moment, it leaves a vault that git finds sound and the next run uses")
  func killed() async throws {
    try await declare()
    for number in 0..<40 { try project.write("files/\(number).conf", String(repeating: "\(number)", count: 20_000)) }
    // Each time a little further into the work: after one more file that the vault got.
    var hits = 0
    for round in 1...12 {
      try project.write("files/changing.conf", "\(round)\n")
      let process = Process()
      process.executableURL = URL(filePath: CommandLineProject.executable)
      process.arguments = ["run", "back-up", "--quiet"]
      process.currentDirectoryURL = URL(filePath: path)
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      let before = contents()
      try process.run()
      let deadline = ContinuousClock.now + .seconds(30)
      while process.isRunning, ContinuousClock.now < deadline, contents().subtracting(before).count < round % 6 + 1 {
        usleep(200)
      }
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      if process.terminationReason == .uncaughtSignal { hits += 1 }
      try await removeLocks()
      if FileManager.default.fileExists(atPath: "\(path)/backups/vault/HEAD") {
        _ = try await shell("git -C backups/vault fsck --full --strict")
      }
    }
    #expect(hits > 0)
    let after = try await project.runbook("run", "back-up")
    #expect(after.status == 0, "\(after.stdout)")
    #expect(
      try await shell("git -C backups/vault tag | wc -l")
        == shell("git -C backups/vault ls-tree --name-only backup/conf | grep -c age$"))
  }

  @Test(
    "History is freed for good: no object of what was pruned is left, and the rest verifies; killed half-way, it is done again"
  )
  func freeHistory() async throws {
    try await declare()
    for text in ["one", "two", "three"] {
      try project.write("files/turnserver.conf", "realm=\(text).example.com\n")
      #expect(try await project.runbook("run", "back-up").status == 0)
    }
    // git has packed a part of it, as an owner may have told it to.
    _ = try await shell("git -C backups/vault gc --quiet")
    try project.write("files/turnserver.conf", "realm=four.example.com\n")
    #expect(try await project.runbook("run", "back-up").status == 0)
    let blobs = try await shell(
      "cd backups/vault; for t in $(git tag | head -n 3); do git rev-parse $t:${t##*/}.tar.zst.age; done")
    let dry = try await project.runbook("backup", "prune", "conf", "--free-history")
    #expect(dry.status == 0 && dry.stdout.contains("3 backups would be removed"), "\(dry)")

    var hits = 0
    for _ in 0..<4 {
      let process = Process()
      process.executableURL = URL(filePath: CommandLineProject.executable)
      process.arguments = ["backup", "prune", "conf", "--free-history", "--yes"]
      process.currentDirectoryURL = URL(filePath: path)
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      let before = contents()
      try process.run()
      let deadline = ContinuousClock.now + .seconds(30)
      while process.isRunning, ContinuousClock.now < deadline, contents() == before { usleep(200) }
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      if process.terminationReason == .uncaughtSignal { hits += 1 }
      try await removeLocks()
      _ = try await shell("git -C backups/vault fsck --full --strict")
      #expect(try await project.runbook("backup", "verify", "conf", "--identity", "one.key").status == 0)
    }
    #expect(hits > 0)
    let freed = try await project.runbook("backup", "prune", "conf", "--free-history", "--yes", "--format", "json")
    #expect(freed.status == 0, "\(freed)")
    #expect(try freed.json["history"] == [])
    _ = try await shell("git -C backups/vault fsck --full --strict")
    for blob in blobs.split(separator: "\n") {
      let run = try await Command("git", ["-C", "\(path)/backups/vault", "cat-file", "-e", String(blob)]).run()
      #expect(!run.isSuccess, "\(blob) is still there")
    }
    #expect(
      try await shell("git -C backups/vault rev-list --count backup/conf; git -C backups/vault tag | wc -l") == "1\n1\n"
    )
    #expect(try await project.runbook("backup", "verify", "conf", "--identity", "one.key").status == 0)
    // It goes on from there, and is not made again.
    #expect(try await project.runbook("run", "back-up").status == 0)
    #expect(try await shell("git -C backups/vault rev-list --count backup/conf") == "1\n")
    let again = try await project.runbook("backup", "prune", "conf", "--free-history", "--yes")
    #expect(again.status == 0 && again.stdout.contains("other copies of the vault still hold"), "\(again)")

    try project.write("runbook.yaml", "project: test\nvault: {remote: /srv/vault.git}\n")
    let refused = try await project.runbook("backup", "prune", "conf", "--free-history", "--yes")
    #expect(refused.status == 2 && refused.stderr.contains("/srv/vault.git"), "\(refused)")
  }

  @Test("What another branch still holds is not called gone, and a foreign tag or commit is never destroyed")
  func freeHistoryOfOthers() async throws {
    try await declare()
    for text in ["one", "two"] {
      try project.write("files/turnserver.conf", "realm=\(text).example.com\n")
      #expect(try await project.runbook("run", "back-up").status == 0)
    }
    let name = try await shell("git -C backups/vault tag | head -n 1 | cut -d/ -f3").trimmingCharacters(in: .newlines)
    let free = ["backup", "prune", "conf", "--free-history", "--yes"]

    _ = try await shell("git -C backups/vault tag backup/conf/mine backup/conf")
    let tagged = try await project.runbook(free, environment: [:])
    #expect(
      tagged.status == 3 && tagged.stderr.contains("the tag backup/conf/mine was not made by runbook"), "\(tagged)")
    _ = try await shell("git -C backups/vault tag -d backup/conf/mine")

    // A commit of somebody else, with one of runbook's above it.
    let own = try await shell("git -C backups/vault rev-parse backup/conf").trimmingCharacters(in: .newlines)
    let foreign = try await shell(
      """
      cd backups/vault; export GIT_AUTHOR_NAME=Eve GIT_AUTHOR_EMAIL=e@example.com GIT_COMMITTER_NAME=Eve GIT_COMMITTER_EMAIL=e@example.com
      f=$(git commit-tree -p \(own) -m other \(own)^{tree})
      git update-ref refs/heads/backup/conf $(git log -1 --format=%B \(own) | git commit-tree -p $f \(own)^{tree}); echo $f
      """
    ).trimmingCharacters(in: .newlines)
    let refused = try await project.runbook(free, environment: [:])
    #expect(refused.status == 3 && refused.stderr.contains("the commit \(foreign) of the branch"), "\(refused)")
    _ = try await shell("git -C backups/vault update-ref refs/heads/backup/conf \(own)")

    _ = try await shell("git -C backups/vault branch other backup/conf")
    let held = try await project.runbook(free, environment: [:])
    #expect(held.status == 3 && held.stdout.contains("0 pruned backups are gone"), "\(held)")
    #expect(held.stderr.contains("git still holds what was pruned: \(name)"), "\(held)")
    let look = try #require(held.stderr.split(separator: "\n").first { $0.contains("--contains") })
    #expect(try await shell(String(look)).contains("refs/heads/other"))
  }

  @Test("What changed on the host since the newest backup is told, and no secret of it")
  func live() async throws {
    try await declare("commands:\n  - {name: hello, command: [echo, hello]}\n")
    let noKey = try await project.runbook("backup", "diff", "conf", "--live")
    #expect(noKey.status == 2 && noKey.stdout.contains("backup.keyUnreadable"), "\(noKey)")
    #expect(try await project.runbook("run", "back-up").status == 0)
    let same = try await project.runbook("backup", "diff", "conf", "--live", "--format", "json")
    #expect(same.status == 0, "\(same)")
    #expect(try same.json["output"]?["same"] == true)
    let before = try await shell("git -C backups/vault for-each-ref")
    try project.write("files/turnserver.conf", "realm=example.net\nstatic-auth-secret=another-secret-here\n")
    try project.write("files/new.conf", "x\n")
    let diff = try await project.runbook("backup", "diff", "conf", "--live", "--format", "json")
    let output = try diff.json["output"]
    #expect(output?["same"] == false && output?["to"] == nil || output?["to"] == .null, "\(diff)")
    #expect(output?["added"] == [.string("\(path)/files/new.conf")])
    #expect(output?["changed"] == [.string("\(path)/files/turnserver.conf")])
    #expect(diff.stdout.contains("+realm=example.net") && diff.stdout.contains("-static-auth-secret=‹hmac:"))
    #expect(!diff.stdout.contains("another-secret-here") && !diff.stdout.contains("correct-horse-battery"))
    #expect(try await shell("git -C backups/vault for-each-ref") == before)
    #expect(try await project.runbook("backup", "diff", "conf", "--live", "--to", "x").status == 2)
  }

  @Test("The step prunes only what it is told to, never the last good backup, and says what history holds")
  func pruneStep() async throws {
    try await declare()
    for remove in [false, true] {
      try project.write(
        "runbooks/prune-\(remove).yaml",
        "runbook: prune-\(remove)\ntitle: Prune\nallow: [observe, change]\nsteps:\n  - {id: prune, use: backup.prune, with: {set: conf, remove: \(remove)}, expect: [\"output.kept.size() > 0\"]}\n"
      )
    }
    for text in ["one", "two"] {
      try project.write("files/turnserver.conf", "realm=\(text).example.com\n")
      #expect(try await project.runbook("run", "back-up").status == 0)
    }
    // The newest lacks something: the good one before it stays too.
    try project.write(
      "backups/conf.yaml", try project.read("backups/conf.yaml").replacing("[files]", with: "[files, gone]"))
    #expect(try await project.runbook("run", "back-up").status == 1)
    func names() async throws -> Int {
      try #require(
        try await project.runbook("backup", "list", "--format", "json").json["sets"]?.array?.first?["backups"]?.array?
          .count)
    }
    #expect(try await project.runbook("run", "prune-false").status == 0)
    #expect(try await names() == 3)
    let wet = try await project.runbook("run", "prune-true", "--format", "json")
    #expect(wet.status == 0, "\(wet)")
    #expect(try await names() == 2)
    #expect(wet.stdout.contains("the newest with nothing missing, which always stays"), "\(wet.stdout)")
  }

  @Test("A set that has faults is told from one that is not there, and recipients of the vault count")
  func setsWithFaults() async throws {
    let key = try await project.runbook("backup", "keygen", "\(path)/one.key").stdout.trimmingCharacters(in: .newlines)
    try project.write("runbook.yaml", "project: test\nvault: {recipients: [\(key)]}\n")
    try project.write("backups/conf.yaml", "backup: conf\npaths: [./files//, .]\n")
    let few = try await project.runbook("validate")
    #expect(few.status == 2 && (few.stdout + few.stderr).contains("too-few-recipients"), "\(few)")
    let faulty = try await project.runbook("run", "back-up")
    #expect(faulty.stdout.contains("has faults"), "\(faulty)")
    let two = try await project.runbook("backup", "keygen", "\(path)/two.key").stdout.trimmingCharacters(in: .newlines)
    try project.write("runbook.yaml", "project: test\nvault: {recipients: [\(key), \(two)]}\n")
    // The project itself, with the vault and the state in it, by paths as people write them.
    let made = try await project.runbook("run", "back-up")
    #expect(made.status == 0, "\(made)")
    try project.write("files/more.conf", "x\n")
    #expect(try await project.runbook("run", "back-up").status == 0)
    #expect(try await shell("git -C backups/vault show backup/conf | grep -c 'files/.*backups/vault' || true") == "0\n")
    #expect(try await shell("git -C backups/vault rev-list --count backup/conf") == "2\n")
    #expect(try await project.runbook("run", "back-up").status == 0)
    #expect(try await shell("git -C backups/vault rev-list --count backup/conf") == "2\n")
  }
}
