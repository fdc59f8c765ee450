import Foundation
import Processes
import Schema
import Testing

/// What machines read: one JSON document on standard output, also if nothing was run.
@Suite struct MachineOutputTests {
  @Test(
    "What keeps a command from starting is one object with --format json, and a text for people besides",
    arguments: refused)
  func refusals(refusal: Refusal) async throws {
    let project = try CommandLineProject()
    let output = project.output(of: try await project.command(refusal.arguments).run())
    #expect(output.status == 2)
    #expect(!output.stderr.isEmpty)
    let error = try output.json
    #expect(error["schema"] == "runbook.error/1")
    #expect(error["exitCode"] == 2)
    #expect(error["message"]?.string?.hasPrefix(refusal.message) == true, "\(error.text())")
    #expect(error["problems"]?.array?.first?["code"]?.string == refusal.code, "\(error.text())")
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let message: String
    let code: String?
    var testDescription: String { arguments.joined(separator: " ") }

    init(_ line: String, _ message: String, code: String? = nil) {
      arguments = line.split(separator: " ").map(String.init)
      self.message = message
      self.code = code
    }
  }

  static let refused: [Refusal] = [
    Refusal("run dayly-health --format json", "there is 1 problem", code: "unknown-runbook"),
    Refusal("run daily-health --format=json", "there is 1 problem", code: "missing-target"),
    Refusal("show nothing --format json", "there is 1 problem", code: "unknown-runbook"),
    Refusal("run daily-health --lab -p packet=5 --format json", "there is 1 problem", code: "unknown-param"),
    Refusal("report 7ZZZ --format json", "no run has an id that begins with \"7ZZZ\""),
    Refusal("history nothing --format json", "there is no runbook \"nothing\""),
    Refusal("probe trun --format json", "there is no probe \"trun\""),
    Refusal("history --limit 0 --format json", "--limit must be positive"),
    Refusal("run daily-health --format json --no-such", "Unknown option '--no-such'"),
    Refusal("list --project /nowhere --format json", "--project names /nowhere, which is no folder"),
  ]

  @Test(
    "A missing secret is an object too; a failed run is its report alone, and another program's --format is not ours")
  func others() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        only: {server: "turn:127.0.0.1:1", username: u, credential: {env: NO_SUCH_VARIABLE}}

      """)
    let secret = try await project.runbook("run", "daily-health", "--format", "json")
    #expect(try secret.json["problems"]?.array?.first?["code"] == "missing-secret")
    let failed = try await project.runbook(
      "run", "checks/disk-space", "-p", "failAt=0%", "--format", "json")
    #expect(failed.status == 1)
    #expect(try failed.json["schema"] == "runbook.report/1", "\(failed.stdout)\(failed.stderr)")
    let program = try await project.runbook("lab", "exec", "--project", "/nowhere", "--", "x", "--format", "json")
    #expect(program.status == 2)
    #expect(program.stdout.isEmpty)
  }

  @Test(
    "Servers that do not start are an object with exit code 3; a file that cannot be written leaves the report alone")
  func ourOwnSide() async throws {
    let project = try CommandLineProject()
    try project.write("runbook.yaml", "project: test\nstate: /proc/none\n")
    let noServer = try await project.runbook("run", "daily-health", "--lab", "--format", "json")
    #expect(noServer.status == 3)
    #expect(try noServer.json["exitCode"] == 3)
    try project.write("runbook.yaml", "project: test\n")
    let fullDisk = try await project.runbook(
      "run", "checks/disk-space", "--format", "json", "--report", "text=/dev/full")
    #expect(fullDisk.status == 3)
    #expect(try fullDisk.json["schema"] == "runbook.report/1")
    #expect(fullDisk.stderr.contains("/dev/full"))
  }

  @Test("validate goes on where runbook.yaml and .env are broken, and shows the problems of all files")
  func validateBrokenProject() async throws {
    let project = try CommandLineProject()
    try project.write("runbook.yaml", "projct: test\n")
    try project.write(".env", "TURN SERVER\n")
    try project.write("runbooks/broken.yaml", "runbook: broken\nsteps: 5\n")
    let output = try await project.runbook("validate", "--format", "json")
    #expect(output.status == 2)
    let files = Set(try #require(try output.json.array).compactMap { $0["file"]?.string })
    #expect(files.isSuperset(of: ["runbook.yaml", ".env", "runbooks/broken.yaml"]), "\(files)")
    let text = try await project.runbook("validate")
    #expect(text.stderr.contains("did you mean \"project\"?") && text.stderr.contains("runbooks/broken.yaml:"))
  }

  @Test("lab status tells whether it runs, and where, without secrets")
  func labStatus() async throws {
    let project = try CommandLineProject()
    let down = try await project.runbook("lab", "status", "--format", "json")
    #expect(try down.json["state"] == "down")
    try await project.withLab { environment in
      let up = try await project.runbook("lab", "status", "--format", "json")
      #expect(try up.json["state"] == "up")
      let servers = try #require(try up.json["servers"]?.array)
      #expect(servers.compactMap { $0["name"]?.string } == ["lab", "lab-rest"])
      #expect(servers.first?["uris"]?["udp"]?.string == environment["TURN_SERVER"])
      for name in ["TURN_CREDENTIAL", "TURN_REST_SECRET"] {
        #expect(!up.stdout.contains(try #require(environment[name])))
      }
    }
  }

  @Test("A runbook that uses no target starts no servers in the lab, and says so")
  func unusedLab() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/alone.yaml",
      """
      runbook: alone
      allow: [change]
      steps:
        - {id: look, use: command.run, with: {command: [test, "!", -e, "\(project.root)/.runbook/lab"]}}

      """)
    let output = try await project.runbook("run", "alone", "--lab")
    #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
    #expect(output.stderr.contains("note: alone uses no target; no server is started for it"))
  }

  @Test("A figure of past runs is shown as reports show it, with its unit for machines")
  func figures() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/room.yaml",
      "runbook: room\nsteps:\n  - {id: disk, use: host.disk, with: {path: /}, expect: [output.total > 0]}\n")
    try await project.runbook("run", "room")
    let text = try await project.runbook("history", "room", "--figure", "disk.total")
    #expect(text.stdout.contains(#/ [0-9.]+(MiB|GiB|TiB)\n/#), "\(text.stdout)\(text.stderr)")
    let machine = try await project.runbook("history", "room", "--figure", "disk.total", "--format", "json")
    #expect(try machine.json.array?.first?["unit"] == "bytesize")
  }

  @Test("Every figure that the help and the manual page name is one of the shipped runbook that they name")
  func figuresOfHelp() async throws {
    let project = try CommandLineProject()
    try await project.runbook("run", "daily-health", "--lab")
    let texts = try await [project.runbook("help", "history").stdout, project.runbook("manual").stdout]
    // The manual page writes hyphens as \-.
    for text in texts.map({ $0.replacing("\\-", with: "-") }) {
      let examples = text.matches(of: #/history ([a-z0-9-]+) --figure ([a-z]\S*)/#)
      #expect(!examples.isEmpty, "\(text)")
      for example in examples {
        let history = try await project.runbook(
          "history", String(example.1), "--figure", String(example.2), "--format", "json")
        #expect(history.status == 0, "\(history.stderr)")
        let values = try history.json.array?.map { $0["value"] ?? .null }
        #expect(values?.count == 1 && values?.contains(.null) == false, "\(history.stdout)")
      }
    }
  }

  @Test("A figure that no run has is a mistyped one: 2, and the near one")
  func mistypedFigure() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/room.yaml",
      "runbook: room\nsteps:\n  - {id: disk, use: host.disk, with: {path: /}, expect: [output.total > 0]}\n")
    let before = try await project.runbook("history", "room", "--figure", "disk.total")
    #expect(before.status == 0, "\(before.stderr)")
    try await project.runbook("run", "room")
    for (figure, advice) in [("disk.totl", "did you mean disk.total?"), ("nothing", "there are disk.")] {
      let refused = try await project.runbook("history", "room", "--figure", figure, "--format", "json")
      #expect(refused.status == 2)
      #expect(refused.stderr.contains("no run of room has the figure \"\(figure)\""), "\(refused.stderr)")
      #expect(refused.stderr.contains(advice), "\(refused.stderr)")
      #expect(try refused.json["schema"] == "runbook.error/1")
    }
  }

  @Test("history and show fit 80 columns, and a run is found by the number that history gives")
  func narrowPages() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        a-server-with-a-rather-long-name: {server: "turn:127.0.0.1:1"}
        frankfurt: {server: "turn:127.0.0.1:1"}

      """)
    try await project.runbook(
      "run", "daily-health", "--only", "memory", "--only", "load", "--target", "all",
      environment: ["TZ": "Asia/Kolkata"])
    try await project.runbook("run", "checks/disk-space")
    let newest = try #require(try await project.runbook("history", "--format", "json").json.array?.first)
    let number = try #require(newest["number"]?.int)
    let report = try await project.runbook("report", "\(number)", "--format", "json")
    #expect(try report.json["run"] == newest["run"])
    let unknown = try await project.runbook("report", "4711")
    #expect(unknown.status == 2)
    #expect(unknown.stderr.contains("no run has the number 4711"), "\(unknown.stderr)")
    for arguments in [
      ["history"], ["history", "checks/disk-space", "--figure", "diskSpace.used"], ["show", "daily-health"],
      ["show", "checks/turn-relay"], ["show", "checks/stun-binding"], ["show", "checks/disk-space"],
    ] {
      let page = try await project.runbook(arguments, environment: ["TZ": "Asia/Kolkata"])
      #expect(page.status == 0, "\(page.stderr)")
      #expect(!page.stdout.isEmpty)
      for line in page.stdout.split(separator: "\n") { #expect(line.count <= 80, "\(arguments): \(line)") }
    }
  }

  @Test("A run whose journal was changed is listed as such")
  func changedJournal() async throws {
    let project = try CommandLineProject()
    let run = try #require(
      try await project.runbook("run", "checks/disk-space", "--format", "json").json["run"]?.string)
    let journal = ".runbook/runs/\(run)/journal.jsonl"
    try project.write(
      journal,
      try project.read(journal).replacing("\"exists\":true", with: "\"exists\":false").replacing(
        "\"total\":", with: "\"total\":1"))
    let text = try await project.runbook("history")
    #expect(text.stdout.split(separator: "\n").contains { $0.hasPrefix("1    changed") }, "\(text.stdout)")
    let listed = try #require(try await project.runbook("history", "--format", "json").json.array)
    let machine = try #require(listed.first { $0["run"]?.string == run })
    #expect(machine["outcome"] == .null)
    #expect(machine["damaged"]?.string?.isEmpty == false)
    let report = try await project.runbook("report", run, "--format", "json")
    #expect(report.status == 3)
    #expect(try report.json["message"] == machine["damaged"], "\(report.stdout)")
  }

  @Test("A program's last words stand in the report, secrets masked; several targets say what each found")
  func words() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        one: {server: "turn:127.0.0.1:1"}
        two: {server: "turn:127.0.0.1:2"}

      """)
    try project.write(
      "runbooks/reload.yaml",
      """
      runbook: reload
      allow: [change]
      secrets:
        key: {env: RELOAD_KEY}
      steps:
        - id: reload
          use: command.run
          with:
            command: [sh, -c, 'echo "for ${target.host}: $KEY is refused" >&2; exit 3']
            secretEnv: {KEY: "${secrets.key}"}

      """)
    let environment = ["RELOAD_KEY": "hunter2-hunter2"]
    let one = try await project.runbook("run", "reload", "--target", "one", environment: environment)
    #expect(one.status == 1, "\(one.stderr)")
    #expect(one.stdout.contains("found     sh ended with exit code 3 (command.failed)\n  stderr    for 127.0.0.1: "))
    #expect(one.stdout.contains("is refused") && !one.stdout.contains("hunter2"), "\(one.stdout)")
    let all = try await project.runbook("run", "reload", "--target", "all", environment: environment)
    let found = "fail      reload  reload\n  found     sh ended with exit code 3 (command.failed)\n"
    #expect(all.stdout.components(separatedBy: found).count == 3, "\(all.stdout)")
  }
}
