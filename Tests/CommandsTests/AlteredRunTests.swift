import Foundation
import Processes
import Schema
import Testing

/// Runs that were altered, copied elsewhere, or recorded by somebody else.
@Suite struct AlteredRunTests {
  private let project: CommandLineProject

  init() throws {
    project = try CommandLineProject()
    try project.write(
      "runbooks/broken.yaml",
      """
      runbook: broken
      title: Broken
      allow: [observe]
      steps:
        - id: load
          use: host.load
          expect: [output.load1 < 0.0]

      """)
  }

  @Test("A verdict that was edited is found out by report and by history")
  func editedVerdict() async throws {
    #expect(try await project.runbook("run", "broken", "--quiet").status == 1)
    let folder = try #require(project.runFolders().first)
    let journal = "\(folder)/journal.jsonl"
    let edit = try await project.command(["-i", #"$s/"outcome":"fail"/"outcome":"pass"/"#, journal], program: "sed")
      .run()
    #expect(project.output(of: edit).status == 0)
    let report = try await project.runbook("report", "last")
    #expect(report.status == 3 && report.stdout.isEmpty)
    #expect(report.stderr.contains("ended in pass, but its steps come to fail"), "\(report.stderr)")
    let history = try await project.runbook("history")
    #expect(history.status == 3 && history.stdout.contains("changed"))
    #expect(history.stderr.contains("ended in pass, but its steps come to fail"), "\(history.stderr)")
  }

  @Test("The folder of a run is reported where there is no project, by its path or its journal's")
  func copiedFolder() async throws {
    #expect(try await project.runbook("run", "broken", "--quiet").status == 1)
    let folder = try #require(project.runFolders().first)
    let elsewhere = try CommandLineProject(isEmpty: true)
    try FileManager.default.copyItem(atPath: folder, toPath: "\(elsewhere.root)/evidence")
    for path in ["evidence", "./evidence/", "\(elsewhere.root)/evidence/journal.jsonl"] {
      let report = try await elsewhere.runbook("report", path)
      #expect(report.status == 0 && report.stdout.contains("FAIL  broken"), "\(path): \(report.stderr)")
    }
    let missing = try await elsewhere.runbook("report", "./nowhere")
    #expect(missing.status == 2 && missing.stderr.contains("there is no run in ./nowhere"), "\(missing.stderr)")
  }

  @Test("An operator reads the run that root recorded first", .enabled(if: geteuid() == 0, "it takes root"))
  func rootFirst() async throws {
    try #require(chown(project.root, 65534, 65534) == 0)
    #expect(try await project.runbook("run", "broken", "--quiet").status == 1)
    let asOperator = ["--reuid=65534", "--regid=65534", "--clear-groups", CommandLineProject.executable]
    let history = project.output(of: try await project.command(asOperator + ["history"], program: "setpriv").run())
    #expect(history.status == 0 && history.stdout.contains("fail"), "\(history)")
    let run = project.output(
      of: try await project.command(asOperator + ["run", "broken", "--quiet"], program: "setpriv").run())
    #expect(run.status == 1, "\(run.stderr)")
    // A run that only root may read is no damaged one.
    let folder = try #require(project.runFolders().first)
    try #require(chown("\(folder)/journal.jsonl", 0, 0) == 0)
    let refused = project.output(of: try await project.command(asOperator + ["history"], program: "setpriv").run())
    #expect(refused.status == 3 && refused.stdout.contains("no access"), "\(refused)")
    #expect(!refused.stdout.contains("damaged") && refused.stderr.contains("Permission denied"), "\(refused)")
  }
}
