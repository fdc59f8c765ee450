import Foundation
import Schema
import TestSupport
import Testing

/// `--debug`, as it is typed.
@Suite struct DebugLogTests {
  private static let runbook = """
    runbook: look
    secrets:
      token: {env: TOKEN}
    params:
      text: {type: string, default: plain-value}
    steps:
      - id: echo
        use: command.run
        effect: observe
        with:
          command: [echo, "${params.text}"]
          secretEnv: {TOKEN: "${secrets.token}"}
        expect: ["output.stdout.contains('value')"]
    """

  private func project() throws -> CommandLineProject {
    let project = try CommandLineProject()
    try project.write("runbooks/look.yaml", Self.runbook)
    return project
  }

  @Test(
    "Standard error tells what is done, wherever the option stands, and no value",
    arguments: [["--debug", "run", "look"], ["run", "look", "--debug"]])
  func tells(arguments: [String]) async throws {
    let project = try project()
    let output = try await project.runbook(
      arguments + ["-p", "text=given-value", "--format", "json"], environment: ["TOKEN": "hush-hush-hush"])
    #expect(output.status == 0, "\(output.stderr)")
    #expect(try output.json["outcome"] == "pass")
    for part in ["command", "project", "run.started", "step.finished", "outcome=pass", "step=echo", "status=0"] {
      #expect(output.stderr.contains(part), "\(part)")
    }
    #expect(!output.stderr.contains("hush-hush-hush"))
    #expect(!output.stderr.contains("given-value"))
  }

  @Test("A variable asks for it too, and without either nothing is told")
  func variable() async throws {
    let project = try project()
    let told = try await project.runbook("list", environment: ["RUNBOOK_DEBUG": "1"])
    #expect(told.stderr.contains("command"))
    let quiet = try await project.runbook("run", "look", "--quiet", environment: ["TOKEN": "hush-hush-hush"])
    #expect(quiet.stderr == "")
  }

  @Test("What stands behind -- is another program's")
  func foreign() async throws {
    let project = try project()
    let output = try await project.runbook("eval", "--", "'--debug'")
    #expect(output.stdout.contains("--debug"))
    #expect(output.stderr == "")
  }
}
