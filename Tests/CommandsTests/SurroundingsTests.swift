import Foundation
import Processes
import Schema
import Testing

/// What starts `runbook`: containers, preloaded libraries, cron, shells that close descriptors.
@Suite struct SurroundingsTests {
  private func shell(_ script: String, _ arguments: [String] = [], in project: CommandLineProject) -> Command {
    var command = Command("/bin/sh", ["-euc", script, CommandLineProject.executable] + arguments)
    command.directory = project.root
    command.timeout = .seconds(90)
    return command
  }

  @Test(
    "Arguments arrive without /proc",
    .enabled(if: TestNetwork.isPermitted, "namespaces are not permitted here"),
    arguments: [
      (["--version"], Int32(0), "0."), (["no-such-command"], 2, ""), ([], 2, ""),
      (["run", "checks/disk-space"], 2, ""),
    ])
  func withoutProc(arguments: [String], status: Int32, printed: String) async throws {
    let project = try CommandLineProject()
    var command = TestNetwork.shell(
      #"mount -t tmpfs none /proc; cd "$1"; shift; exec "$@""#,
      [project.root, CommandLineProject.executable] + arguments, isMounting: true)
    command.timeout = .seconds(90)
    let output = project.output(of: try await command.run())
    #expect(output.status == status, "\(output.stdout)\(output.stderr)")
    #expect(output.stdout.hasPrefix(printed), "\(output.stdout)")
    #expect(output.stdout.isEmpty == printed.isEmpty, "\(output.stdout)")
    if arguments.first == "run" {
      #expect(output.stderr.contains("/proc is not there"), "\(output.stderr)")
      #expect(!project.exists(".runbook/runs"))
    }
  }

  @Test("Arguments arrive under faketime, which replaces functions of the C library")
  func faketime() async throws {
    let project = try CommandLineProject()
    for (arguments, status) in [(["--version"], Int32(0)), (["no-such-command"], 2)] {
      let output = project.output(
        of: try await Command("faketime", ["-f", "+1d", CommandLineProject.executable] + arguments).run())
      #expect(output.status == status, "\(output.stderr)")
      #expect(!output.stdout.contains("SUBCOMMANDS"), "\(output.stdout)")
    }
  }

  @Test("A host whose clock begins in 1970 runs, reports and lists what it ran (threat 26)")
  func firstDay() async throws {
    let project = try CommandLineProject()
    func then(_ arguments: String...) async throws -> CommandLineProject.Output {
      project.output(
        of: try await project.command(
          ["-m", "-f", "@1970-01-01 00:00:10", CommandLineProject.executable] + arguments,
          environment: ["FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"], program: "faketime"
        ).run())
    }
    let look = ["checks/disk-space", "-p", "failAt=101%", "-p", "warnAt=101%"]
    let ran = try await then("run", look[0], look[1], look[2], look[3], look[4], "--format", "json")
    #expect(ran.status == 0, "\(ran.stderr)")
    #expect(try ran.json["startedAt"]?.string?.hasPrefix("1970-01-01T00:00:1") == true, "\(ran.stdout)")
    let now = try await project.runbook(["run"] + look + ["--quiet"], environment: [:])
    #expect(now.status == 0, "\(now.stderr)")
    let runs = try #require(try await then("history", "--format", "json").json.array)
    #expect(runs.map { $0["outcome"] } == ["pass", "pass"])
    #expect(runs.allSatisfy { $0["damaged"] == .null })
  }

  @Test(
    "Closed descriptors get nothing into a journal",
    arguments: [
      ("<&-", Int32(0)), (">&-", 3), ("2>&-", 0), ("<&- 2>&-", 0), ("<&- >&- 2>&-", 3),
    ])
  func closed(redirections: String, status: Int32) async throws {
    let project = try CommandLineProject()
    let command = shell(
      #""$0" run checks/disk-space -p failAt=101% -p warnAt=101% \#(redirections)"#, in: project)
    let output = project.output(of: try await command.run())
    #expect(output.status == status, "\(output.stderr)")
    if redirections == ">&-" {
      #expect(output.stderr.contains("standard output could not be written: Bad file descriptor"), "\(output.stderr)")
    }
    let runs = try #require(try await project.runbook("history", "--format", "json").json.array)
    #expect(runs.map { $0["outcome"] } == ["pass"])
    #expect(runs.allSatisfy { $0["damaged"] == .null })
  }

  @Test("The line for cron that the README gives works with the PATH that cron has")
  func cron() async throws {
    let readme = try String(
      contentsOf: CommandLineProject.repositoryURL.appending(path: "README.md"), encoding: .utf8)
    let line = try #require(readme.firstMatch(of: /\n\*\/5 \* \* \* \*  (.*)\n/)?.1)
    #expect(line.contains(" /usr/local/bin/runbook "), "where make install puts it")
    let project = try CommandLineProject()
    try project.write(
      "runbooks/daily-health.yaml",
      "runbook: daily-health\nsteps:\n  - {id: load, use: host.load, expect: [output.load1 < 9000.0]}\n")
    let here = line.replacing("/srv/ops", with: project.root)
      .replacing("/usr/local/bin/runbook", with: CommandLineProject.executable)
    var command = Command("env", ["-i", "PATH=/usr/bin:/bin", "SHELL=/bin/sh", "/bin/sh", "-c", String(here)])
    command.timeout = .seconds(90)
    let output = project.output(of: try await command.run())
    #expect(output.status == 0, "\(output.stderr)")
    #expect(output.stdout.isEmpty && output.stderr.isEmpty, "\(output.stdout)\(output.stderr)")
    #expect(try await project.runbook("history", "--format", "json").json.array?.count == 1)
  }
}
