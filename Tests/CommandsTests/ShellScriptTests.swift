import Foundation
import Schema
import Testing

/// Scripts of `command.shell`, as a runbook writes them.
@Suite struct ShellScriptTests {
  private func project(_ script: String) throws -> CommandLineProject {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/script.yaml",
      """
      runbook: script
      allow: [observe]
      params: {word: {type: string, default: "; id"}, count: {type: int, default: 3}}
      steps:
        - id: act
          use: command.shell
          effect: observe
          with:
            script: |
              \(script)
            env: {WORD: "${params.word}", COUNT: "${string(params.count)}"}
          expect: [output.stdout == 'ok\\n']

      """)
    return project
  }

  @Test(
    "An expression in a script is refused, of whatever type it is (threats 9, 11)",
    arguments: ["echo ${params.word}", "echo ${params.count}", "echo \"${WORD}\"", "echo $${WORD} ${params.word}"])
  func expression(_ script: String) async throws {
    let output = try await project(script).runbook("validate", "runbooks/script.yaml")
    #expect(output.status == 2 && output.stderr.contains("[expression-in-shell]"), "\(output.stderr)")
    #expect(output.stderr.components(separatedBy: "error:").count == 2, "\(output.stderr)")
  }

  @Test("Variables of the shell reach it, its own braces written with $${")
  func variables() async throws {
    let script = #"test "$WORD" = '; id' && test "$COUNT" = 3 && test "$${NONE:-no}" = no && echo ok"#
    let output = try await project(script).runbook("run", "script")
    #expect(output.status == 0, "\(output)")
  }
}
