import Foundation
import Processes
import Schema
import Testing

/// A run that was killed while a step started a real service: the step's module is asked how that ended.
@Suite struct ReconcileTests {
  /// What the module finds out.
  enum Ending: String, CaseIterable {
    /// The service runs, and the PID file names it.
    case done
    /// The service has ended.
    case notDone
    /// The service runs, and no file names it.
    case unknown
  }

  @Test("Done is not done again, not done is begun again, unknown waits for a person", arguments: Ending.allCases)
  func reconcile(_ ending: Ending) async throws {
    let project = try project()
    try await killWhileStarting(project)
    switch ending {
    case .done:
      try project.write("go", "")
      try await until { project.exists("pid") }
    case .notDone:
      try await endService(project)
      try project.write("go", "")
    case .unknown: break
    }

    var output = try await project.runbook("resume", "last", "--format", "json")
    if ending == .unknown {
      #expect(output.status == 3)
      #expect(output.stderr.contains("was started, and the PID file \(project.root)/pid does not name it"), "\(output)")
      #expect(try world(project) == ["first", "served"])
      try project.write("go", "")
      try await until { project.exists("pid") }
      let told = try await project.runbook("resolve", "last", "serve", "done", "--reason", "it serves")
      #expect(told.status == 0, "\(told.stderr)")
      output = try await project.runbook("resume", "last", "--format", "json")
    }
    #expect(output.status == 0, "\(output.stderr)\(output.stdout)")
    // The one that had ended had served as well.
    let served = Array(repeating: "served", count: ending == .notDone ? 2 : 1)
    #expect(try world(project) == ["first"] + served + ["last", "stopped"])
    let step = try #require(try output.json.step("serve"))
    #expect(step["outcome"] == "pass")
    #expect((step["output"]?["pid"]?.int != nil) == (ending != .unknown))
    let verdicts = try events(project).filter { $0["type"] == "step.reconciled" }.map { $0["verdict"]?.string }
    #expect(verdicts == [ending.rawValue])
  }

  private func project() throws -> CommandLineProject {
    let project = try CommandLineProject(isEmpty: true)
    let root = project.root
    try project.write("runbook.yaml", "project: test\n")
    func act(_ id: String) -> String {
      "{id: \(id), use: command.run, with: {command: [sh, -c, 'echo \(id) >> \(root)/world']}}"
    }
    try project.write(
      "runbooks/serve.yaml",
      """
      runbook: serve
      allow: [change]
      steps:
        - \(act("first"))
        - id: serve
          use: process.start
          with: {pidFile: \(root)/pid, command: [/bin/sh, \(root)/service], directory: /, settle: 0s, patience: 50s}
        - \(act("last"))
        - {id: stop, use: process.stop, with: {pidFile: \(root)/pid, program: /bin/sh}}

      """)
    try project.write(
      "service",
      """
      trap 'trap "" TERM; test ! -e \(root)/pid || echo stopped >> \(root)/world; kill $! 2>&-; exit' TERM
      echo served >> \(root)/world
      until test -e \(root)/go; do sleep 0.02; done
      echo $$ > \(root)/pid
      sleep 600 & wait

      """)
    return project
  }

  /// The service runs then, and its PID file is not there yet.
  private func killWhileStarting(_ project: CommandLineProject) async throws {
    async let result = project.command(["run", "serve", "--quiet"]).run()
    try await until { (try? world(project).contains("served")) == true }
    let pid = try #require(try events(project).first?["pid"]?.int)
    kill(pid_t(pid), SIGKILL)
    #expect(project.output(of: try await result).status == 128 + SIGKILL)
  }

  private func endService(_ project: CommandLineProject) async throws {
    try await until {
      let services = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter {
        let line = (try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8)) ?? ""
        return line.hasPrefix("/bin/sh\0\(project.root)/service\0")
      }
      for pid in services { kill(pid, SIGTERM) }
      return services.isEmpty
    }
  }

  private func world(_ project: CommandLineProject) throws -> [String] {
    try project.read("world").split(separator: "\n").map(String.init)
  }

  private func events(_ project: CommandLineProject) throws -> [JSON] {
    let folder = try #require(try project.runFolders().last)
    return try String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8).split(separator: "\n").map {
      try JSON(parsing: String($0))
    }
  }
}
