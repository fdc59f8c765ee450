import Foundation
import Processes
import Schema
import Testing

/// Runs that were killed, the processes that they left, and who tells of them.
@Suite struct DeadRunTests {
  private func project(_ command: String = "[sleep, \"600\"]") throws -> CommandLineProject {
    let project = try CommandLineProject()
    try write(command, to: project)
    return project
  }

  private func write(_ command: String, to project: CommandLineProject) throws {
    try project.write(
      "runbooks/slow.yaml",
      """
      runbook: slow
      title: Slow
      allow: [change]
      steps:
        - id: wait
          use: command.run
          with: {command: \(command)}
          timeout: 10m
        - {id: after, use: command.run, with: {command: ["true"]}}
        - {id: last, use: command.run, with: {command: ["true"]}}

      """)
  }

  struct NeverBegan: Error {}

  /// Kills a run once its journal names the process that it started.
  private func killRun(
    _ project: CommandLineProject, _ arguments: [String] = ["run", "slow"], processes: Int = 1
  ) async throws -> [JSON] {
    async let result = project.command(arguments).run()
    var started: [JSON] = []
    var pid: Int64?
    for _ in 0..<600 where started.count < processes {
      let lines = try project.lines()
      started = lines.filter { $0["type"] == "process.started" }
      pid = lines.first { $0["type"] == "run.started" }?["pid"]?.int
      if started.count < processes { try await Task.sleep(for: .milliseconds(50)) }
    }
    guard started.count == processes, let pid else { throw NeverBegan() }
    kill(Int32(pid), SIGKILL)
    _ = try await result
    return started
  }

  private func identity(_ event: JSON) throws -> ProcessIdentity {
    ProcessIdentity(
      pid: Int32(try #require(event["pid"]?.int)), startTime: UInt64(try #require(event["startTime"]?.int)),
      boot: try #require(event["boot"]?.string))
  }

  @Test("What a killed run left running is told by its report, by history and by the next run; what has ended, too")
  func alive() async throws {
    let project = try project()
    let child = try identity(try #require(try await killRun(project).first))
    defer { _ = child.end(grace: .seconds(1)) }
    #expect(child.isRunning)

    let report = try await project.runbook("report", "last").stdout
    #expect(report.contains("step wait: sleep (pid \(child.pid)) still runs"), "\(report)")
    #expect(report.contains("to end what still runs: kill \(child.pid)"))
    #expect(report.contains("1 of 3 steps without an end, 2 not begun"))
    let json = try await project.runbook("report", "last", "--format", "json").json
    #expect(
      json["processes"] == [
        [
          "step": "wait", "program": "sleep", "pid": .int(Int64(child.pid)), "running": true,
          "pids": [.int(Int64(child.pid))],
        ]
      ])
    #expect(json.step("last")?["outcome"] == "skipped")
    let history = try await project.runbook("history").stdout
    let words = history.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains(" died ") && words.contains("slow, left running: sleep (pid \(child.pid))"), "\(history)")

    try write("[\"true\"]", to: project)
    let next = try await project.runbook("run", "slow", "--quiet")
    #expect(next.status == 0)
    #expect(next.stderr.contains("warning: run 1 of slow, started "), "\(next.stderr)")
    #expect(next.stderr.contains("runbook report 1"))
    #expect(next.stderr.contains("step wait: sleep (pid \(child.pid)) still runs"))
    #expect(next.stderr.contains("kill \(child.pid)"))

    #expect(child.end(grace: .seconds(5)))
    let later = try await project.runbook("report", "1").stdout
    #expect(later.contains("step wait: sleep (pid \(child.pid)) has ended since"), "\(later)")
    #expect(!later.contains("kill "))
    // It was told of; the run that ended since is the last.
    #expect(try await project.runbook("run", "slow", "--quiet").stderr.isEmpty)
  }

  @Test("What a command started is found by its session after the command itself has ended")
  func orphan() async throws {
    let project = try project("[sh, -c, 'sleep 600 & wait']")
    let shell = try identity(try #require(try await killRun(project).first))
    // The child bears the shell's name until it has become `sleep`.
    for _ in 0..<200 where !shell.sessionMembers.contains(where: { $0.name == "sleep" }) {
      try await Task.sleep(for: .milliseconds(20))
    }
    let sleeper = try #require(shell.sessionMembers.first { $0.name == "sleep" })
    defer { kill(sleeper.pid, SIGKILL) }
    #expect(shell.end(grace: .zero))
    let report = try await project.runbook("report", "last").stdout
    #expect(
      report.contains(
        "step wait: sh (pid \(shell.pid)) has ended, but what it started still runs: sleep (pid \(sleeper.pid))"),
      "\(report)")
  }

  @Test("A process that was given the number since is not taken for it, nor one of another boot, host or namespace")
  func reused() async throws {
    let project = try project()
    let event = try #require(try await killRun(project).first)
    let child = try identity(event)
    defer { _ = child.end(grace: .seconds(1)) }
    let journal = "\(try #require(try project.runFolders().first))/journal.jsonl"
    let whole = try String(contentsOfFile: journal, encoding: .utf8)
    let start = whole.index(after: try #require(whole.dropLast().lastIndex(of: "\n")))
    let last = String(whole[start...])
    #expect(last.contains("\"type\":\"process.started\""))
    // The last line has no successor that would show the change.
    func report(_ old: String, _ new: String) async throws -> String {
      #expect(last.contains(old))
      try Data((whole[..<start] + last.replacing(old, with: new)).utf8).write(to: URL(filePath: journal))
      return try await project.runbook("report", "last").stdout
    }
    let ended = "sleep (pid \(child.pid)) has ended since"
    #expect(
      try await report("\"startTime\":\(child.startTime)", "\"startTime\":\(child.startTime - 1)").contains(ended))
    #expect(try await report(child.boot, "00000000-0000-0000-0000-000000000000").contains(ended))
    let unknown = try await report("\"pidNamespace\":\"pid:", "\"pidNamespace\":\"elsewhere:")
    #expect(unknown.contains("this host cannot tell whether it still is"), "\(unknown)")
  }

  @Test("Of a killed run over several targets the next one tells what each target's run left")
  func fleet() async throws {
    let project = try project("[sh, -c, 'exec sleep \"$1\"', sh, \"60${target.name}\"]")
    try project.write(
      "runbook.yaml",
      """
      project: fleet
      targets:
        "1": {server: "turn:127.0.0.1:9"}
        "2": {server: "turn:127.0.0.1:9"}

      """)
    let children = try await killRun(project, ["run", "slow", "--target", "all"], processes: 2).map(identity)
    defer { for child in children { _ = child.end(grace: .seconds(1)) } }
    try write("[echo, \"${target.name}\"]", to: project)
    let next = try await project.runbook("run", "slow", "--target", "all", "--quiet")
    for child in children {
      #expect(next.stderr.contains("step wait: sh (pid \(child.pid)) still runs"), "\(next.stderr)")
    }
    #expect(next.stderr.components(separatedBy: "warning: ").count == 2)
  }
}

extension CommandLineProject {
  /// Every whole line of every journal, those of the oldest run first.
  fileprivate func lines() throws -> [JSON] {
    let runs = "\(root)/.runbook/runs"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: runs)) ?? []
    return try names.filter { !$0.hasPrefix(".") }.sorted().flatMap { name in
      let text = (try? String(contentsOfFile: "\(runs)/\(name)/journal.jsonl", encoding: .utf8)) ?? ""
      return try text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map {
        try JSON(parsing: String($0))
      }
    }
  }
}
