import Foundation
import Glibc
import Processes
import Schema
import Synchronization
import TestSupport
import Testing

/// `notify`, alerts and `runbook notify test` as users meet them, against servers of the test's own.
@Suite struct NotifyCommandTests {
  private func project(channels: String, runbook: String = "") throws -> CommandLineProject {
    let project = try CommandLineProject(isEmpty: true)
    try project.write("runbook.yaml", "project: ops\n" + (channels.isEmpty ? "" : "channels:\n\(channels)"))
    try project.write("runbooks/test.yaml", "runbook: test\n\(runbook)")
    return project
  }

  /// A runbook that passes if the file `fine` is there.
  private static let watching = """
    title: The service is there
    severity: P1
    allow: [observe]
    alert: {after: 2}
    steps:
      - {id: look, title: The file is there, use: file.exists, with: {path: fine}}

    """

  private func notices(_ project: CommandLineProject) throws -> [JSON] {
    guard project.exists("notices.jsonl") else { return [] }
    return try project.read("notices.jsonl").split(separator: "\n").map { try JSON(parsing: String($0)) }
  }

  @Test("A step tells the first channel that takes it; one that fails is reported, and the run goes on")
  func step() async throws {
    let broken = try ScriptedServer { $0.send(httpResponse("400 Bad Request", body: "no such room")) }
    let project = try project(
      channels: """
          team: {kind: webhook, level: critical, url: "\(broken.url)"}
          log: {kind: file, path: notices.jsonl}

        """,
      runbook: """
        allow: [observe, notify]
        steps:
          - id: tell
            use: notify
            with: {level: critical, text: "relay is down\\nNobody can call.", look: is turnserver running}
          - {id: look, use: file.exists, with: {path: runbook.yaml}}

        """)
    let run = try await project.runbook("run", "test", "--format", "json")
    #expect(run.status == 0, "\(run.stderr)")
    let step = try #require(try run.json["steps"]?.array?.first)
    #expect(step["outcome"]?.string == "warn")
    #expect(step["error"]?["code"]?.string == "notify.channelFailed")
    #expect(step["output"]?["deliveries"]?.array?.first?["answer"]?.string == "no such room")
    let notice = try #require(try notices(project).first)
    #expect(notice["title"]?.string == "relay is down" && notice["text"]?.string == "Nobody can call.")
    #expect(notice["runbook"]?.string == "test")
    let id = try #require(try run.json["run"]?.string)
    #expect(notice["command"]?.string == "runbook report \(id) --project \(project.root)")
    let journal = try project.read(".runbook/runs/\(id)/journal.jsonl")
    #expect(journal.contains("\"notify.failed\"") && journal.contains("\"notify.delivered\""))
  }

  @Test(
    "The run that records the alert tells people once; the first that passes tells those who took it, and only them")
  func alert() async throws {
    let failing = try ScriptedServer { $0.send(httpResponse("403 Forbidden")) }
    let project = try project(
      channels: """
          pager: {kind: webhook, url: "\(failing.url)"}
          log: {kind: file, path: notices.jsonl}
          other: {kind: file, path: other.jsonl}

        """, runbook: Self.watching)
    #expect(try await project.runbook("run", "test").status == 1)
    #expect(try notices(project).isEmpty)
    let second = try await project.runbook("run", "test")
    #expect(second.status == 1)
    #expect(second.stdout.contains("2 runs in a row did not pass: told by log (alert after 2)"), "\(second.stdout)")
    #expect(second.stdout.contains("not told: pager: 127.0.0.1:\(failing.port) answered 403"), "\(second.stdout)")
    #expect(try await project.runbook("run", "test").status == 1)
    let firing = try notices(project)
    #expect(firing.count == 1)
    #expect(firing[0]["level"]?.string == "critical" && firing[0]["status"]?.string == "firing")
    #expect(firing[0]["title"]?.string == "test fails: The file is there")
    #expect(firing[0]["text"]?.string?.contains("2 runs in a row did not pass") == true)
    let firstRun = try #require(try project.runFolders().first)
    let start = try JSON(
      parsing: String(
        project.read(".runbook/runs/\(firstRun.split(separator: "/").last ?? "")/journal.jsonl").prefix { $0 != "\n" }))
    #expect(firing[0]["since"]?.string == start["wall"]?.string)

    let asked = failing.requests.count
    try project.write("fine", "")
    for _ in 0..<2 { #expect(try await project.runbook("run", "test").status == 0) }
    let all = try notices(project)
    #expect(all.map { $0["status"]?.string } == ["firing", "resolved"])
    #expect(all[1]["problem"] == all[0]["problem"])
    #expect(failing.requests.count == asked && !project.exists("other.jsonl"))
  }

  @Test("Whom the run that passes cannot tell, a later one tells; once")
  func resolvedLater() async throws {
    let isDown = Mutex(false)
    let server = try ScriptedServer { connection in
      connection.send(httpResponse(isDown.withLock { $0 } ? "403 Forbidden" : "200 OK", body: "{}"))
    }
    let project = try project(
      channels: """
          pager: {kind: webhook, url: "\(server.url)"}
          log: {kind: file, path: notices.jsonl, copy: true}

        """, runbook: Self.watching)
    for _ in 0..<2 { #expect(try await project.runbook("run", "test").status == 1) }
    try project.write("fine", "")
    isDown.withLock { $0 = true }
    #expect(try await project.runbook("run", "test").status == 0)
    isDown.withLock { $0 = false }
    let asked = server.requests.count
    for _ in 0..<3 { #expect(try await project.runbook("run", "test").status == 0) }
    #expect(server.requests.count == asked + 1)
    #expect(try notices(project).map { $0["status"]?.string } == ["firing", "resolved"])
  }

  @Test("A run whose locks cannot be taken tells of it as well")
  func locksUnusable() async throws {
    let project = try project(
      channels: "  log: {kind: file, path: notices.jsonl}\n",
      runbook: "lock: one\n" + Self.watching.replacing("after: 2", with: "after: 1"))
    try project.write("locks", "a file where a folder is to be")
    let run = try await project.runbook("run", "test", environment: ["RUNBOOK_LOCKS": "\(project.root)/locks"])
    #expect(run.status == 3, "\(run.stderr)")
    #expect(try notices(project).map { $0["status"]?.string } == ["firing"])
    #expect((run.stdout + run.stderr).contains("told by log"), "\(run.stdout)")
  }

  @Test("Nobody is told that it is over who was not told that it began")
  func nobodyTold() async throws {
    let failing = try ScriptedServer { $0.send(httpResponse("403 Forbidden")) }
    let project = try project(channels: "  pager: {kind: webhook, url: \"\(failing.url)\"}\n", runbook: Self.watching)
    for _ in 0..<2 { _ = try await project.runbook("run", "test") }
    #expect(failing.requests.count == 1)
    try project.write("fine", "")
    #expect(try await project.runbook("run", "test").status == 0)
    #expect(failing.requests.count == 1)
    let report = try await project.runbook("report", "last", "--format", "json")
    #expect(try report.json["alert"] == .null)
  }

  @Test(
    "If no channel takes an alert, each later failure tries again until one does; then it stands, until a run passes")
  func refusedAtFirst() async throws {
    let isOpen = Mutex(false)
    let server = try ScriptedServer(readsBody: true) { connection in
      connection.send(httpResponse(isOpen.withLock(\.self) ? "200 OK" : "403 Forbidden"))
    }
    let project = try project(channels: "  pager: {kind: webhook, url: \"\(server.url)\"}\n", runbook: Self.watching)
    func fail() async throws -> CommandLineProject.Output {
      let run = try await project.runbook("run", "test")
      #expect(run.status == 1)
      return run
    }
    for _ in 0..<2 { _ = try await fail() }
    #expect(try await fail().stdout.contains("3 runs in a row did not pass: nobody was told"))
    #expect(server.requests.count == 2)
    isOpen.withLock { $0 = true }
    #expect(try await fail().stdout.contains("4 runs in a row did not pass: told by pager"))
    let told = try #require(try project.runFolders().last?.split(separator: "/").last)
    for _ in 0..<2 { #expect(try await fail().stdout.contains("told before, by pager, in run \(told)")) }
    #expect(server.requests.count == 3)
    try project.write("fine", "")
    for _ in 0..<2 { #expect(try await project.runbook("run", "test").status == 0) }
    #expect(server.requests.count == 4)
    #expect(server.requests.last?.contains("\"status\":\"resolved\"") == true)
    let report = try await project.runbook("report", "6", "--format", "json").json
    #expect(report["standing"] == ["firingRun": .string(String(told)), "told": ["pager"]] && report["alert"] == .null)
  }

  @Test("An Alertmanager that was restarted hears of a standing alert from the next run that fails, and of its end")
  func alertmanager() async throws {
    let server = try AlertmanagerServer()
    let project = try project(
      channels: "  alerts: {kind: alertmanager, url: \"\(server.url)\"}\n", runbook: Self.watching)
    func titles() throws -> [String?] {
      try (JSON(parsing: server.alerts()).array ?? []).map { $0["annotations"]?["summary"]?.string }
    }
    for _ in 0..<2 { #expect(try await project.runbook("run", "test").status == 1) }
    #expect(try titles() == ["test fails: The file is there"])
    try server.restart()
    #expect(try titles().isEmpty)
    let third = try await project.runbook("run", "test")
    #expect(third.stdout.contains("told before, by alerts"))
    #expect(try titles() == ["test fails: The file is there"])
    // Whoever makes the runbook less urgent meanwhile does not leave the alert behind.
    try project.write(
      "runbooks/test.yaml", "runbook: test\n" + Self.watching.replacing("severity: P1", with: "severity: P3"))
    try project.write("fine", "")
    #expect(try await project.runbook("run", "test").status == 0)
    #expect(try titles().isEmpty)
  }

  @Test("A service hears that a run begins and how it ended, and its URL stands nowhere, be the service down")
  func ping() async throws {
    let server = try ScriptedServer { $0.send(httpResponse(body: "OK \($0.requestLine)")) }
    let secret = "0b5d6c8e-7f1a-4a3b-9c2d-1e2f3a4b5c6d"
    let project = try project(
      channels: "",
      runbook: """
        allow: [observe, notify]
        secrets:
          check: {env: CHECK_URL}
        steps:
          - {id: begin, use: notify.ping, with: {url: "${secrets.check}", at: start}}
          - {id: look, use: file.exists, with: {path: fine}}
        finally:
          - id: end
            use: notify.ping
            with: {url: "${secrets.check}", exitCode: "${run.outcome in ['pass', 'warn'] ? 0 : 1}"}

        """)
    let environment = ["CHECK_URL": "\(server.url)/\(secret)"]
    let failed = try await project.runbook(["run", "test", "--format", "json"], environment: environment)
    #expect(failed.status == 1, "\(failed)")
    try project.write("fine", "")
    #expect(try await project.runbook(["run", "test"], environment: environment).status == 0)
    #expect(
      server.requests.map { $0.split(separator: " ")[1] } == [
        "/\(secret)/start", "/\(secret)/1", "/\(secret)/start", "/\(secret)",
      ])
    // A ping that fails stops nothing.
    let down = try await project.runbook(
      ["run", "test", "--format", "json"], environment: ["CHECK_URL": "http://127.0.0.1:\(try freePort())/\(secret)"])
    let steps = try down.json["steps"]?.array ?? []
    #expect(steps.first?["error"]?["code"] == "notify.unreachable", "\(down)")
    #expect(steps.contains { $0["id"] == "look" && $0["outcome"] == "pass" })
    for folder in try project.runFolders() {
      #expect(try !String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8).contains(secret))
    }
    #expect(!"\(failed)\(down)".contains(secret))
    let missing = try await project.runbook(["run", "test"], environment: ["CHECK_URL": "no url"])
    #expect((missing.stdout + missing.stderr).contains("notify.noURL"), "\(missing)")
  }

  @Test("`doctor` looks for the secrets of the channels, and shows none")
  func doctor() async throws {
    let project = try project(
      channels: "  team: {kind: webhook, webhook: {env: HOOK}, token: {env: TOKEN}}\n", runbook: Self.watching)
    let output = try await project.runbook(
      ["doctor", "--format", "json"], environment: ["HOOK": "https://hooks.example.com/private-part-of-it"])
    #expect(output.status == 1 && !output.stdout.contains("private-part-of-it"))
    let secrets = try (output.json["items"]?.array ?? []).filter { $0["subject"] == "secret" }
    #expect(
      secrets.map { $0["name"] } == [
        "token of the channel \"team\"", "webhook of the channel \"team\"",
      ])
    #expect(secrets.map { $0["state"] } == ["missing", "ok"])
    #expect(secrets.first?["neededBy"] == ["runbook.yaml:3", "test"], "\(secrets)")
    try project.write(
      "runbooks/quiet.yaml", "runbook: quiet\nsteps:\n  - {id: look, use: file.exists, with: {path: .env}}\n")
    let quiet = try await project.runbook("doctor", "quiet", "--format", "json")
    #expect(try (quiet.json["items"]?.array ?? []).contains { $0["subject"] == "secret" } == false)
  }

  @Test("A channel without its secret, or no channel at all, keeps a run from starting")
  func missing() async throws {
    let mail =
      "  mail: {kind: email, server: localhost, tls: starttls, from: a@example.com, to: [b@example.com], "
      + "username: x, password: {env: SMTP_PASSWORD}}\n"
    let steps = "allow: [notify]\nsteps:\n  - {id: tell, use: notify, with: {text: hello}}\n"
    for (channels, runbook) in [(mail, Self.watching), (mail, steps), ("", steps)] {
      let project = try project(channels: channels, runbook: runbook)
      #expect(try await project.runbook("validate").status == 0)
      let run = try await project.runbook("run", "test")
      #expect(run.status == 2)
      #expect(run.stderr.contains(channels.isEmpty ? "[missing-channel]" : "SMTP_PASSWORD is not set"), "\(run.stderr)")
      #expect(!project.exists(".runbook/runs"))
    }
    let quiet = try project(
      channels: mail, runbook: "steps:\n  - {id: look, use: file.exists, with: {path: runbook.yaml}}\n")
    #expect(try await quiet.runbook("run", "test").status == 0)
  }

  @Test("`notify test` tells one channel, shows its answer, and never its secret")
  func test() async throws {
    let server = try ScriptedServer(readsBody: true) { connection in
      let isRight = connection.request.contains("Bearer right-token")
      connection.send(httpResponse(isRight ? "200 OK" : "401 No", body: "for \(connection.requestLine)"))
    }
    let project = try project(
      channels:
        "  team: {kind: webhook, webhook: {env: HOOK}, token: {env: TOKEN}}\n  log: {kind: file, path: notices.jsonl}\n"
    )
    let hook = "\(server.url)/private-part-of-it"
    let taken = try await project.runbook(
      "notify", "test", "team", "--level", "warning", environment: ["HOOK": hook, "TOKEN": "right-token"])
    #expect(taken.status == 0 && taken.stdout.hasPrefix("team: delivered (1 try, "), "\(taken)")
    let refused = try await project.runbook(
      "notify", "test", "team", "--format", "json", environment: ["HOOK": hook, "TOKEN": "wrong-token"])
    #expect(refused.status == 1)
    #expect(try refused.json["code"]?.string == "notify.refused")
    #expect(!"\(taken)\(refused)".contains("-token"))
    #expect(try await project.runbook("notify", "test", "team").status == 2)
    let unknown = try await project.runbook("notify", "test", "taem")
    #expect(unknown.status == 2 && unknown.stderr.contains("there are team, log"))
    #expect(try await project.runbook("notify", "test", "log").status == 0)
  }

  @Test(
    "A run that is killed behind the first channel does not tell it again when it goes on, and tells the rest with the same key"
  )
  func killed() async throws {
    let first = try ScriptedServer { $0.send(httpResponse()) }
    let second = try ScriptedServer { connection in
      // The first request is never answered: the run is killed meanwhile.
      if connection.request.contains("X-Try: 1") { connection.waitUntilClosed() }
      connection.send(httpResponse())
    }
    let hold = try project(
      channels: """
          a: {kind: webhook, url: "\(first.url)", copy: true}
          b: {kind: webhook, url: "\(second.url)", copy: true, timeout: 30s, headers: {X-Try: "1"}}

        """, runbook: "allow: [notify]\nsteps:\n  - {id: tell, use: notify, with: {text: hello}, timeout: 2m}\n")
    let command = hold.command(["run", "test"])
    let started = Task { try await command.run() }
    try await until { second.requests.count == 1 }
    let folder = try #require(try hold.runFolders().first)
    let line = try String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8).prefix { $0 != "\n" }
    let pid = try #require(try JSON(parsing: String(line))["pid"]?.int)
    kill(pid_t(pid), SIGKILL)
    _ = try await started.value
    try hold.write(
      "runbook.yaml",
      "project: ops\nchannels:\n  a: {kind: webhook, url: \"\(first.url)\", copy: true}\n"
        + "  b: {kind: webhook, url: \"\(second.url)\", copy: true}\n")
    // A run goes on with the files that it began with.
    let kept = try #require(
      FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }.first {
        $0.hasSuffix("runbook.yaml")
      })
    #expect(try String(contentsOfFile: "\(folder)/\(kept)", encoding: .utf8).contains("X-Try"))
    #expect(first.requests.count == 1)
    let resume = hold.command(["resume", "last"])
    let resumed = Task { try await resume.run() }
    try await until { second.requests.count >= 2 }
    resumed.cancel()
    _ = try? await resumed.value
    #expect(first.requests.count == 1)
    #expect(Set(second.requests.compactMap { $0.firstMatch(of: /Idempotency-Key: (\w+)/)?.1 }).count == 1)
  }
}
