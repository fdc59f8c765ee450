import Foundation
import Testing

/// Where a report may not be written to.
@Suite struct ReportPlaceTests {
  @Test(
    "A report takes the place of no file that the project is made of, links included, and of none of its runs",
    arguments: [
      ("runbook.yaml", "it is the project's runbook.yaml"), (".env", "it is the project's .env"),
      ("runbooks/daily-health.yaml", "it is a file of the project, runbooks/daily-health.yaml"),
      ("checks/new.yaml", "it is a file of the project, checks/new.yaml"),
      ("checks/../runbook.yaml", "it is the project's runbook.yaml"), ("link", "it is the project's runbook.yaml"),
      (".runbook/report.json", "it lies where the project's runs are kept"),
    ])
  func refused(path: String, reason: String) async throws {
    let project = try CommandLineProject()
    try project.write(".env", "TURN_SERVER=turn:127.0.0.1:1\n")
    try FileManager.default.createSymbolicLink(
      atPath: "\(project.root)/link", withDestinationPath: "\(project.root)/runbook.yaml")
    let recorded = try await project.runbook("run", "checks/disk-space", "--quiet")
    #expect(recorded.status == 0, "\(recorded.stderr)")
    let before = try files(project)
    for command in [["run", "checks/disk-space"], ["report", "last"]] {
      let output = try await project.runbook(command + ["--report", "json=\(path)"], environment: [:])
      #expect(output.status == 2, "\(output.stdout)")
      #expect(
        output.stderr.contains("the report cannot be written to \(path): \(reason)\n  name a file of its own for it"),
        "\(output.stderr)")
    }
    #expect(try files(project) == before)
  }

  @Test("Beside them it is written")
  func written() async throws {
    let project = try CommandLineProject()
    for path in ["report.json", "runbooks/report.json"] {
      let output = try await project.runbook("run", "checks/disk-space", "--quiet", "--report", "json=\(path)")
      #expect(output.status == 0 && project.exists(path), "\(output.stderr)")
    }
  }

  private func files(_ project: CommandLineProject) throws -> [String: String] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: project.root)
    return Dictionary(uniqueKeysWithValues: paths.map { ($0, (try? project.read($0)) ?? "") })
  }
}
