import Foundation
import Processes
import Schema
import Testing

/// Runs against real servers, good and bad.
@Suite struct RunTests {
  @Test("daily-health passes against the lab, which is gone afterwards; the JSON has the documented shape")
  func lab() async throws {
    let project = try CommandLineProject()
    let output = try await project.runbook("run", "daily-health", "--lab", "--format", "json", "-p", "packets=5")
    #expect(output.status == 0, "\(output.stderr)")
    let report = try output.json
    #expect(report["schema"] == "runbook.report/1")
    for name in [
      "run", "parent", "runbook", "target", "outcome", "startedAt", "finishedAt", "durationMs", "params", "steps",
      "journal",
    ] { #expect(report[name] != nil, "\(name)") }
    let relay = try #require(report.step("now/turn/relay"))
    for name in [
      "id", "path", "title", "use", "effect", "outcome", "reason", "attempts", "startedAt", "durationMs", "output",
      "error", "expectations", "steps",
    ] { #expect(relay[name] != nil, "\(name)") }
    #expect(relay["outcome"] == "pass")
    #expect(relay["output"]?["received"] == 5)
    #expect(relay["output"]?["deleted"] == true)
    #expect(!project.exists(".runbook/lab"))
    #expect(try project.serverPIDs() == [])
  }

  @Test("The lab's REST secret makes credentials that work")
  func restSecret() async throws {
    let project = try CommandLineProject()
    let output = try await project.runbook(
      "run", "checks/turn-relay", "--lab", "--target", "lab-rest", "-p", "packets=5", "--format", "json")
    #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
  }

  @Test("Good credentials relay; a wrong password is a named failure that says what to look at; secrets stay out of it")
  func wrongPassword() async throws {
    let project = try CommandLineProject()
    try await project.withLab { environment in
      let server = try #require(environment["TURN_SERVER"])
      let user = try #require(environment["TURN_USERNAME"])
      let password = try #require(environment["TURN_CREDENTIAL"])
      try project.write(
        ".env", "TURN_SERVER=\(server)\nTURN_USERNAME=\(user)\nTURN_CREDENTIAL=\(password)\n")
      let good = try await project.runbook("run", "checks/turn-relay", "-p", "packets=5")
      #expect(good.status == 0, "\(good.stdout)\(good.stderr)")

      let secret = try #require(environment["TURN_REST_SECRET"])
      try project.write("rest.env", "TURN_SERVER=\(environment["TURN_REST_SERVER"] ?? "")\nTURN_SECRET=\(secret)\n")
      let rest = try await project.runbook(
        "run", "checks/turn-relay", "-p", "packets=5", "--env-file", "rest.env")
      #expect(rest.status == 0, "\(rest.stdout)\(rest.stderr)")

      let wrong = "no-such-pass-word"
      let bad = try await project.runbook(
        "run", "daily-health", "--format", "json", environment: ["TURN_CREDENTIAL": wrong])
      #expect(bad.status == 1)
      let relay = try #require(try bad.json.step("now/turn/relay"))
      #expect(relay["outcome"] == "fail")
      #expect(relay["error"]?["code"] == "turn.unauthorized", "\(relay.text())")
      #expect(relay["error"]?["advice"]?.string?.isEmpty == false)
      #expect(try bad.json.step("now/stun")?["outcome"] == "pass")
      // One cause is told once.
      for step in ["peers"] { #expect(try bad.json.step(step)?["outcome"] == "skipped") }

      for secret in [password, wrong, secret] {
        #expect(!bad.stdout.contains(secret))
        let found = try await Command("grep", ["-rlF", "--", secret, "\(project.root)/.runbook/runs"]).run()
        #expect(found.ending == .exited(1), "\(found.standardOutput.text)")
      }
    }
  }

  @Test("A silent server fails within the step's timeout, and says for how long nothing was heard")
  func silentServer() async throws {
    let project = try CommandLineProject()
    try await project.withLab { environment in
      let pids = try project.serverPIDs()
      #expect(pids.count == 2)
      for pid in pids { kill(pid, SIGSTOP) }
      defer { for pid in pids { kill(pid, SIGCONT) } }
      let output = try await project.runbook(
        "run", "checks/stun-binding", "--format", "json", environment: ["TURN_SERVER": environment["TURN_SERVER"] ?? ""]
      )
      #expect(output.status == 1, "\(output.stderr)")
      let step = try #require(try output.json.step("stunBinding/binding"))
      #expect(step["error"]?["code"] == "stun.timeout")
      guard case .double(let milliseconds)? = step["durationMs"] else {
        Testing.Issue.record("durationMs is a number: \(step.text())")
        return
      }
      #expect(milliseconds < 11_000)
    }
  }

  @Test("A port where nobody listens fails at once, by its name")
  func stoppedServer() async throws {
    let project = try CommandLineProject()
    let server = try DatagramServer { _ in nil }
    server.close()
    let output = try await project.runbook(
      "run", "checks/stun-binding", "--format", "json",
      environment: ["TURN_SERVER": "stun:127.0.0.1:\(server.port)"])
    #expect(output.status == 1)
    #expect(try output.json.step("stunBinding/binding")?["error"]?["code"] == "icmp.portUnreachable")
  }

  @Test(
    "A server that answers garbage, or for another transaction, is a named failure",
    arguments: [("stun.garbage", false), ("stun.wrongTransaction", true)])
  func wrongAnswers(code: String, isSTUN: Bool) async throws {
    let project = try CommandLineProject()
    let server = try DatagramServer { request in
      guard isSTUN, request.count >= 20 else { return Array("not the droids".utf8) }
      // A Binding success response (RFC 8489, section 5) with the cookie and another transaction id.
      return [0x01, 0x01, 0, 0] + request[4..<8] + [UInt8](repeating: 0xAA, count: 12)
    }
    defer { server.close() }
    let output = try await project.runbook(
      "run", "checks/stun-binding", "--format", "json",
      environment: ["TURN_SERVER": "stun:127.0.0.1:\(server.port)"])
    #expect(output.status == 1)
    #expect(try output.json.step("stunBinding/binding")?["error"]?["code"] == .string(code))
  }

  @Test("Several targets run as children of one parent run, whose report is a table")
  func severalTargets() async throws {
    let project = try CommandLineProject()
    let output = try await project.runbook(
      "run", "checks/turn-relay", "--lab", "--target", "all", "-p", "packets=5", "-p", "slowRtt=9s", "-p", "maxRtt=9s")
    #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
    #expect(output.stdout.contains("lab-rest"))
    let runs = try #require(try await project.runbook("history", "--format", "json").json.array)
    #expect(runs.count == 3)
    let parents = runs.compactMap { $0["parent"]?.string }
    #expect(Set(parents).count == 1 && parents.count == 2)
    #expect(runs.compactMap { $0["number"]?.int }.sorted() == [1, 2, 3])
    let parent = try await project.runbook("report", parents[0], "--format", "json")
    #expect(try parent.json["outcome"] == "pass")
  }

  @Test("One bad target fails the parent; the other child is not disturbed")
  func oneBadTarget() async throws {
    let project = try CommandLineProject()
    try await project.withLab { environment in
      let closed = try DatagramServer { _ in nil }
      closed.close()
      try project.write(
        "runbook.yaml",
        """
        project: test
        targets:
          good: {server: "\(environment["TURN_SERVER"] ?? "")", labels: {site: a}}
          bad: {server: "turn:127.0.0.1:\(closed.port)", labels: {site: a}}

        """)
      let output = try await project.runbook("run", "checks/stun-binding", "--target", "site=a", "--format", "json")
      #expect(output.status == 1)
      let runs = try #require(try await project.runbook("history", "--format", "json").json.array)
      let outcomes = Dictionary(
        runs.compactMap { run in run["target"]?.string.map { ($0, run["outcome"]?.string) } },
        uniquingKeysWith: { first, _ in first })
      #expect(outcomes == ["good": "pass", "bad": "fail"])
    }
  }
}
