import Foundation
import Journal
import Processes
import Schema
import Testing

/// Runs that were killed, and are gone on with by `runbook resume`.
@Suite struct ResumeTests {
  /// The steps append their names to `effects`; `act` waits until `go` is there.
  private func project(effect: String = "change", keys: String = "") throws -> CommandLineProject {
    let project = try CommandLineProject()
    func step(_ id: String, _ more: String = "", effect: String = "change") -> String {
      """
        - id: \(id)
          use: command.run\(effect == "observe" ? "\n    effect: observe" : "")
          with: {command: [sh, -c, 'echo \(id) >> "$1/effects"; \(more)', sh, "\(project.root)"]}
          timeout: 1m

      """
    }
    try project.write(
      "runbooks/change.yaml",
      "runbook: change\ntitle: Change\nallow: [change]\n\(keys)steps:\n" + step("first")
        + step("act", #"while [ ! -e "$1/go" ]; do sleep 0.05; done"#, effect: effect) + step("last"))
    return project
  }

  private func effects(_ project: CommandLineProject) throws -> [String] {
    try project.read("effects").split(separator: "\n").map(String.init)
  }

  private func events(_ project: CommandLineProject) throws -> [JSON] {
    let folder = try #require(try project.runFolders().last)
    let text = try String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8)
    return try text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map {
      try JSON(parsing: String($0))
    }
  }

  struct NeverCame: Error {}

  /// Kills a run while `act` is at work, and ends what it started, unless that is to go on.
  @discardableResult
  private func kill(_ project: CommandLineProject, leaving: Bool = false) async throws -> ProcessIdentity {
    async let result = project.command(["run", "change"]).run()
    var child: ProcessIdentity?
    for _ in 0..<600 where child == nil {
      try await Task.sleep(for: .milliseconds(50))
      guard let folder = try? project.runFolders().last,
        FileManager.default.fileExists(atPath: "\(folder)/journal.jsonl"),
        project.exists("effects"), try effects(project).contains("act")
      else { continue }
      let started = try events(project).last { $0["type"] == "process.started" && $0["path"] == "act" }
      guard let started, let pid = started["pid"]?.int, let start = started["startTime"]?.int else { continue }
      child = ProcessIdentity(pid: Int32(pid), startTime: UInt64(start), boot: try #require(started["boot"]?.string))
    }
    let pid = try #require(try events(project).first?["pid"]?.int)
    Glibc.kill(pid_t(pid), SIGKILL)
    _ = try await result
    guard let child else { throw NeverCame() }
    if !leaving { try end(child) }
    return child
  }

  /// Ends a session: its leader first, then what it started.
  private func end(_ child: ProcessIdentity) throws {
    for member in child.sessionMembers { Glibc.kill(member.pid, SIGKILL) }
    for _ in 0..<200 where !child.sessionMembers.isEmpty { usleep(10_000) }
    try #require(child.sessionMembers.isEmpty)
  }

  @Test(
    "A step that may be done only once waits for somebody to tell how it ended, and is not done again if it was done")
  func done() async throws {
    let project = try project()
    try await kill(project)
    let stopped = try await project.runbook("resume", "last")
    #expect(stopped.status == 3)
    #expect(stopped.stderr.contains("it is not known whether a step took effect"), "\(stopped.stderr)")
    #expect(stopped.stderr.contains("step act: command.run cannot tell whether it took effect"))
    #expect(stopped.stderr.contains("runbook resolve 1 act done --reason TEXT"))
    #expect(try effects(project) == ["first", "act"])

    #expect(try await project.runbook("resolve", "1", "act", "done").status == 2)
    #expect(try await project.runbook("resolve", "1", "first", "done", "--reason", "seen").status == 2)
    let told = try await project.runbook("resolve", "1", "act", "done", "--reason", "the log has it")
    #expect(told.status == 0)
    #expect(told.stdout.contains("to go on: runbook resume 1"))

    let ended = try await project.runbook("resume", "1")
    #expect(ended.status == 0, "\(ended.stderr)\(ended.stdout)")
    #expect(try effects(project) == ["first", "act", "last"])
    let types = try events(project).compactMap { $0["type"]?.string }
    #expect(types.count { $0 == "run.resumed" } == 2)
    #expect(types.count { $0 == "step.reconciled" } == 1 && types.count { $0 == "step.resolved" } == 1)
    let report = try await project.runbook("report", "1", "--format", "json").json
    #expect(report["outcome"] == "pass")
    #expect(report.step("act")?["outcome"] == "pass")
    #expect(report.step("act")?["resolved"]?["reason"] == "the log has it")
    #expect(report["resumed"]?.array?.map { $0["retried"] } == [.null, .null])
    let shown = try await project.runbook("report", "1")
    #expect(shown.stdout.contains("act as done by "), "\(shown.stdout)")
    #expect(shown.stdout.contains("after it had died"), "\(shown.stdout)")

    let again = try await project.runbook("resume", "1")
    #expect(again.status == 2)
    #expect(again.stderr.contains("run 1 has ended"), "\(again.stderr)")
  }

  @Test("Who tells that it did nothing has it done when the run goes on; who tells that it failed has the run fail")
  func otherEndings() async throws {
    let project = try project()
    try await kill(project)
    try project.write("go", "")
    let told = try await project.runbook("resolve", "last", "act", "not-done", "--reason", "the log has nothing")
    #expect(told.status == 0)
    #expect(try await project.runbook("resume", "last", "--quiet").status == 0)
    #expect(try effects(project) == ["first", "act", "act", "last"])

    let other = try self.project()
    try await kill(other)
    #expect(try await other.runbook("resolve", "last", "act", "failed", "--reason", "half of it").status == 0)
    let failed = try await other.runbook("resume", "last")
    #expect(failed.status == 1)
    #expect(failed.stdout.contains("says that the step failed: half of it"), "\(failed.stdout)")
    #expect(try effects(other) == ["first", "act"])
  }

  @Test("A step that only reads is begun again")
  func observe() async throws {
    let project = try project(effect: "observe")
    try await kill(project)
    try project.write("go", "")
    let ended = try await project.runbook("resume", "last")
    #expect(ended.status == 0, "\(ended.stderr)")
    #expect(try effects(project) == ["first", "act", "act", "last"])
  }

  @Test("Nothing is done as long as something of the dead run still runs")
  func alive() async throws {
    let project = try project(effect: "observe")
    let child = try await kill(project, leaving: true)
    defer { for member in child.sessionMembers { Glibc.kill(member.pid, SIGKILL) } }
    let refused = try await project.runbook("resume", "last")
    #expect(refused.status == 2)
    #expect(refused.stderr.contains("run 1 died, but what it started still runs: step act: "), "\(refused.stderr)")
    #expect(refused.stderr.contains("kill \(child.pid)"))
    #expect(!(try events(project).contains { $0["type"] == "run.resumed" }))
    #expect(try await project.runbook("cancel", "last").status == 2)
    try end(child)
    try project.write("go", "")
    #expect(try await project.runbook("resume", "last", "--quiet").status == 0)
  }

  @Test("The next run tells which run died, what may have taken effect, and what to type")
  func hint() async throws {
    let project = try project()
    try await kill(project)
    try project.write("go", "")
    let next = try await project.runbook("run", "change", "--quiet")
    #expect(next.stderr.contains("it was at work, and may have taken effect: act"), "\(next.stderr)")
    #expect(next.stderr.contains("to go on with it: runbook resume 1; to record that it is over: runbook cancel 1"))
  }

  // MARK: What keeps a run from being gone on with

  /// A run that died before its last step, by its journal: its end is cut off.
  private func cutRun() async throws -> (project: CommandLineProject, folder: String) {
    let project = try project()
    try project.write("go", "")
    #expect(try await project.runbook("run", "change", "--quiet").status == 0)
    let folder = try #require(try project.runFolders().last)
    try cut(folder, to: try lines(upToEndOf: "act", project))
    return (project, folder)
  }

  /// How many lines the journal has up to the end of a step.
  private func lines(upToEndOf step: String, _ project: CommandLineProject) throws -> Int {
    let index = try events(project).lastIndex { $0["type"] == "step.finished" && $0["path"]?.string == step }
    return try #require(index) + 1
  }

  private func cut(_ folder: String, to count: Int, torn: String = "") throws {
    let url = URL(filePath: "\(folder)/journal.jsonl")
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    try Data((lines.prefix(count).map { "\($0)\n" }.joined() + torn).utf8).write(to: url)
  }

  @Test("A torn last line is kept aside, recorded, and the run goes on")
  func torn() async throws {
    let (project, folder) = try await cutRun()
    try cut(folder, to: try lines(upToEndOf: "act", project), torn: #"{"v":2,"run":"#)
    let ended = try await project.runbook("resume", "last")
    #expect(ended.status == 0, "\(ended.stderr)")
    #expect(try effects(project) == ["first", "act", "last", "last"])
    let recovered = try #require(try events(project).first { $0["type"] == "journal.recovered" })
    let file = try #require(recovered["file"]?.string)
    #expect(try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8) == #"{"v":2,"run":"#)
  }

  @Test(
    "A file of the run that is missing or was altered keeps it from going on; a file of the project that changed is told of"
  )
  func files() async throws {
    let (project, folder) = try await cutRun()
    let kept = "\(folder)/sources/runbooks/change.yaml"
    let bytes = try Data(contentsOf: URL(filePath: kept))
    try FileManager.default.removeItem(atPath: kept)
    let missing = try await project.runbook("resume", "last")
    #expect(missing.status == 2)
    #expect(missing.stderr.contains("run 1 is not whole: \(kept) is missing"), "\(missing.stderr)")

    try Data((String(decoding: bytes, as: UTF8.self) + "# more\n").utf8).write(to: URL(filePath: kept))
    let altered = try await project.runbook("resume", "last")
    #expect(altered.status == 3)
    #expect(altered.stderr.contains("\(kept) was altered"), "\(altered.stderr)")

    try bytes.write(to: URL(filePath: kept))
    try project.write("runbooks/change.yaml", "runbook: change\ntitle: Another\nsteps: []\n")
    let ended = try await project.runbook("resume", "last")
    #expect(ended.stderr.contains("note: changed since the run began, and not taken: runbooks/change.yaml"))
    let resumed = try #require(try events(project).first { $0["type"] == "run.resumed" })
    #expect(resumed["drift"] == ["runbooks/change.yaml"])
    #expect(resumed["pid"]?.int != nil && resumed["startTime"]?.int != nil)
  }

  @Test("An output that is missing keeps the run from going on, and from being reported; with it back the run goes on")
  func missingOutput() async throws {
    let project = try CommandLineProject(isEmpty: true)
    try project.write("runbook.yaml", "project: test\n")
    try project.write(
      "runbooks/large.yaml",
      """
      runbook: large
      steps:
        - {id: large, use: command.run, effect: observe, with: {command: [seq, "20000"]}}
        - {id: last, use: command.run, effect: observe, with: {command: ["true"]}}

      """)
    #expect(try await project.runbook("run", "large", "--quiet").status == 0)
    let folder = try #require(try project.runFolders().last)
    try cut(folder, to: try lines(upToEndOf: "large", project))
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/outputs").first)
    let output = "\(folder)/outputs/\(name)"
    try FileManager.default.moveItem(atPath: output, toPath: "\(project.root)/kept")
    let before = try events(project)
    for arguments in [["resume", "last"], ["report", "last"]] {
      let refused = try await project.runbook(arguments, environment: [:])
      #expect(refused.status == 3)
      #expect(refused.stderr.contains("\(output) is missing: the journal refers to it"), "\(refused.stderr)")
    }
    #expect(try events(project) == before)
    try FileManager.default.moveItem(atPath: "\(project.root)/kept", toPath: output)
    #expect(try await project.runbook("resume", "last", "--quiet").status == 0)
  }

  @Test("A clock that was set back by an hour is told, and no duration is wrong by it (threat 26)")
  func clockBack() async throws {
    let (project, _) = try await cutRun()
    let ended = project.output(
      of: try await project.command(
        ["-m", "-f", "-1h", CommandLineProject.executable, "resume", "last", "--format", "json"],
        environment: ["FAKETIME_DONT_FAKE_MONOTONIC": "1"], program: "faketime"
      ).run())
    #expect(ended.status == 0, "\(ended.stderr)")
    #expect(try effects(project) == ["first", "act", "last", "last"])
    let stepped = try #require(try events(project).first { $0["type"] == "clock.stepped" })
    let back = try #require(stepped["back"]?.string.flatMap(parseDuration))
    #expect((Duration.seconds(3599)...Duration.seconds(3601)).contains(back))
    let report = try ended.json
    guard case .double(let duration)? = report["durationMs"] else { throw NeverCame() }
    #expect(duration > 0 && duration < 60_000)
    let shown = try await project.runbook("report", "last")
    #expect(shown.stdout.contains("the wall clock went back by 1h00m"), "\(shown.stdout)")
    let history = try await project.runbook("history")
    #expect(history.status == 0 && !history.stdout.contains("-59m"), "\(history.stdout)")
  }

  @Test("What is written into the runbook while it runs counts for the next run (threat 18)")
  func editedMeanwhile() async throws {
    let project = try project()
    let before = try project.read("runbooks/change.yaml")
    async let result = project.command(["run", "change", "--quiet"]).run()
    for _ in 0..<600 {
      if project.exists("effects"), try effects(project).contains("act") { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    try project.write("runbooks/change.yaml", before.replacing("echo last", with: "echo other"))
    try project.write("go", "")
    let ended = project.output(of: try await result)
    #expect(ended.status == 0, "\(ended.stderr)")
    #expect(try effects(project) == ["first", "act", "last"])
    let folder = try #require(try project.runFolders().last)
    #expect(try String(contentsOfFile: "\(folder)/sources/runbooks/change.yaml", encoding: .utf8) == before)
    #expect(try await project.runbook("run", "change", "--quiet").status == 0)
    #expect(try effects(project).last == "other")
  }

  @Test("A secret that is gone keeps the run from going on; it is read anew, and stays out of the journal")
  func secret() async throws {
    let project = try project(keys: "secrets: {token: {env: TOKEN}}\n")
    try project.write("go", "")
    let environment = ["TOKEN": "correct-horse-battery"]
    let ran = try await project.runbook("run", "change", "--quiet", environment: environment)
    #expect(ran.status == 0, "\(ran.stderr)")
    let folder = try #require(try project.runFolders().last)
    try cut(folder, to: 5)
    let refused = try await project.runbook("resume", "last")
    #expect(refused.status == 2)
    #expect(refused.stderr.contains("TOKEN"), "\(refused.stderr)")
    #expect(!(try events(project).contains { $0["type"] == "run.resumed" }))
    _ = try await project.runbook("resume", "last", environment: environment)
    #expect(try events(project).contains { $0["type"] == "run.resumed" })
    #expect(!(try String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8)).contains("correct-horse"))
  }

  @Test("A run that died is recorded as over, with an unknown result, and never gone on with")
  func cancelDead() async throws {
    let project = try project()
    try await kill(project)
    let cancelled = try await project.runbook("cancel", "last", "--reason", "the host is replaced")
    #expect(cancelled.status == 0, "\(cancelled.stderr)")
    #expect(cancelled.stdout.contains("it is not known whether these took effect: act"))
    let report = try await project.runbook("report", "last")
    #expect(report.status == 0, "\(report.stderr)")
    #expect(report.stdout.contains("the host is replaced"), "\(report.stdout)")
    #expect(try await project.runbook("resume", "last").status == 2)
    #expect(try await project.runbook("cancel", "last").status == 2)
    #expect(try effects(project) == ["first", "act"])
    #expect(try await project.runbook("history").stdout.contains("indeterminate"))
  }

  @Test("A run that goes on is asked to end, and ends in order")
  func cancelLiving() async throws {
    let project = try project()
    async let result = project.command(["run", "change"]).run()
    for _ in 0..<600 {
      if project.exists("effects"), try effects(project).contains("act") { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    let refused = try await project.runbook("resume", "last")
    #expect(refused.status == 2)
    #expect(refused.stderr.contains("run 1 goes on: another process is writing to its journal"), "\(refused.stderr)")
    let cancelled = try await project.runbook("cancel", "last")
    #expect(cancelled.status == 0, "\(cancelled.stderr)")
    let ended = project.output(of: try await result)
    #expect(ended.status == 128 + SIGTERM)
    #expect(try events(project).last?["signal"] == 15)
    #expect(try effects(project) == ["first", "act"])
  }

  @Test("A run is gone on with on its own host, with the target that it had, and only as it was planned")
  func elsewhere() async throws {
    let project = try CommandLineProject()
    let server = ["TURN_SERVER": "turn:127.0.0.1:1"]
    try project.write(
      "runbooks/change.yaml",
      "runbook: change\ntitle: Change\nallow: [change]\nsteps:\n"
        + ["first", "last"].map {
          "  - {id: \($0), use: command.run, with: {command: [sh, -c, 'echo \($0) >> \(project.root)/effects'], env: {T: \"${target.name}\"}}}\n"
        }.joined())
    #expect(try await project.runbook("run", "change", "--quiet", environment: server).status == 0)
    let folder = try #require(try project.runFolders().last)
    try cut(folder, to: try lines(upToEndOf: "first", project))
    func refusal(_ environment: [String: String]) async throws -> String {
      let refused = try await project.runbook("resume", "1", environment: environment)
      #expect(refused.status == 2, "\(refused.stdout)")
      return refused.stderr
    }
    let another = try await refusal(["TURN_SERVER": "turn:127.0.0.2:1"])
    #expect(another.contains("is another one than when run 1 began: it was turn:127.0.0.1:1"), "\(another)")
    let gone = try await refusal([:])
    #expect(gone.contains("of run 1 is not there any more"), "\(gone)")

    // Chains that are sound, of another host and of another plan.
    let whole = try String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8)
    try rewrite(folder) {
      $0.replacing(try Regex(#""machineIdHash":("[0-9a-f]*"|null)"#), with: #""machineIdHash":"00""#)
    }
    let elsewhere = try await refusal(server)
    #expect(elsewhere.contains("run 1 was started on another host"), "\(elsewhere)")
    try Data(whole.utf8).write(to: URL(filePath: "\(folder)/journal.jsonl"))
    try rewrite(folder) { $0.replacing(#""path":"last","title":"last""#, with: #""path":"last","title":"other""#) }
    let edited = try await refusal(server)
    #expect(edited.contains("the steps of run 1 cannot be made again as they were"), "\(edited)")
    try Data(whole.utf8).write(to: URL(filePath: "\(folder)/journal.jsonl"))
    #expect(try await project.runbook("resume", "1", "--quiet", environment: server).status == 0)
    #expect(try effects(project) == ["first", "last", "last"])
  }

  /// Changes the lines of a journal and chains them anew.
  private func rewrite(_ folder: String, _ change: (String) throws -> String) throws {
    let url = URL(filePath: "\(folder)/journal.jsonl")
    var previous = String(repeating: "0", count: 64)
    var lines: [String] = []
    for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
      let changed = try change(String(line)).replacing(
        try Regex(#""prev":"[0-9a-f]{64}""#), with: "\"prev\":\"\(previous)\"", maxReplacements: 1)
      previous = sha256Hex(changed.utf8)
      lines.append(changed)
    }
    try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: url)
  }

  @Test("A run is not gone on with while another holds one of its locks, and holds it itself to its end")
  func locks() async throws {
    let project = try project(keys: "lock: one\n")
    try FileManager.default.createDirectory(
      atPath: "\(project.root)/locks", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let environment = ["RUNBOOK_LOCKS": "\(project.root)/locks"]
    try project.write("go", "")
    #expect(try await project.runbook("run", "change", "--quiet", environment: environment).status == 0)
    let folder = try #require(try project.runFolders().last)
    try cut(folder, to: try lines(upToEndOf: "act", project))
    let before = try effects(project)
    let held = try await project.command(
      ["--nonblock", "\(project.root)/locks/one.lock", CommandLineProject.executable, "resume", "1"],
      environment: environment, program: "flock"
    ).run()
    let refused = project.output(of: held)
    #expect(refused.status == 2, "\(refused.stderr)")
    #expect(refused.stderr.contains("the lock \"one\" is held"), "\(refused.stderr)")
    #expect(try effects(project) == before)
    #expect(try await project.runbook("resume", "1", "--quiet", environment: environment).status == 0)
    #expect(try effects(project) == before + ["last"])
  }

  // MARK: What failed

  /// `first` passes, `act` fails until `go` is there, `last` comes after it; each notes down that it was tried.
  private func failingProject(_ keys: String = "") throws -> CommandLineProject {
    let project = try CommandLineProject()
    func step(_ id: String, _ more: String = "true") -> String {
      "  - {id: \(id), use: command.run, with: {command: [sh, -c, 'echo \(id) >> \(project.root)/effects; \(more)']}}\n"
    }
    try project.write(
      "runbooks/change.yaml",
      "runbook: change\ntitle: Change\nallow: [change]\n\(keys)steps:\n" + step("first")
        + step("act", "test -e \(project.root)/go") + step("last") + "finally:\n" + step("tidy"))
    return project
  }

  @Test("What failed is tried anew once somebody mended it, what passed is not; the report says who did so and when")
  func retryFailed() async throws {
    let project = try failingProject()
    #expect(try await project.runbook("run", "change", "--quiet").status == 1)
    #expect(try effects(project) == ["first", "act", "tidy"])
    let plain = try await project.runbook("resume", "1")
    #expect(plain.status == 2)
    #expect(plain.stderr.contains("runbook resume 1 --retry-failed"), "\(plain.stderr)")

    // It fails as before, and can be tried anew again.
    let failed = try await project.runbook("resume", "1", "--retry-failed", "--quiet")
    #expect(failed.status == 1, "\(failed.stderr)")
    try project.write("go", "")
    let passed = try await project.runbook("resume", "1", "--retry-failed")
    #expect(passed.status == 0, "\(passed.stderr)\(passed.stdout)")
    #expect(try effects(project) == ["first", "act", "tidy", "act", "tidy", "act", "last", "tidy"])

    let text = try await project.runbook("report", "1")
    #expect(text.status == 0, "\(text.stderr)")
    #expect(text.stdout.contains("PASS  change"), "\(text.stdout)")
    let user = try #require(try events(project).first?["user"]?.string)
    let lines = text.stdout.split(separator: "\n").filter { $0.hasPrefix("retried ") }
    #expect(lines.count == 2 && lines.allSatisfy { $0.contains(" by \(user): act, last") }, "\(text.stdout)")
    let json = try await project.runbook("report", "1", "--format", "json").json
    #expect(json["resumed"]?.array?.count == 2)
    #expect(json["resumed"]?.array?.last?["retried"] == ["act", "last"])
    #expect(json["steps"]?.array?.compactMap { $0["id"]?.string } == ["first", "act", "last", "tidy"])
    #expect(json.step("act")?["outcome"] == "pass")
    let history = try await project.runbook("history", "--format", "json")
    #expect(history.stdout.contains("\"outcome\": \"pass\"") || history.stdout.contains("\"outcome\":\"pass\""))

    let nothing = try await project.runbook("resume", "1", "--retry-failed")
    #expect(nothing.status == 2)
    #expect(nothing.stderr.contains("run 1 ended in pass: nothing of it failed"), "\(nothing.stderr)")
  }

  @Test("A run that died while it tried anew what failed is gone on with as any other")
  func deathInRetry() async throws {
    let project = try failingProject()
    #expect(try await project.runbook("run", "change", "--quiet").status == 1)
    try project.write("go", "")
    #expect(try await project.runbook("resume", "1", "--retry-failed", "--quiet").status == 0)
    let folder = try #require(try project.runFolders().last)
    try cut(folder, to: try lines(upToEndOf: "act", project))
    let again = try await project.runbook("resume", "1", "--retry-failed")
    #expect(again.status == 2)
    #expect(again.stderr.contains("go on with it first: runbook resume 1"), "\(again.stderr)")
    let effects = try effects(project)
    #expect(try await project.runbook("resume", "1", "--quiet").status == 0)
    #expect(try self.effects(project) == effects + ["last", "tidy"])
    let json = try await project.runbook("report", "1", "--format", "json").json
    #expect(json["outcome"] == "pass")
    #expect(json["resumed"]?.array?.map { $0["retried"] == .null } == [false, true])
  }

  @Test("A run that took its steps back, or that was given up, is not retried: it is started anew")
  func notRetried() async throws {
    let project = try failingProject("rollback: onFailure\n")
    let path = "runbooks/change.yaml"
    let undo = "    undo: [{id: back, use: command.run, with: {command: [\"true\"]}}]\n"
    let text = try project.read(path)
    let step = try #require(text.split(separator: "\n").first { $0.contains("id: first") })
    let use = step.dropFirst("  - {".count).dropLast()
    try project.write(
      path,
      text.replacing(
        step + "\n",
        with: "  - \(use.replacing(", use:", with: "\n    use:").replacing(", with:", with: "\n    with:"))\n" + undo))
    let ran = try await project.runbook("run", "change", "--quiet")
    #expect(ran.status == 1, "\(ran.stderr)")
    let refused = try await project.runbook("resume", "1", "--retry-failed")
    #expect(refused.status == 2)
    #expect(refused.stderr.contains("run 1 took back what its steps had done"), "\(refused.stderr)")
    #expect(refused.stderr.contains("start it anew: runbook run change"))

    let other = try self.project()
    try await kill(other)
    #expect(try await other.runbook("cancel", "1").status == 0)
    let given = try await other.runbook("resume", "1", "--retry-failed")
    #expect(given.status == 2)
    #expect(given.stderr.contains("was given up with runbook cancel"), "\(given.stderr)")
  }

  // MARK: Several targets

  @Test(
    "A run over several targets that was killed goes on: what still runs is named, what is not known is asked for, the rest is done"
  )
  func fleet() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      "project: test\ntargets:\n" + (1...3).map { "  t\($0): {server: \"turn:127.0.0.1:\($0)\"}\n" }.joined())
    try project.write(
      "runbooks/change.yaml",
      """
      runbook: change
      title: Change
      allow: [change]
      steps:
        - id: act
          use: command.run
          with:
            command: [sh, -c, 'echo "$T" >> "$1/effects"; test "$T" != t2 || while [ ! -e "$1/go" ]; do sleep 0.05; done', sh, "\(project.root)"]
            env: {T: "${target.name}"}
          timeout: 1m

      """)
    async let result = project.command(["run", "change", "--target", "all", "--rolling", "1"]).run()
    var child: ProcessIdentity?
    for _ in 0..<600 where child == nil {
      try await Task.sleep(for: .milliseconds(50))
      guard project.exists("effects"), try effects(project).contains("t2") else { continue }
      let started = try events(project).last { $0["type"] == "process.started" }
      guard let pid = started?["pid"]?.int, let start = started?["startTime"]?.int,
        let boot = started?["boot"]?.string
      else { continue }
      child = ProcessIdentity(pid: Int32(pid), startTime: UInt64(start), boot: boot)
    }
    let running = try #require(child)
    let pid = try #require(try events(project).first?["pid"]?.int)
    Glibc.kill(pid_t(pid), SIGKILL)
    _ = try await result

    let warned = try await project.runbook("resume", "1")
    #expect(warned.status == 2)
    #expect(warned.stderr.contains("but what it started still runs: step act"), "\(warned.stderr)")
    try end(running)
    let open = try await project.runbook("resume", "1")
    #expect(open.status == 3)
    #expect(open.stderr.contains("run 1 of change cannot end yet"), "\(open.stderr)")
    #expect(open.stderr.contains("runbook resolve 3 act done --reason TEXT"), "\(open.stderr)")
    #expect(open.stderr.contains("and then: runbook resume 1"))
    #expect(try effects(project) == ["t1", "t2", "t3"])
    #expect(try await project.runbook("resolve", "3", "act", "done", "--reason", "seen").status == 0)
    let ended = try await project.runbook("resume", "1")
    #expect(ended.status == 0, "\(ended.stderr)\(ended.stdout)")
    #expect(try effects(project) == ["t1", "t2", "t3"])
    let report = try await project.runbook("report", "1", "--format", "json").json
    #expect(report["children"]?.array?.map { $0["outcome"] } == ["pass", "pass", "pass"])
  }

  @Test("A run over several targets that died is given up as a whole, and tells what was never begun")
  func cancelFleet() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      "project: test\ntargets:\n" + (1...3).map { "  t\($0): {server: \"turn:127.0.0.1:\($0)\"}\n" }.joined())
    try project.write(
      "runbooks/look.yaml",
      "runbook: look\ntitle: Look\nsteps:\n"
        + "  - {id: see, use: command.run, effect: observe, with: {command: [\"true\"], env: {T: \"${target.name}\"}}}\n"
    )
    #expect(try await project.runbook("run", "look", "--target", "all", "--rolling", "1", "--quiet").status == 0)
    let folders = try project.runFolders()
    try #require(folders.count == 4)
    let parent = folders[0]
    let lines = try String(contentsOfFile: "\(parent)/journal.jsonl", encoding: .utf8).split(separator: "\n")
    let second = try #require(lines.indices.filter { lines[$0].contains("\"child.started\"") }.dropFirst().first)
    try cut(parent, to: second + 1)
    try FileManager.default.removeItem(atPath: folders[3])
    let child = try String(contentsOfFile: "\(folders[2])/journal.jsonl", encoding: .utf8).split(separator: "\n")
    try cut(folders[2], to: child.count - 1)
    let cancelled = try await project.runbook("cancel", "1")
    #expect(cancelled.status == 0, "\(cancelled.stderr)")
    let report = try await project.runbook("report", "1", "--format", "json").json
    #expect(report["outcome"] == "indeterminate")
    #expect(report["children"]?.array?.map { $0["outcome"] } == ["pass", "indeterminate", "skipped"])
    #expect(try await project.runbook("report", "3").stdout.contains("run.cancelled"))
    #expect(try await project.runbook("resume", "1").status == 2)
  }

  // MARK: Questions

  @Test("A question waits on in the run that is gone on with; of two that go on with it one is refused")
  func question() async throws {
    let asking = try AskingProject(
      """
        - id: ok
          use: manual.confirm
          with: {question: "Go on?"}
          timeout: 1h
      """)
    async let died = asking.project.command(["run", "ask"]).run()
    try await asking.wait(for: "person.asked")
    let pid = try #require(try asking.events("run.started").first?["pid"]?.int)
    Glibc.kill(pid_t(pid), SIGKILL)
    _ = try await died
    let until = try #require(try asking.events("person.asked").first?["until"]?.string)

    async let resumed = asking.project.command(["resume", "last"]).run()
    try await asking.wait(for: "run.resumed")
    let second = try await asking.project.runbook("resume", "last")
    #expect(second.status == 2)
    #expect(second.stderr.contains("run 1 goes on"), "\(second.stderr)")
    let listed = try await asking.approve("--format", "json").json
    #expect(listed["questions"]?.array?.first?["until"]?.string == until)
    #expect(try await asking.approve("last", "ok").status == 0)
    let ended = asking.project.output(of: try await resumed)
    #expect(ended.status == 0, "\(ended.stderr)\(ended.stdout)")
    #expect(try asking.events("person.asked").count == 1)
    #expect(try asking.events("person.answered").count == 1)
  }

  @Test("An answer that came into the inbox while the run was dead is taken when it goes on")
  func answeredWhileDead() async throws {
    let asking = try AskingProject(
      """
        - id: ok
          use: manual.confirm
          with: {question: "Go on?"}
          timeout: 1h
      """)
    async let died = asking.project.command(["run", "ask"]).run()
    try await asking.wait(for: "person.asked")
    let pid = try #require(try asking.events("run.started").first?["pid"]?.int)
    Glibc.kill(pid_t(pid), SIGKILL)
    _ = try await died
    let digest = try #require(try asking.events("person.asked").first?["digest"]?.string)
    let folder = try #require(try asking.project.runFolders().last)
    let answer = "\(folder)/inbox/\(digest).01KBHYXV80ABCDEFGHJKMNPQRS"
    try Data(#"{"schema": "runbook.answer/1", "digest": "\#(digest)", "accepted": true}"#.utf8)
      .write(to: URL(filePath: answer))
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: answer)
    let ended = try await asking.project.runbook("resume", "last")
    #expect(ended.status == 0, "\(ended.stderr)\(ended.stdout)")
    #expect(try asking.events("person.answered").first?["accepted"] == true)
  }
}
