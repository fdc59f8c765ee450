import Foundation
import Glibc
import Processes
import TestSupport
import Testing

/// How the command line reaches a Docker engine: by DOCKER_HOST, through ssh, and as a user who may not.
@Suite("Ways to a Docker engine", .serialized, .timeLimit(.minutes(3)))
struct DockerAccessTests {
  private let project: CommandLineProject
  private let lab: DockerLab
  private var root: String { project.root }

  init() throws {
    project = try CommandLineProject(isEmpty: true)
    lab = try DockerLab.engine()
    try project.write("runbook.yaml", "project: test\n")
    try project.write(
      "runbooks/look.yaml",
      """
      runbook: look
      title: Look at the containers
      allow: [observe]
      params:
        container: {type: string, doc: Which one}
      steps:
        - id: look
          use: docker.inspect
          with: {container: "${params.container}", window: 0s}

      """)
  }

  @Test("DOCKER_HOST names the engine, and the check that ships uses it")
  func environment() async throws {
    let container = try lab.container("coturn")
    let arguments = ["run", "look", "-p", "container=\(container.name)"]
    let found = try await project.runbook(arguments, environment: ["DOCKER_HOST": lab.engine])
    #expect(found.status == 0, "\(found)")
    let elsewhere = try await project.runbook(arguments, environment: ["DOCKER_HOST": "unix://\(root)/none.sock"])
    #expect(elsewhere.status == 3 && elsewhere.stdout.contains("docker.noEngine"), "\(elsewhere)")
  }

  @Test("A user who may not use the socket is told so, and what to do")
  func permission() async throws {
    try #require(geteuid() == 0)
    chmod(lab.socket, 0o660)
    let state = "/tmp/runbook-nobody-\(UInt32.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: state) }
    // A folder of nobody's own, with a copy of the project: that of the test may lie where nobody may look.
    let run = try await shell(
      """
      mkdir \(state); cp -r \(root)/runbook.yaml \(root)/runbooks \(state)/; chown -R nobody \(state); cd \(state)
      HOME=\(state) DOCKER_HOST=\(lab.engine) setpriv --reuid nobody --regid nogroup --clear-groups \
        \(CommandLineProject.executable) run look -p container=coturn 2>&1 || echo "exit $?"
      """)
    #expect(run.contains("docker.noPermission") && run.contains("exit 3"), "\(run)")
    #expect(run.contains("the group of the socket"), "\(run)")
  }

  @discardableResult
  private func shell(_ script: String) async throws -> String {
    let run = try await Command("sh", ["-ec", "cd \(root); \(script)"]).run()
    try #require(run.isSuccess, "\(run.standardError.text)")
    return run.standardOutput.text
  }
}
