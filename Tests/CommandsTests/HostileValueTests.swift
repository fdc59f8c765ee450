import Foundation
import Schema
import Testing

/// Values that would do harm if anybody read more into them than their text.
@Suite struct HostileValueTests {
  @Test(
    "A param stays one argument, and what a step puts out is never evaluated again (threats 9 to 11)",
    arguments: ["; rm -rf /", "$(id)", "`id`", "a\nb", "-rf", "--help", "${run.id} ${secrets.token}", "$${x}", "*"])
  func value(_ value: String) async throws {
    let project = try CommandLineProject(isEmpty: true)
    try project.write("runbook.yaml", "project: test\n")
    try project.write(
      "runbooks/echo.yaml",
      #"""
      runbook: echo
      params: {word: {type: string}}
      steps:
        - {id: first, use: command.run, effect: observe, with: {command: [printf, "%s", "${params.word}"]}}
        - id: second
          use: command.run
          effect: observe
          with: {command: [printf, "%s", "${steps.first.output.stdout}"]}
          expect: [output.stdout == params.word]

      """#)
    let output = try await project.runbook("run", "echo", "-p", "word=\(value)", "--format", "json")
    #expect(output.status == 0, "\(output.stderr)\(output.stdout)")
    let report = try output.json
    for step in ["first", "second"] { #expect(report.step(step)?["output"]?["stdout"]?.string == value) }
  }
}
