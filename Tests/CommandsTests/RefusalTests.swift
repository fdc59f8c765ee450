import Foundation
import Processes
import Schema
import Testing

/// What is refused before anything runs: exit code 2, a sentence that says what to do, and no trace of a run.
@Suite struct RefusalTests {
  @Test("Without runbook.yaml it says where it looked and how to make a project")
  func noProject() async throws {
    let project = try CommandLineProject()
    try FileManager.default.removeItem(atPath: "\(project.root)/runbook.yaml")
    let output = try await project.runbook("run", "daily-health")
    #expect(output.status == 2)
    #expect(output.stderr.contains("there is no runbook.yaml in \(project.root)"))
    #expect(output.stderr.contains("runbook init"))
  }

  @Test(
    "A mistyped name gets the near one",
    arguments: [
      (["run", "dayly-health"], "did you mean \"daily-health\"?"),
      (["run", "checks/turn-rellay"], "did you mean \"checks/turn-relay\"?"),
      (["run", "daily-health", "--lab", "--target", "lab-rst"], "did you mean \"lab-rest\"?"),
      (["run", "daily-health", "--lab", "-p", "packet=5"], "did you mean \"packets\"?"),
      (["run", "daily-health", "--lab", "--only", "memry"], "did you mean \"memory\"?"),
      (["modules", "turn.rely"], "did you mean turn.relay?"), (["prob", "turn"], "did you mean probe?"),
    ])
  func nearNames(arguments: [String], hint: String) async throws {
    let project = try CommandLineProject()
    let output = project.output(of: try await project.command(arguments).run())
    #expect(output.status == 2)
    #expect(output.stderr.contains(hint), "\(output.stderr)")
    #expect(!project.exists(".runbook/runs"))
  }

  @Test("A link out of the project is refused, and what it leads to is not shown")
  func foreignFile() async throws {
    let project = try CommandLineProject()
    let foreign = try CommandLineProject()
    try foreign.write("private.yaml", "hunter2-hunter2: [\n")
    try FileManager.default.createSymbolicLink(
      atPath: "\(project.root)/runbooks/foreign.yaml", withDestinationPath: "\(foreign.root)/private.yaml")
    let output = try await project.runbook("validate")
    #expect(output.status == 2, "\(output.stderr)")
    #expect(output.stderr.contains("runbooks/foreign.yaml:1:"), "\(output.stderr)")
    #expect(!output.stderr.contains("hunter2"), "\(output.stderr)")
  }

  @Test("A step that can never be done is found by validate where no target would help, else before the run begins")
  func impossibleSteps() async throws {
    let project = try CommandLineProject()
    func validate(_ step: String) async throws -> [String?] {
      try project.write("runbooks/impossible.yaml", "runbook: impossible\nsteps:\n  - {id: step, \(step)}\n")
      let output = try await project.runbook("validate", "runbooks/impossible.yaml", "--format", "json")
      return try output.json.array?.map { $0["code"]?.string } ?? []
    }
    let slow = #"use: turn.relay, with: {server: "${target}", packets: 5000, rate: 100}"#
    #expect(try await validate(slow) == ["cannot-work"])
    #expect(try await validate(slow + ", timeout: 1m") == [])
    #expect(try await validate(#"use: turn.expiry, with: {server: "${target}"}, timeout: 1m"#) == ["cannot-work"])
    #expect(try await validate(#"use: tls.certificate, with: {server: "${target}"}"#) == [])
    let refused = try await project.runbook(
      "run", "impossible", environment: ["TURN_SERVER": "turn:127.0.0.1:9", "TURN_USERNAME": "", "TURN_CREDENTIAL": ""])
    #expect(refused.status == 2)
    #expect(refused.stderr.contains("turn:127.0.0.1:9 is not encrypted [cannot-work]"), "\(refused.stderr)")
    #expect(refused.stderr.contains("help: Name the TLS port as turns: or stuns:"), "\(refused.stderr)")
    #expect(!project.exists(".runbook/runs"))
  }

  @Test("One step alone is run only with those whose results it uses")
  func onlyWithNeeded() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/chain.yaml",
      """
      runbook: chain
      title: Chain
      allow: [observe]
      steps:
        - {id: first, use: host.load, expect: [output.load1 < 9000.0]}
        - {id: second, use: host.load, expect: [output.load1 < steps.first.output.load1 + 9000.0]}
        - {id: third, use: host.memory, expect: [output.used <= 100.0]}

      """)
    let refused = try await project.runbook("run", "chain", "--only", "second")
    #expect(refused.status == 2)
    #expect(refused.stderr.contains("add --only first"), "\(refused.stderr)")
    let run = try await project.runbook("run", "chain", "--only", "second", "--only", "first", "--format", "json")
    #expect(run.status == 0, "\(run.stderr)")
    #expect(try run.json["steps"]?.array?.count == 2)
  }

  @Test("A branch of a parallel is run alone; what uses its result is asked for that branch, not for all of them")
  func onlyBranch() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/sides.yaml",
      """
      runbook: sides
      title: Sides
      steps:
        - id: both
          parallel:
            steps:
              - {id: left, use: host.load, expect: [output.load1 < 9000.0]}
              - {id: right, use: host.memory, expect: [output.used <= 100.0]}
        - {id: after, use: host.load, if: "steps.left.outcome == 'pass'", expect: [output.load1 < 9000.0]}
        - id: judged
          parallel: {steps: [{id: a, use: host.load}, {id: b, use: host.load}]}
          expect: [steps.a.outcome == 'pass' && steps.b.outcome == 'pass']

      """)
    let refused = try await project.runbook("run", "sides", "--only", "after")
    #expect(refused.status == 2 && refused.stderr.contains("add --only left"), "\(refused.stderr)")
    let run = try await project.runbook("run", "sides", "--only", "after", "--only", "left", "--format", "json")
    #expect(run.status == 0, "\(run.stderr)")
    #expect(try run.json.step("both/left")?["outcome"] == "pass")
    #expect(try run.json.step("both/right") == nil)
    #expect(try run.json.step("after")?["outcome"] == "pass")
    // What is judged as a whole is run as a whole.
    let part = try await project.runbook("run", "sides", "--only", "a")
    #expect(part.status == 2 && part.stderr.contains("no step \"a\""), "\(part.stderr)")
  }

  @Test("A runbook that uses no target runs without one, however many there are, and is not run with --target")
  func unusedTarget() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        frankfurt: {server: "turn:127.0.0.1:1"}
        oslo: {server: "turn:127.0.0.1:2", username: probe, credential: {env: NOT_SET}}

      """)
    try project.write(
      "runbooks/load.yaml",
      "runbook: load\nsteps:\n  - {id: load, use: host.load, expect: [output.load1 < 9000.0]}\n")
    let output = try await project.runbook("run", "load", "--format", "json")
    #expect(output.status == 0, "\(output.stderr)")
    #expect(try output.json["target"]?.string == nil)
    for name in ["load", "checks/disk-space"] {
      let refused = try await project.runbook("run", name, "--target", "all")
      #expect(refused.status == 2)
      #expect(refused.stderr.contains("\(name) uses no target"), "\(refused.stderr)")
    }
    let unnamed = try await project.runbook("run", "daily-health")
    #expect(unnamed.status == 2)
    #expect(unnamed.stderr.contains("target-not-named"), "\(unnamed.stderr)")
  }

  @Test("A param that a step could not take ends it before anything runs")
  func parameterOutOfBounds() async throws {
    let project = try CommandLineProject()
    let output = try await project.runbook(
      "run", "daily-health", "-p", "packets=-5", environment: ["TURN_SERVER": "turn:127.0.0.1:1"])
    #expect(output.status == 2)
    #expect(output.stderr.contains("must lie from 1 to"), "\(output.stderr)")
    #expect(!project.exists(".runbook"))
  }

  @Test("An unknown target of the project gets the near one")
  func unknownTarget() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        frankfurt: {server: "turn:127.0.0.1:1"}
        oslo: {server: "turn:127.0.0.1:2"}

      """)
    let output = try await project.runbook("run", "daily-health", "--target", "frankfort")
    #expect(output.status == 2)
    #expect(output.stderr.contains("did you mean \"frankfurt\"?"), "\(output.stderr)")
  }

  @Test("Every problem of a runbook comes in one pass, underlined, with near names")
  func allProblems() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/broken.yaml",
      """
      runbook: broken
      title: Broken
      allow: [observe]
      steps:
        - id: one
          use: turn.rellay
        - id: two
          use: host.disk
          with: {pathh: /}
          expect: [output.usedd < 90.0]
        - id: two
          use: host.load
          expect: [output.load1 < 9.0]

      """)
    let output = try await project.runbook("validate")
    #expect(output.status == 2)
    for hint in ["turn.relay", "path", "used", "two"] { #expect(output.stderr.contains(hint), "\(output.stderr)") }
    #expect(output.stderr.contains("runbooks/broken.yaml:6:10"), "\(output.stderr)")
    #expect(output.stderr.contains("^"))
    let machine = try await project.runbook("validate", "--format", "json")
    let issues = try #require(try machine.json.array)
    #expect(issues.count >= 4)
    #expect(issues.compactMap { $0["meant"]?.string } == ["turn.relay", "path", "used"], "\(machine.stdout)")
    for issue in issues {
      for name in ["file", "line", "column", "endColumn", "severity", "code", "message", "meant", "suggestion"] {
        #expect(issue[name] != nil, "\(name) of \(issue.text())")
      }
    }
  }

  @Test("A missing secret is named, and nothing runs")
  func missingSecret() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        only: {server: "turn:127.0.0.1:1", username: u, credential: {env: NO_SUCH_VARIABLE}}

      """)
    let output = try await project.runbook("run", "daily-health")
    #expect(output.status == 2)
    #expect(output.stderr.contains("NO_SUCH_VARIABLE"), "\(output.stderr)")
    #expect(!project.exists(".runbook/runs"))
  }

  @Test(
    "Usage errors end with 2 and say how it goes",
    arguments: [
      [], ["run"], ["run", "daily-health", "--no-such-option"], ["no-such-command"], ["history", "--limit", "0"],
      ["no-such-command", "--help"], ["lab", "no-such-command", "--help"], ["--project", ".", "no-such-command"],
      ["--project", "."], ["--no-such-option", "run", "daily-health"], ["--project"],
    ])
  func usage(arguments: [String]) async throws {
    let project = try CommandLineProject()
    let output = project.output(of: try await project.command(arguments).run())
    #expect(output.status == 2)
    #expect(["Usage:", "USAGE:", "Error:"].contains { output.stderr.contains($0) }, "\(output.stderr)")
    #expect(output.stdout.isEmpty)
  }

  @Test(
    "The project's options may stand before the command",
    arguments: [["--project", "ops"], ["--project=ops"], ["--env-file", ".env", "--project", "ops"]])
  func optionsBeforeCommand(options: [String]) async throws {
    let project = try CommandLineProject()
    try FileManager.default.moveItem(atPath: "\(project.root)/runbook.yaml", toPath: "\(project.root)/outside.yaml")
    try project.write("ops/runbook.yaml", "project: ops\n")
    try project.write("ops/checks/disk-space.yaml", try project.read("checks/disk-space.yaml"))
    try project.write(".env", "TURN_SERVER=turn:127.0.0.1:1\n")
    for command in [["run", "checks/disk-space", "-p", "failAt=100%"], ["list"], ["lab", "status"]] {
      let output = try await project.runbook(options + command, environment: [:])
      #expect(output.status == 0, "\(command): \(output.stderr)")
    }
    let help = try await project.runbook(options + ["--help"], environment: [:])
    #expect(help.status == 0)
    #expect(help.stdout.contains("SUBCOMMANDS"), "\(help.stdout)")
  }

  @Test("A value that is not UTF-8 is refused, and never goes on as another one")
  func otherEncodings() async throws {
    let project = try CommandLineProject()
    var shell = Command(
      "bash", ["-c", #""$0" run checks/disk-space -p path=$'/\xff' --format json"#, CommandLineProject.executable])
    shell.directory = project.root
    let output = project.output(of: try await shell.run())
    #expect(output.status == 2)
    #expect(output.stderr.contains("argument 4 is not UTF-8"), "\(output.stderr)")
    #expect(try output.json["exitCode"] == 2)
    #expect(!project.exists(".runbook/runs"))
  }

  @Test(
    "Help and version go to standard output and end with 0", arguments: [["--help"], ["run", "--help"], ["--version"]])
  func help(arguments: [String]) async throws {
    let project = try CommandLineProject()
    let output = project.output(of: try await project.command(arguments).run())
    #expect(output.status == 0)
    #expect(!output.stdout.isEmpty)
    #expect(output.stderr.isEmpty)
  }

  @Test("Hostile YAML is an error with a position, in little time (threats 6 to 8)", arguments: HostileDocument.all)
  func hostileYAML(document: HostileDocument) async throws {
    let project = try CommandLineProject()
    try project.write("runbooks/hostile.yaml", document.text)
    let output = try await project.runbook("validate", "runbooks/hostile.yaml")
    #expect(output.status == 2, "\(document.name): \(output.stdout)")
    #expect(output.stderr.contains("runbooks/hostile.yaml:"), "\(document.name): \(output.stderr.prefix(500))")
  }

  struct HostileDocument: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    var testDescription: String { name }

    private static let valid = """
      runbook: hostile
      title: Hostile
      allow: [observe]
      steps:
        - {id: load, use: host.load, expect: [output.load1 < 9.0]}

      """

    static let all: [HostileDocument] = [
      .init(
        name: "alias bomb",
        text: "runbook: hostile\ntitle: &a [x,x,x,x,x,x,x,x,x]\n"
          + (1...9).map {
            "k\($0): &b\($0) [" + Array(repeating: $0 == 1 ? "*a" : "*b\($0 - 1)", count: 9).joined(separator: ",")
              + "]\n"
          }
          .joined()),
      .init(name: "duplicate key", text: valid + "title: Again\n"),
      .init(name: "unknown key", text: valid + "titel: Again\n"),
      .init(name: "merge key", text: valid.replacing("title: Hostile", with: "<<: {title: Hostile}")),
      .init(name: "second document", text: valid + "---\nrunbook: other\n"),
      .init(name: "explicit tag", text: valid.replacing("title: Hostile", with: "title: !!str Hostile")),
      .init(name: "tab", text: "runbook: hostile\nsteps:\n\t- id: x\n"),
      .init(name: "ten megabytes", text: valid + "doc: " + String(repeating: "x", count: 10 << 20) + "\n"),
      .init(name: "depth of 10,000", text: "runbook: " + String(repeating: "[", count: 10_000)),
      .init(name: "a bare number for a duration", text: valid + "timeout: 30\n"),
      .init(name: "an octal for a duration", text: valid + "timeout: 0755\n"),
      .init(name: "nothing", text: ""),
      .init(name: "not UTF-8", text: valid + "doc: \u{FFFE}\n"),
    ]
  }

  @Test("What looks like another type is what its field declares (threat 7)")
  func declaredTypes() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/plain.yaml",
      """
      runbook: plain
      title: no
      doc: 22:22
      owner: 0755
      allow: [observe]
      params:
        answer: {type: string, default: no, doc: Not a truth value}
        port: {type: string, default: 1e3, doc: Not a number}
      steps:
        - id: load
          title: "~"
          use: host.load
          expect: [output.load1 < 9000.0, params.answer == 'no', params.port == '1e3']

      """)
    let output = try await project.runbook("run", "plain", "--format", "json")
    #expect(output.status == 0, "\(output.stderr)")
    #expect(try output.json["params"]?["answer"] == .string("no"))
    #expect(try output.json["params"]?["port"] == .string("1e3"))
  }
}
