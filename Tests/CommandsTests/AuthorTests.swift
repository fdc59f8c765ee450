import Foundation
import Processes
import Schema
import Testing

/// Commands for those who write runbooks.
@Suite struct AuthorTests {
  @Test(
    "eval gives the value with its type",
    arguments: [
      ("duration('90s') < duration('2m')", "true  (bool)"), ("[1, 2].map(x, x * 2)", "[2, 4]  (list(int))"),
      ("bytesize('1KiB') + 1", "1025  (int)"), ("ip('192.0.2.1').family()", "4  (int)"),
    ])
  func eval(expression: String, printed: String) async throws {
    let output = try await CommandLineProject().runbook("eval", expression)
    #expect(output.status == 0, "\(output.stderr)")
    #expect(output.stdout == printed + "\n")
  }

  @Test("eval tells what cannot be compiled from what has no value, and points at it")
  func evalProblems() async throws {
    let project = try CommandLineProject()
    let unknown = try await project.runbook("eval", "1 + nmae")
    #expect(unknown.status == 2)
    #expect(unknown.stderr.contains("expression:1:5"), "\(unknown.stderr)")
    let noValue = try await project.runbook("eval", "1 / 0", "--format", "json")
    #expect(noValue.status == 3)
    #expect(try noValue.json["problems"]?.array?.first?["message"] == "division by zero")
  }

  @Test("eval takes variables from a JSON file")
  func evalBindings() async throws {
    let project = try CommandLineProject()
    try project.write("figures.json", "{\"rtt\": [10, 30], \"name\": \"fra\"}")
    let output = try await project.runbook(
      "eval", "rtt.filter(t, t > 20).size() == 1 && name == 'fra'", "--bindings", "figures.json", "--format", "json")
    #expect(try output.json == ["type": "bool", "value": true])
  }

  @Test("list and show tell what there is, for people and machines")
  func listAndShow() async throws {
    let project = try CommandLineProject()
    let list = try await project.runbook("list", "--format", "json")
    let listed = try #require(try list.json.array?.first { $0["name"] == "daily-health" })
    #expect(listed["effects"] == ["observe"])
    let page = try await project.runbook("show", "daily-health")
    for part in [
      "observe", "packets", "checks/turn-relay", "output.rtt.p95 <= inputs.maxRtt, else fail",
      "output.rtt.p95 <= inputs.slowRtt, else warn: slow round trips", "packets: ${params.packets}", "onFailure",
    ] {
      #expect(page.stdout.contains(part), "\(part)")
    }
    let machine = try await project.runbook("show", "checks/turn-relay", "--format", "json")
    #expect(try machine.json["effects"] == ["observe"])
    let check = try await project.runbook("show", "checks/turn-relay")
    #expect(check.stdout.split(separator: "\n").contains { $0.contains("maxLoss") && $0.contains(" 1% ") })
  }

  @Test("The committed reference of modules is what the declarations give; if not: make docs")
  func referenceIsFresh() async throws {
    let printed = try await CommandLineProject().runbook("modules", "--format", "markdown")
    let committed = try String(
      contentsOf: CommandLineProject.repositoryURL.appending(path: "docs/reference/modules.md"), encoding: .utf8)
    #expect(printed.stdout == committed)
  }

  @Test("Every document of this project fits the JSON Schema, and a mistyped key does not")
  func schema() async throws {
    let project = try CommandLineProject()
    let schema = try await project.runbook("schema")
    try project.write("schema.json", schema.stdout)
    try project.write(
      "runbooks/bad.yaml", try project.read("runbooks/daily-health.yaml").replacing("title:", with: "titel:"))
    try project.write(
      "check.py",
      """
      import json, sys, jsonschema, yaml
      schema = json.load(open("schema.json"))
      validator = jsonschema.validators.validator_for(schema)
      validator.check_schema(schema)
      for path in sys.argv[1:]:
          for error in validator(schema).iter_errors(yaml.safe_load(open(path))): print(f"{path}: {error.message}")

      """)
    let documents = try ["runbooks", "checks"].flatMap { folder in
      try FileManager.default.contentsOfDirectory(atPath: "\(project.root)/\(folder)").sorted().map {
        "\(folder)/\($0)"
      }
    }
    #expect(documents.count > 20)
    var command = Command("python3", ["check.py", "runbook.yaml"] + documents)
    command.directory = project.root
    let result = project.output(of: try await command.run())
    #expect(
      Set(result.stdout.split(separator: "\n"))
        == ["runbooks/bad.yaml: Additional properties are not allowed ('titel' was unexpected)"], "\(result.stderr)")
  }

  @Test("The JSON Schema has every key that a target may have")
  func targetKeys() async throws {
    let project = try CommandLineProject()
    let schema = try await project.runbook("schema").json
    guard case .object(let properties)? = schema["$defs"]?["target"]?["properties"] else {
      Issue.record("the schema describes no target: \(schema.text())")
      return
    }
    try project.write("runbook.yaml", "targets:\n  a: {server: \"turn:a\", unheard-of: x}\n")
    let refusal = try await project.runbook("validate").stderr
    let keys = try #require(refusal.firstMatch(of: /help: it may have (.+)/), "\(refusal)").1.split(separator: ", ")
    #expect(properties.map(\.name).sorted() == keys.map(String.init).sorted())
  }

  @Test("Completions are there for the three shells", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) async throws {
    let output = try await CommandLineProject().runbook("--generate-completion-script", shell)
    #expect(output.status == 0)
    #expect(output.stdout.contains("daily-health") == false && output.stdout.contains("runbook"))
  }
}

/// Probes by hand against the lab.
@Suite struct ProbeCommandTests {
  @Test("probe finds the server and credentials in the environment; several kinds and every transport")
  func probes() async throws {
    let project = try CommandLineProject()
    try await project.withLab { environment in
      let turn = try await project.runbook(
        "probe", "turn", "-p", "packets=5", "--format", "json", environment: environment)
      #expect(turn.status == 0, "\(turn.stdout)\(turn.stderr)")
      #expect(try turn.json["output"]?["received"] == 5)
      let port = String((environment["TURN_SERVER"] ?? "").split(separator: ":")[2].prefix { $0.isNumber })
      let stun = try await project.runbook("probe", "stun", "127.0.0.1:\(port)")
      #expect(stun.status == 0, "\(stun.stderr)")
      #expect(stun.stdout.contains("rtt.p95"))
      let all = try await project.runbook(
        "probe", "turn", "--all-transports", "-p", "packets=5", "--format", "json", environment: environment)
      let rows = try #require(try all.json.array)
      #expect(rows.compactMap { $0["transport"]?.string } == ["udp", "tcp", "tls", "dtls"])
      for row in rows { #expect(row["outcome"] == "pass", "\(row.text())") }
      let tls = try await project.runbook("probe", "tls", "--format", "json", environment: environment)
      #expect(tls.status != 2, "\(tls.stderr)")
      #expect(try tls.json["error"]?["code"] != "probe.invalidInput", "\(tls.stdout)")
      let wrong = try await project.runbook(
        "probe", "turn", "--format", "json",
        environment: environment.merging(["TURN_CREDENTIAL": "wrong"]) { _, new in new })
      #expect(wrong.status == 1)
      #expect(try wrong.json["error"]?["code"] == "turn.unauthorized")
    }
  }

  @Test(
    "Mistyped probes and inputs get the near name",
    arguments: [
      (["probe", "trun"], "did you mean turn?"),
      (["probe", "turn", "127.0.0.1", "-p", "packet=5"], "did you mean packets?"),
      (["probe", "stun", "a b"], "HOST:PORT"), (["probe", "stun"], "no server"),
    ])
  func mistakes(arguments: [String], hint: String) async throws {
    let project = try CommandLineProject()
    let output = project.output(of: try await project.command(arguments).run())
    #expect(output.status == 2)
    #expect(output.stderr.contains(hint), "\(output.stderr)")
  }

  @Test("validate tells of runbooks that nobody can run for want of a target, and of a slip in its name")
  func targetOfNobody() async throws {
    let project = try CommandLineProject()
    let none = try await project.runbook("validate", "--strict")
    #expect(none.status == 0)
    #expect(
      none.stderr
        == """
        note: the project names no target, and without one nobody can run daily-health, monthly-update-check, p1-outage, \
        p2-degradation, p2-error-rate, quarterly-dr-restore-test, quarterly-failover-test, quarterly-security-audit, \
        rehearse-upgrade, troubleshoot-turn, weekly-cert-expiry; see: runbook doctor

        """)
    try project.write(".env", "TURN_SERVR=turn:127.0.0.1\n")
    let slip = try await project.runbook("validate", "--format", "json")
    #expect(slip.status == 0)
    let warning = try #require(try slip.json.array?.first)
    #expect(warning["code"] == "unread-name" && warning["suggestion"] == "did you mean \"TURN_SERVER\"?", "\(warning)")
    try project.write(".env", "TURN_SERVER=turn:127.0.0.1\n")
    #expect(try await project.runbook("validate").stderr.isEmpty)
  }
}
