import Foundation
import Schema
import Testing

@Suite struct PruneTests {
  private let project: CommandLineProject

  init() throws {
    project = try CommandLineProject()
    try project.write(
      "runbooks/quick.yaml",
      """
      runbook: quick
      title: Quick
      allow: [observe]
      steps:
        - id: load
          use: host.load
          expect: [output.load1 >= 0.0]

      """)
  }

  private func runs() throws -> Int { try project.runFolders().count }

  @Test("Without --yes nothing goes; with it what was listed does, and numbers go on")
  func prune() async throws {
    for _ in 0..<3 { #expect(try await project.runbook("run", "quick", "--quiet").status == 0) }
    let dry = try await project.runbook("prune", "--keep", "1")
    #expect(dry.status == 0 && dry.stdout.contains("2 runs would be removed"), "\(dry.stdout)\(dry.stderr)")
    #expect(try runs() == 3)
    let wet = try await project.runbook("prune", "--keep", "1", "--yes", "--format", "json")
    #expect(try wet.json["runs"]?.array?.map { $0["removed"] } == [true, true])
    #expect(try runs() == 1)
    #expect(try await project.runbook("run", "quick", "--quiet").status == 0)
    let history = try await project.runbook("history", "--format", "json")
    #expect(try history.json.array?.map { $0["number"] } == [4, 3])
  }

  @Test("The project's retention holds where the command line says nothing, and nothing goes where neither does")
  func retention() async throws {
    let unsaid = try await project.runbook("prune")
    #expect(unsaid.status == 2 && unsaid.stderr.contains("--older-than"), "\(unsaid.stderr)")
    for _ in 0..<2 { #expect(try await project.runbook("run", "quick", "--quiet").status == 0) }
    try project.write("runbook.yaml", "project: test\nretention: {keep: 1, keepFailed: true}\n")
    #expect(try await project.runbook("prune").stdout.contains("1 run would be removed"))
    #expect(try await project.runbook("prune", "--keep", "5").stdout.contains("no run would be removed"))
  }

  @Test(
    "A retention that cannot be meant is refused where it stands",
    arguments: [
      ("{keep: 0}", "at least 1"), ("{keepFailed: true}", "olderThan"), ("{olderThan: 90}", "duration"),
      ("{kepp: 3}", "keep"),
    ])
  func badRetention(text: String, part: String) async throws {
    try project.write("runbook.yaml", "project: test\nretention: \(text)\n")
    let output = try await project.runbook("prune", "--keep", "1")
    #expect(output.status == 2 && output.stderr.contains("runbook.yaml:2") && output.stderr.contains(part), "\(output)")
  }
}
