import Processes
import Schema
import Testing

/// What is run against the lab knows of no other server.
@Suite struct LabUseTests {
  /// A project whose `.env` names another server, of another kind.
  private func projectWithServer() throws -> CommandLineProject {
    let project = try CommandLineProject()
    try project.write(
      ".env", "TURN_SERVER=turn:192.0.2.1\nTURN_SECRET=s\nTURN_REALM=other.example\nTURN_TLS_SERVER=turns:192.0.2.1\n")
    return project
  }

  @Test(
    "What lab exec starts finds the lab's servers alone, whatever .env, the process and runbook.yaml name",
    arguments: [[:], ["TURN_SECRET": "s", "TURN_REALM": "other.example", "TURN_CERT": "none.pem"]])
  func exec(environment: [String: String]) async throws {
    let project = try projectWithServer()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        frankfurt: {server: "turn:192.0.2.1"}
        oslo: {server: "turn:192.0.2.2"}

      """)
    func exec(_ arguments: String...) async throws -> CommandLineProject.Output {
      try await project.runbook(
        ["lab", "exec", "--", CommandLineProject.executable] + arguments, environment: environment)
    }
    let probe = try await exec("probe", "turn.allocate", "--format", "json")
    #expect(probe.status == 0, "\(probe.stdout)\(probe.stderr)")
    #expect(try probe.json["outcome"] == "pass", "\(probe.stdout)")
    #expect(try probe.json["output"]?["realm"] == "lab.example")
    let run = try await exec("run", "checks/turn-relay", "-p", "packets=5")
    #expect(run.status == 0, "\(run.stdout)\(run.stderr)")
    let named = try await exec("probe", "turn", "--target", "frankfurt")
    #expect(named.status == 2)
    #expect(named.stderr.contains("`lab exec` leaves out those of runbook.yaml"), "\(named.stderr)")
    #expect(!project.exists(".runbook/lab"))
  }

  @Test("probe --lab starts the lab for one probe and leaves nothing of it", arguments: ["lab", "lab-rest"])
  func probe(target: String) async throws {
    let project = try projectWithServer()
    let output = try await project.runbook(
      "probe", "turn.allocate", "--lab", "--target", target, "--format", "json", environment: ["TURN_SECRET": "s"])
    #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
    #expect(try output.json["output"]?["realm"] == .string("\(target).example"))
    #expect(!project.exists(".runbook/lab"))
  }

  @Test("probe --lab reaches it over TLS as well, and with --target all asks both servers")
  func severalProbes() async throws {
    let project = try projectWithServer()
    let tls = try await project.runbook("probe", "tls.certificate", "--lab", "--format", "json")
    #expect(tls.status == 0, "\(tls.stdout)\(tls.stderr)")
    let pool = try await project.runbook("probe", "turn.pool", "--lab", "--target", "all", "-p", "working=2")
    #expect(pool.status == 0, "\(pool.stdout)\(pool.stderr)")
    let all = try await project.runbook(
      "probe", "turn", "--lab", "--all-transports", "-p", "packets=5", "--format", "json")
    #expect(try all.json.array?.map { $0["outcome"] } == ["pass", "pass", "pass", "pass"], "\(all.stdout)")
  }

  @Test("If a server of the lab has died, nothing is started in its place, and it is said how to go on")
  func deadServer() async throws {
    let project = try CommandLineProject()
    let exec = ["lab", "exec", "--", "sh", "-c", "echo $TURN_SERVER"]
    try await project.withLab { _ in
      let before = try await project.runbook(exec, environment: [:])
      let servers = ProcessIdentity.running("turnserver", in: "\(project.root)/.runbook/lab")
      #expect(servers.count == 2)
      let dead = try #require(servers.first)
      #expect(dead.end(grace: .zero))
      for arguments in [exec, ["probe", "stun", "--lab"]] {
        let output = try await project.runbook(arguments, environment: [:])
        #expect(output.status == 3 && output.stdout.isEmpty, "\(output)")
        #expect(output.stderr.contains("a server of the lab has died: lab") && output.stderr.contains("\(dead.pid)"))
        #expect(output.stderr.contains("runbook lab down") && output.stderr.contains("runbook lab up"), "\(output)")
      }
      for format in ["text", "json"] {
        let status = try await project.runbook("lab", "status", "--format", format)
        #expect(status.status == 1 && status.stdout.contains("remains"), "\(status)")
      }
      // The other one is as it was.
      #expect(ProcessIdentity.running("turnserver", in: "\(project.root)/.runbook/lab") == Array(servers.dropFirst()))
      #expect(try await project.runbook("lab", "down").status == 0)
      #expect(try await project.runbook("lab", "status").status == 0)
      // Without a lab there is none to have died.
      let after = try await project.runbook(exec, environment: [:])
      #expect(after.status == 0 && after.stdout.hasPrefix("turn:") && after.stdout != before.stdout, "\(after)")
    }
  }

  @Test("What is wrong with the question is said before a server is started")
  func refusals() async throws {
    let project = try CommandLineProject()
    for (arguments, hint) in [
      (["turn", "127.0.0.1:1", "--lab"], "give a URI or --lab, not both"),
      (["turn", "--lab", "-p", "pakets=5"], "did you mean packets?"),
      (["turn", "--lab", "-p", "packets=0"], "must lie from 1 to"),
    ] {
      let output = try await project.runbook(["probe"] + arguments, environment: ["PATH": ""])
      #expect(output.status == 2)
      #expect(output.stderr.contains(hint), "\(output.stderr)")
    }
  }
}
