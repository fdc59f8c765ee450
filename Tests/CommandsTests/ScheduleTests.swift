import Foundation
import Processes
import Schema
import TestSupport
import Testing

/// Runbooks that are due at times: what is installed, what runs, what was missed, and the locks between runs.
@Suite(.timeLimit(.minutes(2))) struct ScheduleTests {
  private let project: CommandLineProject
  private let environment: [String: String]

  init() throws {
    project = try CommandLineProject()
    environment = ["RUNBOOK_LOCKS": "\(project.root)/locks"]
    try write("quick", "period: 1d\n", "[\"true\"]")
  }

  private func write(_ name: String, _ keys: String, _ command: String) throws {
    try project.write(
      "runbooks/\(name).yaml",
      """
      runbook: \(name)
      allow: [observe]
      \(keys)steps:
        - {id: act, use: command.run, effect: observe, with: {command: \(command)}, timeout: 1m}

      """)
  }

  private func runbook(_ arguments: String..., at time: String? = nil) async throws -> CommandLineProject.Output {
    // Nothing is installed where RUNBOOK_LOCKS is set.
    let environment = arguments.first == "schedule" ? [:] : environment
    guard let time else { return try await project.runbook(arguments, environment: environment) }
    return try await project.runbook(arguments, at: time, environment: environment)
  }

  // MARK: When it is due

  @Test("--if-due runs a runbook once for each slot, and records for which one")
  func ifDue() async throws {
    let first = try await runbook("run", "quick", "--if-due", at: "2026-11-28T06:00:10Z")
    #expect(first.status == 0, "\(first.stderr)")
    let again = try await runbook("run", "quick", "--if-due", at: "2026-11-28T20:00:00Z")
    #expect(again.status == 0 && again.stderr.contains("has run: 0"), "\(again.stderr)")
    #expect(try await runbook("run", "quick", "--if-due", "--quiet", at: "2026-11-28T21:00:00Z").stderr == "")
    #expect(try project.runFolders().count == 1)
    #expect(try await runbook("run", "quick", "--if-due", at: "2026-11-29T00:00:01Z").status == 0)
    let slots = try project.runFolders().map { folder in
      try JSON(
        parsing: String(
          try String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8).split(separator: "\n")[0]))["slot"]
    }
    #expect(slots == ["2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"])
  }

  @Test("Of three that are woken at once one runs")
  func atOnce() async throws {
    let (project, environment) = (project, environment)
    let statuses = try await withThrowingTaskGroup(of: Int32.self) { group in
      for _ in 0..<3 {
        group.addTask {
          try await project.runbook(["run", "quick", "--if-due", "--quiet"], environment: environment).status
        }
      }
      var statuses: [Int32] = []
      for try await status in group { statuses.append(status) }
      return statuses
    }
    #expect(statuses == [0, 0, 0])
    #expect(try project.runFolders().count == 1)
  }

  @Test("--if-due does not pass over a journal that it cannot read")
  func damaged() async throws {
    #expect(try await runbook("run", "quick", "--quiet").status == 0)
    let journal = "\(try #require(try project.runFolders().first))/journal.jsonl"
    try "{}\n".write(toFile: journal, atomically: false, encoding: .utf8)
    let next = try await runbook("run", "quick", "--if-due", "--quiet")
    #expect(next.status == 3, "\(next.stderr)")
    #expect(try project.runFolders().count == 1)
  }

  @Test(
    "A run whose journal was changed proves nothing: overdue says so, --if-due runs again, --figure ends as history does",
    arguments: ["start", "byte"])
  func changed(how: String) async throws {
    try await #require(runbook("run", "quick", "--quiet", at: "2026-11-28T06:00:10Z").status == 0)
    let fine = try await runbook("overdue", "quick", at: "2026-11-28T07:00:00Z")
    #expect(fine.status == 0 && fine.stdout.contains("in time  quick"), "\(fine)")
    let folder = try #require(try project.runFolders().first)
    let id = try #require(folder.split(separator: "/").last.map(String.init))
    let journal = "\(folder)/journal.jsonl"
    let text = try String(contentsOfFile: journal, encoding: .utf8)
    var lines = text.components(separatedBy: "\n")
    let (line, old, new) = how == "start" ? (0, "T06:00:1", "T05:00:1") : (2, "T06:00:1", "T06:00:2")
    let changed = lines[line].replacing(old, with: new)
    try #require(changed != lines[line])
    lines[line] = changed
    try lines.joined(separator: "\n").write(toFile: journal, atomically: false, encoding: .utf8)

    let overdue = try await runbook("overdue", "quick", at: "2026-11-28T07:00:00Z")
    #expect(overdue.status == 3 && overdue.stdout.contains("unknown  quick"), "\(overdue)")
    #expect(overdue.stdout.contains("runbook report \(id)") && overdue.stderr.contains(id), "\(overdue)")
    let json = try await runbook("overdue", "quick", "--format", "json", at: "2026-11-28T07:00:00Z")
    let row = try #require(try json.json["runbooks"]?.array?.first)
    #expect(row["overdue"] == .null && row["slots"]?.array?.first?["reason"] == "unverified", "\(json)")
    #expect(try await runbook("report", id).status == 3)
    let figure = try await runbook("history", "quick", "--figure", "act.exitCode")
    #expect(figure.status == 3 && figure.stdout.contains("the run was changed"), "\(figure)")

    let again = try await runbook("run", "quick", "--if-due", "--quiet", at: "2026-11-28T07:00:00Z")
    #expect(again.status == 0 && again.stderr.contains("the journal of \(id) does not verify"), "\(again)")
    #expect(try project.runFolders().count == 2)
    // The new run fills the slot: it is not run a third time.
    let third = try await runbook("run", "quick", "--if-due", at: "2026-11-28T08:00:00Z")
    #expect(third.status == 0 && third.stderr.contains("has run: 0"), "\(third)")
    #expect(try await runbook("overdue", "quick", at: "2026-11-28T08:00:00Z").status == 0)
  }

  @Test(
    "Who may not take locks is told of the very folder, and what to do, whether it is there or not",
    .enabled(if: geteuid() == 0, "it takes root"), arguments: ["missing", "of root", "of a group"])
  func refusedLocks(how: String) async throws {
    try write("locked", "lock: one\n", "[\"true\"]")
    let place = try TemporaryFolder()
    chmod(place.path, 0o755)
    let locks = "\(place.path)/locks"
    if how != "missing" {
      try #require(mkdir(locks, 0o770) == 0 && chmod(locks, 0o770) == 0)
      // Of the group `daemon`, which is there on every host.
      if how == "of a group" { try #require(chown(locks, 0, 1) == 0) }
    }
    let owned = try await project.command(["-R", "65534:65534", project.root], program: "chown").run()
    #expect(project.output(of: owned).status == 0)
    let run = project.output(
      of: try await project.command(
        ["--reuid=65534", "--regid=65534", "--clear-groups", CommandLineProject.executable, "run", "locked"],
        environment: ["RUNBOOK_LOCKS": locks], program: "setpriv"
      ).run())
    // As one line, however it is broken.
    let told = run.stdout.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(run.status == 3 && told.contains(locks), "\(run)")
    let advice =
      switch how {
      case "missing": "install -d -o root -g runbook -m 2770 \(locks)"
      case "of root": "chgrp -R runbook \(locks)"
      default: "usermod -aG daemon nobody"
      }
    #expect(told.contains(advice), "\(run)")
    #expect(!told.contains("ls -ld"), "\(run)")
  }

  @Test("overdue tells of the others where one runbook cannot be read")
  func broken() async throws {
    #expect(try await runbook("run", "quick", "--quiet").status == 0)
    try project.write("runbooks/broken.yaml", "runbook: broken\nperiod: 1d\nsteps: nonsense\n")
    let overdue = try await runbook("overdue")
    #expect(overdue.status == 3, "\(overdue.stderr)")
    #expect(overdue.stdout.contains("unknown  broken  ") && overdue.stdout.contains("in time  quick  "))
  }

  @Test("--if-due needs a period, and runs on what the project declares alone")
  func usage() async throws {
    try write("never", "", "[\"true\"]")
    let never = try await runbook("run", "never", "--if-due")
    #expect(never.status == 2 && never.stderr.contains("has no period"), "\(never.stderr)")
    #expect(try await runbook("run", "quick", "--if-due", "--lab").status == 2)
    #expect(try await runbook("run", "quick", "--if-due", "--only", "act").status == 2)
  }

  @Test(
    "overdue tells what ran, what was caught up and what was missed, and its exit code says whether anything is due")
  func overdue() async throws {
    let never = try await runbook("overdue", "quick")
    #expect(never.status == 1 && never.stdout.contains("has never run"), "\(never.stdout)")
    for time in ["2026-11-20T00:01:00Z", "2026-11-21T09:00:00Z", "2026-11-24T00:00:05Z"] {
      #expect(try await runbook("run", "quick", "--quiet", at: time).status == 0)
    }
    let inTime = try await runbook("overdue", "quick", "--format", "json", at: "2026-11-24T12:00:00Z")
    #expect(inTime.status == 0, "\(inTime.stderr)")
    let row = try #require(try inTime.json["runbooks"]?.array?.first)
    #expect(row["overdue"] == false)
    #expect(row["slots"]?.array?.map { $0["state"] } == ["ran", "missed", "missed", "caughtUp", "ran"])
    #expect(row["slots"]?.array?[1]["reason"] == "noRun")
    let late = try await runbook("overdue", at: "2026-11-26T12:00:00Z")
    #expect(late.status == 1 && late.stdout.contains("missed since 2026-11-25 00:00:00 UTC"), "\(late.stdout)")
    let unknown = try await runbook("overdue", "quik")
    #expect(unknown.status == 2 && unknown.stderr.contains("did you mean quick?"), "\(unknown.stderr)")
  }

  @Test("A run of a slot that died is not begun again by itself; its lock is free, though what it started lives on")
  func died() async throws {
    try write("slow", "period: 1d\nlock: one\n", "[sleep, \"600\"]")
    let running = Task { try await project.command(["run", "slow", "--if-due"], environment: environment).run() }
    let limit = ContinuousClock.now + .seconds(30)
    var pid: Int64?
    while pid == nil, ContinuousClock.now < limit {
      let lines = ((try? project.runFolders()) ?? []).flatMap {
        ((try? String(contentsOfFile: "\($0)/journal.jsonl", encoding: .utf8)) ?? "").split(separator: "\n").map(
          String.init)
      }
      if lines.contains(where: { $0.contains("process.started") }) {
        pid = try lines.first.flatMap { try JSON(parsing: $0)["pid"]?.int }
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    kill(Int32(try #require(pid)), SIGKILL)
    _ = try await running.value
    let free = try await project.command(
      ["--nonblock", "\(project.root)/locks/one.lock", "true"], program: "flock"
    ).run()
    #expect(free.ending == .exited(0))
    let next = try await runbook("run", "slow", "--if-due", "--quiet")
    #expect(next.status == 3 && next.stderr.contains("died: it is not begun again"), "\(next.stderr)")
    #expect(try project.runFolders().count == 1)
    let overdue = try await runbook("overdue", "slow", "--format", "json")
    #expect(overdue.status == 1)
    #expect(try overdue.json["runbooks"]?.array?.first?["slots"]?.array?.first?["reason"] == "died")
    for line in try project.runFolders().flatMap({
      try String(contentsOfFile: "\($0)/journal.jsonl", encoding: .utf8).split(separator: "\n").map(String.init)
    }) where line.contains("process.started") {
      if let left = try JSON(parsing: line)["pid"]?.int { kill(Int32(left), SIGKILL) }
    }
  }

  // MARK: Locks

  @Test("Of 20 runs that start at once one runs; 19 are recorded as skipped, name it, and exit with 4")
  func twenty() async throws {
    try write("locked", "period: 1d\nlock: one\n", "[sh, -c, \"until test -e go; do sleep 0.02; done\"]")
    // Half of them of another project, with a state of its own.
    let other = try CommandLineProject()
    try other.write("runbooks/locked.yaml", try project.read("runbooks/locked.yaml"))
    let environment = environment
    let ends = try await withThrowingTaskGroup(of: CommandLineProject.Output.self) { group in
      for index in 0..<20 {
        let project = index % 2 == 0 ? project : other
        group.addTask { try await project.runbook(["run", "locked", "--quiet"], environment: environment) }
      }
      var ends: [CommandLineProject.Output] = []
      while let end = try await group.next() {
        ends.append(end)
        if ends.count == 19 {
          try project.write("go", "")
          try other.write("go", "")
        }
      }
      return ends
    }
    #expect(ends.map(\.status).sorted() == [0] + Array(repeating: 4, count: 19))
    let folders = try project.runFolders() + other.runFolders()
    #expect(folders.count == 20)
    var findings: [String] = []
    for folder in folders {
      let last = try #require(
        try String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8).split(separator: "\n").last)
      let event = try JSON(parsing: String(last))
      #expect(event["type"] == "run.finished")
      if event["outcome"] == "skipped" { findings.append(event["finding"]?["message"]?.string ?? "") }
    }
    let holder = try #require(
      folders.map { String($0.split(separator: "/").last ?? "") }.first { id in findings.allSatisfy { $0.contains(id) }
      })
    #expect(findings.count == 19 && ULIDs.isOne(holder))
    #expect(findings.allSatisfy { $0.contains("pid ") && $0.contains("since 20") })
    // A lock-skip is no run of the slot.
    let ran = try #require(folders.first { $0.hasSuffix(holder) }).hasPrefix(project.root) ? project : other
    for each in [project, other] {
      let overdue = try await each.runbook(["overdue", "locked"], environment: environment)
      #expect(overdue.status == (each === ran ? 0 : 1), "\(overdue.stdout)\(overdue.stderr)")
      #expect(overdue.stdout.contains("skipped, another run held its lock") == (each !== ran), "\(overdue.stdout)")
    }
  }

  private enum ULIDs {
    static func isOne(_ text: String) -> Bool { text.count == 26 && text.hasPrefix("0") }
  }

  @Test("A lock-skip leaves the slot missed, and the next wake-up catches it up")
  func skippedSlot() async throws {
    try write("locked", "period: 1d\nlock: one\n", "[\"true\"]")
    try FileManager.default.createDirectory(
      atPath: "\(project.root)/locks", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let script =
      "exec 9>>locks/one.lock; flock 9; \"$0\" run locked --if-due --quiet; code=$?; "
      + "\"$0\" overdue locked; echo \"$code $?\""
    let skipped = project.output(
      of: try await project.command(
        ["-c", script, CommandLineProject.executable], environment: environment, program: "/bin/sh"
      ).run())
    #expect(skipped.stdout.contains("skipped, another run held its lock"), "\(skipped)")
    #expect(skipped.stdout.hasSuffix("4 1\n"), "\(skipped)")
    #expect(try await runbook("run", "locked", "--if-due", "--quiet").status == 0)
    #expect(try await runbook("overdue", "locked").status == 0)
  }

  // MARK: What is installed

  @Test(
    "Files are installed once for each runbook, shown, and removed; those of others are left alone",
    arguments: ["cron", "systemd"])
  func install(_ scheduler: String) async throws {
    let folder = try TemporaryFolder()
    let place = ["--folder", folder.path]
    func schedule(_ arguments: String...) async throws -> CommandLineProject.Output {
      try await project.runbook(["schedule"] + arguments + place, environment: [:])
    }
    let installed = try await schedule("install", "quick", "--as", scheduler)
    #expect(installed.status == 0, "\(installed.stderr)")
    let names =
      scheduler == "cron" ? ["runbook-test-quick"] : ["runbook-test-quick.service", "runbook-test-quick.timer"]
    #expect(folder.names() == names)
    #expect(names.allSatisfy { folder.mode($0) == 0o644 })
    #expect(try await schedule("install", "quick", "--as", scheduler).status == 0)
    let shown = try await schedule("show", "quick", "--format", "json")
    let row = try #require(try shown.json["runbooks"]?.array?.first)
    #expect(row["installed"]?.array?.map { $0["current"] } == [true])
    #expect(row["next"]?.array?.count == 3)
    try write("quick", "period: 6h\n", "[\"true\"]")
    let changed = try await schedule("show", "quick", "--format", "json")
    #expect(try changed.json["runbooks"]?.array?.first?["installed"]?.array?.map { $0["current"] } == [false])
    try folder.write(
      "# somebody's own\n", to: names[0] == "runbook-test-quick" ? "runbook-other" : "runbook-other.timer")
    #expect(try await schedule("remove").status == 0)
    #expect(folder.names().count == 1)
    try folder.write("# somebody's own\n", to: names[0])
    let refused = try await schedule("install", "quick", "--as", scheduler)
    #expect(refused.status == 2 && refused.stderr.contains("was not made for"), "\(refused.stderr)")
    #expect(folder.read(names[0]) == "# somebody's own\n")
  }

  @Test("Nothing is installed that could not run, or that would keep its runs elsewhere")
  func installRefused() async throws {
    let folder = try TemporaryFolder()
    let install = ["schedule", "install", "quick", "--as", "cron", "--folder", folder.path]
    let parameter = try await project.runbook(install + ["-p", "nope=1"], environment: [:])
    #expect(parameter.status == 2 && parameter.stderr.contains("nope"), "\(parameter.stderr)")
    let target = try await project.runbook(install + ["--target", "nowhere"], environment: [:])
    #expect(target.status == 2, "\(target.stderr)")
    for variable in ["RUNBOOK_STATE", "RUNBOOK_LOCKS"] {
      let refused = try await project.runbook(install, environment: [variable: "\(folder.path)/other"])
      #expect(refused.status == 2 && refused.stderr.contains("\(variable) is set"), "\(refused.stderr)")
    }
    #expect(folder.names() == [])
  }

  @Test("Without names, what asks a person and what would lack a secret is left out, and told")
  func unattended() async throws {
    let folder = try TemporaryFolder()
    try project.write(
      "runbooks/token.yaml",
      """
      runbook: token
      allow: [observe]
      period: 1d
      secrets: {token: {credential: api-token}}
      steps:
        - {id: act, use: command.run, effect: observe, with: {command: ["true"], secretFiles: {TOKEN: "${secrets.token}"}}}

      """)
    try project.write(
      "runbooks/asks.yaml",
      """
      runbook: asks
      allow: [observe]
      period: 1d
      confirm: Now?
      steps:
        - {id: act, use: command.run, effect: observe, with: {command: ["true"]}}

      """)
    let target =
      "TURN_SERVER=turn:127.0.0.1:3478\nTURN_TLS_SERVER=turns:127.0.0.1:5349\nTURN_USERNAME=alice\nTURN_CREDENTIAL=wrong-horse\n"
    try project.write(".env", target)
    // That the shell has the secret does not help.
    let shell = ["BACKUP_IDENTITY": "AGE-SECRET-KEY-OF-A-TEST"]
    let names = folder.names
    func install(_ scheduler: String, _ more: String...) async throws -> CommandLineProject.Output {
      let arguments = ["schedule", "install", "--as", scheduler, "--folder", folder.path] + more
      let output = try await project.runbook(arguments, environment: shell)
      #expect(output.status == 0, "\(output.stderr)")
      return output
    }
    let cron = try await install("cron")
    #expect(names().contains("runbook-test-quick") && names().contains("runbook-test-daily-health"))
    for (name, reason) in [
      ("quarterly-failover-test", "its step agree asks a person"),
      ("asks", "it asks a person before it begins (confirm)"),
      (
        "quarterly-dr-restore-test",
        "the secret \"backupIdentity\" is missing: BACKUP_IDENTITY is not set where cron starts it"
      ),
      ("token", "the secret \"token\" is missing: CREDENTIALS_DIRECTORY is not set where cron starts it"),
    ] {
      #expect(cron.stderr.contains("left out \(name): \(reason)\n"), "\(cron.stderr)")
      #expect(!names().contains("runbook-test-\(name)"))
    }
    // The command that is told leaves nothing to be asked for.
    #expect(
      cron.stderr.contains("  all the same:  runbook schedule install quarterly-failover-test --as cron -p backup=…\n"))
    try project.write(".env", target + "BACKUP_IDENTITY=AGE-SECRET-KEY-OF-A-TEST\n")
    let systemd = try await install("systemd")
    for name in ["token", "quarterly-dr-restore-test"] {
      #expect(names().contains("runbook-test-\(name).timer") && !systemd.stderr.contains("left out \(name)"))
    }
    #expect(!names().contains("runbook-test-quarterly-failover-test.timer"))
    let shown = try await project.runbook(["schedule", "show", "--as", "systemd"], environment: shell)
    #expect(shown.stdout.contains("# asks is left out: it asks"), "\(shown)")
    #expect(!shown.stdout.contains("runbook-test-asks.timer") && shown.stdout.contains("runbook-test-token.timer"))

    _ = try await project.runbook(
      ["schedule", "install", "asks", "--as", "cron", "--folder", folder.path], environment: shell)
    #expect(names().contains("runbook-test-asks"))
  }

  @Test("Without names, what could never be planned is left out with what to do, and the rest is installed")
  func unplannable() async throws {
    let folder = try TemporaryFolder()
    try project.write(
      "runbooks/needs.yaml",
      """
      runbook: needs
      allow: [observe]
      period: 1d
      params: {limit: {type: string}}
      steps:
        - {id: act, use: command.run, effect: observe, with: {command: [test, -n, "${params.limit}"]}}

      """)
    try project.write("runbooks/broken.yaml", "runbook: broken\nperiod: 1d\nsteps: nonsense\n")
    try project.write(".env", "TURN_SERVER=turn:127.0.0.1:3478\n")
    // What the shell has, cron does not.
    let shell = [
      "TURN_TLS_SERVER": "turns:127.0.0.1:5349", "TURN_USERNAME": "alice", "TURN_CREDENTIAL": "wrong-horse",
    ]
    func install(_ arguments: String...) async throws -> CommandLineProject.Output {
      try await project.runbook(
        ["schedule", "install", "--as", "cron", "--folder", folder.path] + arguments, environment: shell)
    }
    let all = try await install()
    #expect(all.status == 0, "\(all.stderr)")
    #expect(folder.names().contains("runbook-test-quick") && folder.names().contains("runbook-test-daily-host-review"))
    for (name, reason, advice) in [
      (
        "needs", "",
        "  install it with:  runbook schedule install needs --as cron -p limit=…\n"
      ),
      ("quarterly-security-audit", "", "  then:  runbook schedule install quarterly-security-audit --as cron\n"),
      ("broken", "it cannot be read", "  what is wrong:  runbook validate broken\n"),
    ] {
      #expect(all.stderr.contains("left out \(name): \(reason)") && all.stderr.contains(advice), "\(all.stderr)")
      #expect(!folder.names().contains("runbook-test-\(name)"))
    }
    #expect(all.stderr.contains("needs the param \"limit\""), "\(all.stderr)")
    // What is said to work does, and what is refused says what works.
    #expect(try await install("needs", "-p", "limit=3").status == 0)
    #expect(folder.read("runbook-test-needs").contains(" -p limit=3"))
    for several in [[], ["needs", "quick"]] {
      let refused = try await project.runbook(
        ["schedule", "install", "--as", "cron", "--folder", folder.path, "-p", "limit=3"] + several, environment: shell)
      let name = several.first ?? "NAME"
      #expect(refused.status == 2)
      #expect(refused.stderr.contains("runbook schedule install \(name) --as cron -p limit=3"), "\(refused.stderr)")
    }
  }

  @Test("If nothing is left to install, nothing is written, and the exit code is 2")
  func nothingLeft() async throws {
    let folder = try TemporaryFolder()
    let bare = try CommandLineProject(isEmpty: true)
    try bare.write("runbook.yaml", "project: test\n")
    try bare.write(
      "runbooks/probe.yaml",
      "runbook: probe\nperiod: 1d\nsteps:\n  - {id: ask, use: stun.binding, with: {server: \"${target}\"}}\n")
    let output = try await bare.runbook(
      ["schedule", "install", "--as", "cron", "--folder", folder.path],
      environment: ["TURN_SERVER": "turn:127.0.0.1:3478"])
    #expect(output.status == 2 && output.stderr.contains("left out probe: the project has no target"), "\(output)")
    #expect(folder.names() == [])
  }

  @Test("--target is for all that are installed and use a target; the others are installed without it, which is told")
  func targetOfSeveral() async throws {
    let folder = try TemporaryFolder()
    let several = try CommandLineProject(isEmpty: true)
    try several.write(
      "runbook.yaml", "project: test\ntargets:\n  a: {server: \"turn:127.0.0.1\"}\n  b: {server: \"turn:127.0.0.2\"}\n")
    for name in ["one", "two"] {
      try several.write(
        "runbooks/\(name).yaml",
        "runbook: \(name)\nperiod: 1d\nsteps:\n  - {id: ask, use: stun.binding, with: {server: \"${target}\"}}\n")
    }
    try several.write(
      "runbooks/host.yaml",
      "runbook: host\nperiod: 1d\nsteps:\n  - {id: look, use: host.memory, expect: [output.used < 100.0]}\n")
    func install(_ arguments: String...) async throws -> CommandLineProject.Output {
      try await several.runbook(
        ["schedule", "install"] + arguments + ["--as", "cron", "--folder", folder.path], environment: [:])
    }
    let unknown = try await install("--target", "c")
    #expect(unknown.status == 2 && unknown.stderr.contains("there is no target \"c\""), "\(unknown.stderr)")
    #expect(folder.names() == [])
    let unnamed = try await install()
    #expect(unnamed.status == 0 && folder.names() == ["runbook-test-host"], "\(unnamed)")
    #expect(unnamed.stderr.contains("runbook schedule install one --as cron --target …\n"), "\(unnamed.stderr)")
    for arguments in [["one", "two"], []] {
      let installed = try await several.runbook(
        ["schedule", "install"] + arguments + ["--as", "cron", "--folder", folder.path, "--target", "all"],
        environment: [:])
      #expect(installed.status == 0, "\(installed.stderr)")
      #expect(
        installed.stderr.contains("host uses no target, and is installed without --target") == arguments.isEmpty,
        "\(installed.stderr)")
    }
    for name in ["one", "two"] { #expect(folder.read("runbook-test-\(name)").contains(" --target all\n")) }
    #expect(!folder.read("runbook-test-host").contains("--target"))
  }

  @Test("The service hands over the credentials that the runbook declares, and a value keeps its %")
  func credentials() async throws {
    try write("secret", "period: 1d\nsecrets: {token: {credential: api-token}}\n", "[\"true\"]")
    try project.write(
      "runbooks/secret.yaml",
      """
      runbook: secret
      allow: [observe]
      period: 1d
      params: {limit: {type: string}}
      secrets: {token: {credential: api-token}}
      steps:
        - id: act
          use: command.run
          effect: observe
          with: {command: [test, -n, "${params.limit}"], secretFiles: {TOKEN: "${secrets.token}"}}

      """)
    let folder = try TemporaryFolder()
    for scheduler in ["cron", "systemd"] {
      let installed = try await runbook(
        "schedule", "install", "secret", "--as", scheduler, "--folder", folder.path, "-p", "limit=99%")
      #expect(installed.status == 0, "\(installed.stderr)")
    }
    let service = folder.read("runbook-test-secret.service")
    #expect(service.contains("\nLoadCredential=api-token:/etc/credstore/api-token\n"))
    #expect(service.contains(" -p limit=99%%\n"))
    #expect(folder.read("runbook-test-secret").contains(" -p 'limit=99'\\%\n"))
  }

  @Test("What cron would start works in the environment that cron gives, which has next to nothing")
  func bareEnvironment() async throws {
    let folder = try TemporaryFolder()
    #expect(
      try await runbook("schedule", "install", "quick", "--as", "cron", "--folder", folder.path).status == 0)
    let line = try #require(folder.read("runbook-test-quick").split(separator: "\n").last)
    let entry = line.split(separator: " ", omittingEmptySubsequences: true).dropFirst(6).joined(separator: " ")
    let output = project.output(
      of: try await project.command(["-i", "/bin/sh", "-c", "cd / && \(entry)"], program: "env").run())
    #expect(output.status == 0 && output.stdout.isEmpty && output.stderr.isEmpty, "\(output)")
    #expect(try project.runFolders().count == 1)
  }

  @Test("The link by which the program was found is what is started, so that an upgrade can move it")
  func link() async throws {
    let folder = try TemporaryFolder()
    let names = ["current", "other"].map { "\(folder.path)/\($0)" }
    for name in names { try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: false) }
    let (link, other) = ("\(names[0])/runbook", "\(names[1])/runbook")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: CommandLineProject.executable)
    // Another program of this name, found first by who looks on PATH.
    try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: "/bin/true")
    let arguments = "schedule install quick --as cron --folder \(folder.path)"
    func started(_ script: String) async throws -> String {
      let output = project.output(of: try await project.command(["-c", script], program: "/bin/bash").run())
      #expect(output.status == 0, "\(output.stderr)")
      return folder.read("runbook-test-quick")
    }
    #expect(try await started("PATH=\(names[0]):$PATH; exec runbook \(arguments)").contains(" \(link) run quick "))
    #expect(try await started("exec \(link) \(arguments)").contains(" \(link) run quick "))
    // A name that leads elsewhere, and one that says nothing outside of its folder.
    let resolved = URL(filePath: CommandLineProject.executable).resolvingSymlinksInPath().path
    #expect(
      try await started("PATH=\(names[1]); exec -a runbook \(resolved) \(arguments)").contains(
        " \(resolved) run quick "))
    #expect(
      try await started("cd \(names[0]); exec ./runbook --project \(project.root) \(arguments)").contains(
        " \(resolved) run quick "))
    let doctor = project.output(of: try await project.command(["doctor", "--format", "json"], program: link).run())
    #expect(doctor.stdout.contains(", \(link)"), "\(doctor.stdout)")
  }

  // MARK: A real cron

  @Test(
    "cron itself starts the runbook when its slot comes, across the hour that the host's clock skips, and once",
    .enabled(if: geteuid() == 0, "cron needs root"))
  func cron() async throws {
    try write("nightly", "period: 0-5 1 29 3 * UTC\n", "[\"true\"]")
    let folder = try TemporaryFolder()
    #expect(
      try await runbook("schedule", "install", "nightly", "--as", "cron", "--folder", folder.path).status == 0)
    // 2026-03-29: at 01:00 UTC clocks in Berlin go from 02:00 to 03:00.
    let start = try #require(Timestamp("2026-03-29T00:59:55Z")).seconds
    let fake = try #require(
      FileManager.default.contentsOfDirectory(atPath: "/usr/lib").map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
        .first { FileManager.default.fileExists(atPath: $0) })
    let variables = "LD_PRELOAD=\(fake)\nFAKETIME=OFFSET\nFAKETIME_DONT_FAKE_MONOTONIC=1\n"
    try folder.write(variables + folder.read("runbook-test-nightly"), to: "runbook-test-nightly")
    // A mount namespace of its own: cron's folders are fixed when it is built.
    let script = """
      mount -t tmpfs none /var/spool/cron; mkdir -m 1730 /var/spool/cron/crontabs
      mount -t tmpfs none /etc/cron.d
      mount --bind /dev/null /etc/crontab
      mount -t tmpfs none /run
      # However long that took: a few seconds are left to the minute. A slot that is missed all the same is followed by others.
      offset=$(printf %+d $(($2 - $(date +%s))))
      sed "s/OFFSET/$offset/" "$1" >/etc/cron.d/runbook; chmod 644 /etc/cron.d/runbook
      export TZ=Europe/Berlin LD_PRELOAD=\(fake) FAKETIME=$offset FAKETIME_DONT_FAKE_MONOTONIC=1
      exec /usr/sbin/cron -f
      """
    var command = project.command(
      [
        "-m", "--propagation", "private", "/bin/sh", "-ec", script, "sh", "\(folder.path)/runbook-test-nightly",
        "\(start)",
      ],
      program: "unshare")
    command.timeout = .seconds(100)
    let running = Task { [command] in try await command.run() }
    let limit = ContinuousClock.now + .seconds(90)
    var outcomes: [JSON?] = []
    while outcomes.isEmpty, ContinuousClock.now < limit {
      try await Task.sleep(for: .milliseconds(200))
      guard project.exists(".runbook/runs") else { continue }
      outcomes =
        try await project.runbook("history", "nightly", "--format", "json").json.array?
        .filter { $0["outcome"] != .null }.map { $0["startedAt"] } ?? []
    }
    running.cancel()
    let ended = try? await running.value
    #expect(outcomes.count == 1, "\(String(describing: ended))")
    #expect(outcomes.first??.string?.hasPrefix("2026-03-29T01:0") == true, "\(outcomes)")
  }
}
