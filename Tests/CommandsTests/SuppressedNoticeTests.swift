import Foundation
import Glibc
import Processes
import Schema
import TestSupport
import Testing

/// Notices that are held back on purpose, grouped, and told once, as users meet them.
@Suite struct SuppressedNoticeTests {
  private static let log = "channels:\n  log: {kind: file, path: notices.jsonl}\n"

  private func project(_ description: String = Self.log, _ runbooks: [String: String] = [:]) throws
    -> CommandLineProject
  {
    let project = try CommandLineProject(isEmpty: true)
    try project.write("runbook.yaml", "project: ops\n\(description)")
    for (name, text) in runbooks { try project.write("runbooks/\(name).yaml", "runbook: \(name)\n\(text)") }
    return project
  }

  /// A runbook that passes on a target if the file of its name and the target is there.
  private static func watching(_ name: String, severity: String, target: Bool = false) -> String {
    """
    title: Looks\(target ? " at ${target.name}" : "")
    severity: \(severity)
    alert: {after: 1}
    steps:
      - {id: look, title: The file is there, use: file.exists, with: {path: "\(name)\(target ? "-${target.name}" : "")"}}

    """
  }

  private func notices(_ project: CommandLineProject, _ file: String = "notices.jsonl") throws -> [JSON] {
    guard project.exists(file) else { return [] }
    return try project.read(file).split(separator: "\n").map { try JSON(parsing: String($0)) }
  }

  private func titles(_ project: CommandLineProject) throws -> [String?] {
    try notices(project).map { $0["title"]?.string }
  }

  private func journal(_ project: CommandLineProject) throws -> String {
    let folder = try #require(try project.runFolders().last)
    return try String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8)
  }

  @Test("In a silence a step tells nobody and says so, and the journal has it; a channel that is not silent is told")
  func step() async throws {
    let description = """
      channels:
        pager: {kind: file, path: pager.jsonl}
        log: {kind: file, path: notices.jsonl}
      silence:
        now: {upTo: critical}

      """
    let project = try project(
      description,
      ["tell": "allow: [notify]\nsteps:\n  - {id: tell, use: notify, with: {level: critical, text: hello}}\n"])
    let told = try await project.runbook("run", "tell", "--format", "json")
    #expect(told.status == 0)
    let step = try told.json["steps"]?.array?.first
    #expect(step?["outcome"] == "pass" && step?["output"]?["delivered"] == [])
    #expect(
      step?["output"]?["suppressed"]?.array?.map { [$0["channel"], $0["code"]] } == [
        ["pager", "notify.silenced"], ["log", "notify.silenced"],
      ])
    #expect(try notices(project).isEmpty)
    #expect(try notices(project, "pager.jsonl").isEmpty)
    let events = try journal(project).split(separator: "\n").map { try JSON(parsing: String($0)) }
    #expect(events.filter { $0["type"] == "notify.suppressed" }.map { $0["channels"] } == [["pager"], ["log"]])
    try project.write(
      "runbook.yaml", "project: ops\n" + description.replacing("critical", with: "critical, channels: [pager]"))
    let other = try await project.runbook("run", "tell", "--format", "json")
    #expect(try other.json["steps"]?.array?.first?["output"]?["delivered"] == ["log"])
    #expect(try notices(project).count == 1)
    #expect(try notices(project, "pager.jsonl").isEmpty)
  }

  @Test(
    "An alert in a silence is told by the first run that fails outside of it, and once, though the clock goes back an hour; that it is over is told in the silence too"
  )
  func nights() async throws {
    let project = try project(
      Self.log + "silence:\n  nights: {from: \"22:00\", to: \"06:00\", zone: Europe/Berlin, upTo: critical}\n",
      ["test": Self.watching("fine", severity: "P1")])
    func run(_ time: String) async throws -> CommandLineProject.Output {
      try await project.runbook(["run", "test"], at: time)
    }
    // 05:30 in Berlin.
    let silenced = try await run("2026-11-29T04:30:00Z")
    #expect(silenced.status == 1)
    #expect(silenced.stdout.contains("1 runs in a row did not pass: nobody was told (alert after 1)"), "\(silenced)")
    #expect(silenced.stdout.contains("held back from log by the silence nights"), "\(silenced)")
    let report = try await project.runbook("report", "last", "--format", "json")
    #expect(try report.json["alert"]?["suppressed"]?.array?.first?["code"] == "notify.silenced")
    #expect(try titles(project) == [])
    #expect(try await run("2026-11-29T05:10:00Z").status == 1)
    let firing = "test fails: The file is there"
    #expect(try titles(project) == [firing])
    #expect(try await run("2026-11-29T04:20:00Z").stdout.contains("told before, by log"))
    #expect(try await run("2026-11-29T05:20:00Z").status == 1)
    #expect(try titles(project) == [firing])
    try project.write("fine", "")
    #expect(try await run("2026-11-29T23:00:00Z").status == 0)
    #expect(try titles(project) == [firing, "test passes again"])
  }

  @Test(
    "A copy does not stand in for who is to be called: that channel is told after the silence, and the copy not again")
  func copyAlone() async throws {
    let channels =
      "channels:\n  pager: {kind: file, path: pager.jsonl}\n  log: {kind: file, path: notices.jsonl, copy: true}\n"
    let project = try project(
      channels + "silence:\n  now: {channels: [pager], upTo: critical}\n",
      ["test": Self.watching("fine", severity: "P1")])
    for _ in 0..<2 { #expect(try await project.runbook("run", "test").status == 1) }
    #expect(try notices(project).count == 1)
    #expect(try notices(project, "pager.jsonl").isEmpty)
    try project.write("runbook.yaml", "project: ops\n\(channels)")
    for _ in 0..<2 { #expect(try await project.runbook("run", "test").status == 1) }
    #expect(try notices(project).count == 1)
    #expect(try notices(project, "pager.jsonl").count == 1)
    try project.write("fine", "")
    #expect(try await project.runbook("run", "test").status == 0)
    #expect(try notices(project).map { $0["status"] } == ["firing", "resolved"])
    #expect(try notices(project, "pager.jsonl").map { $0["status"] } == ["firing", "resolved"])
  }

  @Test("As long as people know of a P1 on a target, less severe runbooks tell nothing of it that is not critical")
  func muted() async throws {
    let project = try project(
      Self.log + "targets:\n  eu: {server: \"turn:127.0.0.1\"}\n  us: {server: \"turn:127.0.0.2\"}\n",
      [
        "outage": Self.watching("outage", severity: "P1", target: true),
        "slow": Self.watching("slow", severity: "P2", target: true),
        "tell": """
        title: Tells of ${target.name}
        severity: P2
        allow: [notify]
        steps:
          - {id: warn, use: notify, with: {level: warning, text: it is slow}}
          - {id: cry, use: notify, with: {level: critical, text: it burns}}

        """,
      ])
    func run(_ name: String, _ target: String, at time: String? = nil) async throws -> CommandLineProject.Output {
      let arguments = ["run", name, "--target", target]
      guard let time else { return try await project.runbook(arguments, environment: [:]) }
      return try await project.runbook(arguments, at: time)
    }
    // Nobody knows of it yet.
    #expect(try await run("outage", "eu").status == 1)
    #expect(try titles(project) == ["outage fails on eu: The file is there"])
    let muted = try await run("slow", "eu")
    #expect(muted.stdout.contains("people were told that outage fails on eu (P1)"), "\(muted)")
    #expect(try await run("tell", "eu").status == 0)
    #expect(try titles(project).dropFirst() == ["it burns"])
    #expect(try await run("slow", "us").status == 1)
    #expect(try titles(project).last == "slow fails on us: The file is there")
    // Over both targets: us is not muted.
    #expect(try await run("slow", "all").status == 1)
    #expect(try titles(project).last == "slow fails on eu, us")
    // An outage that nobody looks at any more hides nothing.
    let later = try #require(Timestamp(seconds: Int64(Date().timeIntervalSince1970) + 3700, nanoseconds: 0))
    #expect(try await run("slow", "eu", at: later.description).status == 1)
    #expect(try titles(project).last == "slow fails on eu: The file is there")
    try project.write("slow-eu", "")
    #expect(try await run("slow", "eu").status == 0)
    try project.write("outage-eu", "")
    #expect(try await run("outage", "eu").status == 0)
    try FileManager.default.removeItem(atPath: "\(project.root)/slow-eu")
    #expect(try await run("slow", "eu").status == 1)
    #expect(
      try titles(project).suffix(3) == [
        "slow passes again on eu", "outage passes again on eu", "slow fails on eu: The file is there",
      ])
  }

  @Test("A P1 over several targets mutes each of those on which it failed, and no other")
  func mutedByFleet() async throws {
    let targets = (1...3).map { "  t\($0): {server: \"turn:127.0.0.\($0)\"}\n" }.joined()
    let project = try project(
      Self.log + "targets:\n\(targets)",
      [
        "outage": Self.watching("outage", severity: "P1", target: true),
        "slow": Self.watching("slow", severity: "P2", target: true),
      ])
    try project.write("outage-t3", "")
    #expect(try await project.runbook("run", "outage", "--target", "all").status == 1)
    let first = try #require(try notices(project).first)
    #expect(first["title"]?.string == "outage fails on t1, t2")
    #expect(first["text"]?.string?.hasPrefix("t1: The file is there: ") == true, "\(first)")
    #expect(first["text"]?.string?.contains("\nt2: The file is there: ") == true, "\(first)")
    #expect(try await project.runbook("run", "slow", "--target", "t1").stdout.contains("outage fails on t1 (P1)"))
    #expect(try await project.runbook("run", "slow", "--target", "t3").status == 1)
    #expect(try titles(project).count == 2)
    // A target that fails only now is told of, though the alert stands.
    try FileManager.default.removeItem(atPath: "\(project.root)/outage-t3")
    for _ in 0..<2 { #expect(try await project.runbook("run", "outage", "--target", "all").status == 1) }
    #expect(try titles(project).dropFirst(2) == ["outage fails on t1, t2, t3"])
    #expect(try await project.runbook("run", "slow", "--target", "t3").stdout.contains("told before"))
  }

  @Test("One run tells everything that failed in one notice")
  func grouped() async throws {
    let steps = (1...7).map {
      "  - {id: look\($0), title: File \($0) is there, use: file.exists, with: {path: f\($0)}, onFailure: continue}\n"
    }
    let project = try project(Self.log, ["test": "severity: P1\nalert: {after: 1}\nsteps:\n" + steps.joined()])
    #expect(try await project.runbook("run", "test").status == 1)
    let all = try notices(project)
    let text = try #require(all.first?["text"]?.string)
    #expect(all.count == 1 && all[0]["title"] == "test fails: File 1 is there")
    let lines = text.split(separator: "\n")
    #expect(lines.count == 7 && lines[4].hasPrefix("File 5 is there: ") && lines[5] == "and 2 more", "\(text)")
  }

  @Test("A channel with a limit is passed over once it had its notices; if nobody else takes them, the step warns")
  func limit() async throws {
    let project = try project(
      "channels:\n  log: {kind: file, path: notices.jsonl, limit: {notices: 1, per: 1h}}\n",
      ["tell": "allow: [notify]\nsteps:\n  - {id: tell, use: notify, with: {level: warning, text: hello}}\n"])
    #expect(try await project.runbook("run", "tell").status == 0)
    let second = try await project.runbook("run", "tell", "--format", "json")
    let step = try second.json["steps"]?.array?.first
    #expect(
      second.status == 0 && step?["outcome"] == "warn" && step?["error"]?["code"] == "notify.limited", "\(second)")
    #expect(try notices(project).count == 1)
    #expect(try journal(project).contains("\"notify.suppressed\""))
    // Somebody who tries a channel by hand wants to see the notice.
    #expect(try await project.runbook("notify", "test", "log", "--level", "warning").status == 0)
    #expect(try notices(project).count == 2)
  }

  @Test("A run that is killed while it tells of its alert tells those again who were not told, and nobody else")
  func killed() async throws {
    let first = try ScriptedServer { $0.send(httpResponse()) }
    let second = try ScriptedServer { $0.waitUntilClosed() }
    let project = try project(
      """
      channels:
        a: {kind: webhook, url: "\(first.url)", copy: true}
        b: {kind: webhook, url: "\(second.url)", copy: true, timeout: 30s}

      """, ["test": Self.watching("fine", severity: "P1")])
    let command = project.command(["run", "test"])
    let started = Task { try await command.run() }
    try await until { second.requests.count == 1 }
    let pid = try #require(
      try JSON(parsing: String(try journal(project).split(separator: "\n")[0]))["pid"]?.int)
    kill(pid_t(pid), SIGKILL)
    _ = try await started.value
    #expect(try journal(project).contains("\"notify.delivered\""))
    let resume = project.command(["resume", "last"])
    let resumed = Task { try await resume.run() }
    try await until { second.requests.count == 2 }
    resumed.cancel()
    _ = try? await resumed.value
    #expect(first.requests.count == 1)
    #expect(Set(second.requests.compactMap { $0.firstMatch(of: /Idempotency-Key: (\S+)/)?.1 }).count == 1)
  }
}
