import Schema
import Testing

/// Values that are small in memory and larger than any memory when written out.
@Suite struct ValueSizeTests {
  /// An expression that binds a45 to a list which holds the one below it twice, 45 levels high.
  private static func doubled(from leaf: String, _ body: String) -> String {
    let levels = (1...45).map { "cel.bind(a\($0), [a\($0 - 1), a\($0 - 1)], " }
    return "cel.bind(a0, \(leaf), " + levels.joined() + body + String(repeating: ")", count: 46)
  }

  @Test("a run ends where a value would be written out without end, and says why; what only looks at it goes on")
  func run() async throws {
    let project = try CommandLineProject()
    let leaf = "steps.say.output.stdout"
    try project.write(
      "checks/large.yaml",
      """
      check: large
      steps:
        - id: say
          use: command.run
          effect: observe
          with: {command: [echo, x]}
          expect:
            - output.stdout.trim() == 'x'
      outputs:
        whole: {type: any, value: "\(Self.doubled(from: leaf, "a45"))"}
      """)
    try project.write(
      "runbooks/large.yaml",
      """
      runbook: large
      steps:
        - id: looks
          use: command.run
          effect: observe
          onFailure: continue
          with: {command: [echo, x]}
          expect:
            - "\(Self.doubled(from: "output.stdout", "a45.size() == 2 && a45 != []"))"
        - id: compares
          use: command.run
          effect: observe
          onFailure: continue
          with: {command: [echo, x]}
          expect:
            - "\(Self.doubled(from: "output.stdout", "a45 == [a44, a44]"))"
        - {id: gives, use: checks/large}
      """)
    let output = try await project.runbook("run", "large", "--format", "json")
    #expect(output.status == 3, "\(output.stdout)\(output.stderr)")
    let report = try output.json
    let looks = try #require(report.step("looks"))
    #expect(looks["outcome"] == "pass", "\(looks.text())")
    let compares = try #require(report.step("compares"))
    #expect(compares["outcome"] == "error")
    #expect(
      compares["expectations"]?.array?.first?["error"] == "the evaluation costs more than 1000000 units",
      "\(compares.text())")
    let gives = try #require(report.step("gives"))
    #expect(gives["outcome"] == "error")
    #expect(
      gives["error"]?["message"]?.string?.contains("the value has more than 1000000 parts") == true, "\(gives.text())")
  }

  @Test("eval ends with an error that names the limit, for people and in JSON", arguments: ["text", "json"])
  func eval(format: String) async throws {
    let output = try await CommandLineProject().runbook(
      "eval", Self.doubled(from: "'x'", "a45"), "--format", format)
    #expect(output.status == 3)
    #expect(output.stderr.contains("the value is longer than 1048576 octets as text [no-value]"), "\(output.stderr)")
    guard format == "json" else { return }
    let problem = try #require(try output.json["problems"]?.array?.first)
    #expect(problem["code"] == "no-value" && problem["line"] == 1 && problem["column"] == 1, "\(output.stdout)")
  }
}
