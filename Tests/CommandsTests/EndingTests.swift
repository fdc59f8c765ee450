import Foundation
import Processes
import Schema
import Testing

/// How runs end that are not let run to their end, and what is left to tell of them.
@Suite struct EndingTests {
  private func slowProject() throws -> CommandLineProject {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/slow.yaml",
      """
      runbook: slow
      title: Slow
      allow: [change]
      steps:
        - id: wait
          use: command.run
          with: {command: [sleep, "600"]}
          timeout: 10m
        - id: after
          use: command.run
          with: {command: ["true"]}

      """)
    return project
  }

  /// Starts a run, waits until its journal says that the step began, and hands over its process.
  private func whileRunning(
    _ project: CommandLineProject, _ arguments: [String], until marker: String,
    _ body: @Sendable (Int32) async throws -> Void
  ) async throws -> CommandLineProject.Output {
    async let result = project.command(arguments).run()
    let pid = try await processID(of: project, until: marker)
    try await body(pid)
    return project.output(of: try await result)
  }

  private func processID(of project: CommandLineProject, until marker: String) async throws -> Int32 {
    let runs = "\(project.root)/.runbook/runs"
    for _ in 0..<600 {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: runs)) ?? [] where !name.hasPrefix(".") {
        let journal = (try? String(contentsOfFile: "\(runs)/\(name)/journal.jsonl", encoding: .utf8)) ?? ""
        guard journal.contains(marker), let first = journal.split(separator: "\n").first,
          let pid = try JSON(parsing: String(first))["pid"]?.int
        else { continue }
        return Int32(pid)
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw NeverBegan()
  }

  struct NeverBegan: Error {}

  /// Runs `runbook` while the disk is full for each of its threads from the given sync on.
  private func withFailingDisk(
    _ project: CommandLineProject, _ arguments: [String], from sync: Int
  ) async throws -> CommandLineProject.Output {
    let tracing = [
      "-f", "-qq", "-o", "\(project.root)/trace", "-e", "trace=fdatasync", "-e",
      "inject=fdatasync:error=ENOSPC:when=\(sync)+", CommandLineProject.executable,
    ]
    return project.output(of: try await project.command(tracing + arguments, program: "strace").run())
  }

  @Test("A journal that cannot be written in the middle of a run: the run, its step and its journal are named")
  func journalFails() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/three.yaml",
      """
      runbook: three
      title: Three
      allow: [change]
      rollback: onFailure
      steps:
        - id: one
          use: command.run
          with: {command: ["true"]}
          undo: [{id: back, use: command.run, with: {command: ["true"]}}]
        - {id: two, use: command.run, with: {command: ["true"]}}
      finally: [{id: last, use: command.run, with: {command: ["true"]}}]

      """)
    // run.started, and intent and result of the first step: the next that must be on the disk is the intent of the second.
    let output = try await withFailingDisk(project, ["run", "three"], from: 4)
    #expect(output.status == 3)
    let id = try #require(
      try FileManager.default.contentsOfDirectory(atPath: "\(project.root)/.runbook/runs").first { !$0.hasPrefix(".") })
    #expect(output.stderr.contains("run \(id) ended early"), "\(output.stderr)")
    #expect(output.stderr.contains("step one was begun and ended"))
    #expect(output.stderr.contains("undo and finally of the runbook were not done"), "\(output.stderr)")
    #expect(output.stderr.contains("runbook report \(id)"))
    #expect(!output.stderr.contains(".new-"))
  }

  @Test(
    "A journal that cannot be written ends a run over several targets, in time, with the same words",
    .timeLimit(.minutes(2)))
  func fleetJournalFails() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      """
      project: fleet
      targets:
        a: {server: "turn:127.0.0.1:9"}
        b: {server: "turn:127.0.0.1:9"}

      """)
    try project.write(
      "runbooks/each.yaml",
      """
      runbook: each
      title: Each
      allow: [change]
      steps:
        - {id: one, use: command.run, with: {command: [echo, "${target.name}"]}}
        - {id: two, use: command.run, with: {command: [sleep, "1"]}}

      """)
    let output = try await withFailingDisk(project, ["run", "each", "--target", "all"], from: 3)
    #expect(output.status == 3)
    #expect(output.stderr.contains("ended early"), "\(output.stderr)")
  }

  @Test(
    "TERM and INT end a run cleanly: the step is cancelled, the rest skipped, the end recorded",
    arguments: [SIGTERM, SIGINT])
  func signals(signal: Int32) async throws {
    let project = try slowProject()
    let output = try await whileRunning(project, ["run", "slow", "--format", "json"], until: "step.intent") { pid in
      kill(pid, signal)
    }
    #expect(output.status == 128 + signal)
    let report = try output.json
    #expect(report.step("wait")?["outcome"] == "indeterminate")
    #expect(report.step("after")?["outcome"] == "skipped")
    #expect(report["outcome"] == "indeterminate")
  }

  @Test("HUP does not end a run: a connection that drops must not stop a recovery")
  func hangUp() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/waiting.yaml",
      """
      runbook: waiting
      title: Waiting
      allow: [change]
      steps:
        - id: wait
          use: command.run
          with: {command: [sh, -c, "until test -e \(project.root)/go; do sleep 0.02; done"]}

      """)
    let output = try await whileRunning(project, ["run", "waiting", "--format", "json"], until: "step.intent") { pid in
      kill(pid, SIGHUP)
      try project.write("go", "")
    }
    #expect(output.status == 0, "\(output.stderr)")
    #expect(try output.json["outcome"] == "pass")
  }

  @Test("A run that is killed is shown as died; its journal is whole up to the last event")
  func killed() async throws {
    let project = try slowProject()
    let output = try await whileRunning(project, ["run", "slow"], until: "step.intent") { pid in kill(pid, SIGKILL) }
    #expect(output.status == 128 + SIGKILL)
    let report = try await project.runbook("report", "last")
    #expect(report.status == 0, "\(report.stderr)")
    #expect(report.stdout.lowercased().contains("died"), "\(report.stdout)")
    let history = try await project.runbook("history")
    #expect(history.stdout.contains("died"), "\(history.stdout)")
  }

  @Test("TERM while packets are relayed deletes the allocations and takes the lab down")
  func signalDuringRelay() async throws {
    let project = try CommandLineProject()
    let output = try await whileRunning(
      project, ["run", "checks/turn-relay", "--lab", "-p", "packets=1000", "--format", "json"], until: "step.intent"
    ) { pid in
      // The relay is at work once the server has said so in its log.
      for _ in 0..<200 {
        let logs = (try? FileManager.default.subpathsOfDirectory(atPath: "\(project.root)/.runbook/lab")) ?? []
        let text = logs.filter { $0.hasSuffix(".log") }
          .compactMap { try? String(contentsOfFile: "\(project.root)/.runbook/lab/\($0)", encoding: .utf8) }.joined()
        if text.contains("CHANNEL_BIND processed, success") { break }
        try await Task.sleep(for: .milliseconds(50))
      }
      kill(pid, SIGTERM)
    }
    #expect(output.status == 128 + SIGTERM)
    #expect(try project.serverPIDs() == [])
    #expect(!project.exists(".runbook/lab"))
  }

  @Test("A lab whose run was killed is swept by the next one")
  func labRemains() async throws {
    let project = try CommandLineProject()
    _ = try await whileRunning(
      project, ["run", "checks/turn-relay", "--lab", "-p", "packets=1000"], until: "step.intent"
    ) { pid in kill(pid, SIGKILL) }
    let left = try project.serverPIDs()
    #expect(left.count == 2)
    let output = try await project.runbook("run", "checks/turn-relay", "--lab", "-p", "packets=5")
    #expect(output.status == 0, "\(output.stderr)")
    #expect(try project.serverPIDs() == [])
  }

  @Test("A journal that was changed is refused with the line; the copy of an untouched one reports the same elsewhere")
  func tampering() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/load.yaml",
      """
      runbook: load
      title: Load
      allow: [observe]
      steps:
        - {id: load, use: host.load, expect: [output.load1 < 9000.0]}

      """)
    #expect(try await project.runbook("run", "load").status == 0)
    let original = try await project.runbook("report", "last", "--format", "json")

    let elsewhere = try CommandLineProject()
    try FileManager.default.copyItem(atPath: "\(project.root)/.runbook", toPath: "\(elsewhere.root)/.runbook")
    let copied = try await elsewhere.runbook("report", "last", "--format", "json")
    #expect(try copied.json["steps"] == (try original.json["steps"]))

    let journal = try #require(try original.json["journal"]?.string)
    var lines = try String(contentsOfFile: journal, encoding: .utf8).split(separator: "\n").map(String.init)
    let intent = try #require(lines.firstIndex { $0.contains("\"type\":\"step.intent\"") })
    lines[intent] = lines[intent].replacing("\"attempt\":1", with: "\"attempt\":2")
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: journal))
    let refused = try await project.runbook("report", "last")
    #expect(refused.status == 3)
    // The line behind it does not follow.
    #expect(refused.stderr.contains("line \(intent + 2)"), "\(refused.stderr)")
  }

  @Test(
    "Without a writable state the run does not begin and says so; --volatile runs all the same, and is found by its id")
  func unwritableState() async throws {
    let project = try CommandLineProject()
    try project.write(".runbook", "a file where a folder is needed\n")
    try project.write(
      "runbooks/load.yaml",
      """
      runbook: load
      title: Load
      allow: [observe]
      steps:
        - {id: load, use: host.load, expect: [output.load1 < 9000.0]}

      """)
    let refused = try await project.runbook("run", "load")
    #expect(refused.status == 3)
    #expect(refused.stderr.contains(".runbook"), "\(refused.stderr)")
    let volatile = try await project.runbook("run", "load", "--volatile", "--format", "json")
    #expect(volatile.status == 0, "\(volatile.stderr)")
    let journal = try #require(try volatile.json["journal"]?.string)
    #expect(journal.hasPrefix("/dev/shm/") || journal.hasPrefix("/run/"))
    let state = URL(filePath: journal).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    defer { try? FileManager.default.removeItem(at: state) }
    let run = try #require(try volatile.json["run"]?.string)
    #expect(try await project.runbook("report", run).stdout.contains("journal   \(journal)"))
    let last = try await project.runbook("report", "last")
    #expect(last.status == 3)
    #expect(last.stderr.contains(".runbook"), "\(last.stderr)")
    let other = try CommandLineProject()
    #expect(try await !other.runbook("history").stdout.contains("load"))
  }

  @Test("A reader that goes away does not end the run (threat 16)")
  func closedPipe() async throws {
    let project = try CommandLineProject()
    let executable = project.command([]).executable
    var shell = Command(
      "sh",
      [
        "-c",
        "\(executable) run checks/disk-space -p failAt=101% -p warnAt=101% | true; \(executable) history --format json",
      ])
    shell.directory = project.root
    shell.timeout = .seconds(60)
    let output = project.output(of: try await shell.run())
    #expect(try JSON(parsing: output.stdout).array?.first?["outcome"] == "pass", "\(output.stderr)")
  }
}

/// Where reports go, and what is said where they cannot.
@Suite struct ReportOutputTests {
  private let arguments = ["run", "checks/disk-space", "-p", "failAt=101%", "-p", "warnAt=101%", "--quiet"]

  @Test("A report that cannot be written is said to be lost, and the run does not end with 0")
  func fullOutput() async throws {
    let project = try CommandLineProject()
    let executable = project.command([]).executable
    var shell = Command("sh", ["-c", "\(executable) run checks/disk-space -p failAt=101% -p warnAt=101% > /dev/full"])
    shell.directory = project.root
    let output = project.output(of: try await shell.run())
    #expect(output.status == 3)
    #expect(output.stderr.contains("standard output could not be written: No space left on device"), "\(output.stderr)")
  }

  @Test("A further report goes into a file whole, through a link, or into a pipe, which stay what they are")
  func reportFiles() async throws {
    let project = try CommandLineProject()
    try project.write("linked.txt", "old\n")
    try FileManager.default.createSymbolicLink(
      atPath: "\(project.root)/link.txt", withDestinationPath: "\(project.root)/linked.txt")
    let command = project.command(arguments + ["--report", "json=report.json", "--report", "text=link.txt"])
    #expect(project.output(of: try await command.run()).status == 0)
    #expect(try JSON(parsing: project.read("report.json"))["outcome"] == "pass")
    #expect(try project.read("linked.txt").hasPrefix("PASS"))
    let link = try FileManager.default.attributesOfItem(atPath: "\(project.root)/link.txt")[.type] as? FileAttributeType
    #expect(link == .typeSymbolicLink)
  }

  @Test("A report whose folder is not there is refused before anything runs")
  func missingFolder() async throws {
    let project = try CommandLineProject()
    let output = project.output(of: try await project.command(arguments + ["--report", "text=no/such/report"]).run())
    #expect(output.status == 2)
    #expect(output.stderr.contains("no/such: No such file or directory"), "\(output.stderr)")
    #expect(!project.exists(".runbook/runs"))
  }

  @Test("A run of chosen steps says so in report and history")
  func onlyInEvidence() async throws {
    let project = try CommandLineProject()
    let run = try await project.runbook("run", "daily-health", "--lab", "--only", "disk", "--format", "json")
    #expect(try run.json["only"] == ["disk"])
    #expect(try await project.runbook("report").stdout.contains("daily-health (only disk)"))
    #expect(try await project.runbook("history").stdout.contains("daily-health (only disk)"))
  }
}
