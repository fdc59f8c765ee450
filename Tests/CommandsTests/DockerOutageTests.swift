import Foundation
import Glibc
import Processes
import Schema
import TestSupport
import Testing

/// Outages of a coturn in a container of a real Docker engine, met by `p1-outage`.
@Suite(.serialized) struct DockerOutageTests {
  private let project: CommandLineProject
  private let lab: DockerLab

  init() throws {
    project = try CommandLineProject()
    lab = try DockerLab.engine()
  }

  private func respond(
    to container: LabContainer, port: UInt16, watch: String = "1s"
  ) async throws -> (status: Int32, report: JSON) {
    let output = try await project.runbook(
      ["run", "p1-outage", "--format", "json", "-p", "container=\(container.name)", "-p", "watch=\(watch)"],
      environment: [
        "TURN_SERVER": "turn:127.0.0.1:\(port)", "TURN_USERNAME": Coturn.username, "TURN_CREDENTIAL": Coturn.credential,
        "DOCKER_HOST": lab.engine,
      ])
    try #require([0, 1, 3].contains(output.status), "\(output.stdout)\(output.stderr)")
    return (output.status, try output.json)
  }

  /// That of all repairs the given one alone was done, or none.
  private func expectRepair(_ report: JSON, _ done: String?) {
    for repair in ["start", "restart", "startContainer", "restartContainer", "agree", "endOthers", "reload"] {
      let came = report.step("repair/\(repair)")?["outcome"]?.string
      if repair == done {
        #expect(["pass", "warn"].contains(came), "\(repair): \(report)")
      } else {
        #expect(came == nil || came == "skipped", "\(repair): \(report)")
      }
    }
  }

  private func expectRecovery(_ response: (status: Int32, report: JSON), by repair: String) {
    #expect(response.status == 0, "\(response.report)")
    let hypothesis = response.report["hypothesis"]?.array ?? []
    #expect(hypothesis.first { $0["stage"] == "before" }?["outcome"] == "fail", "\(hypothesis)")
    #expect(hypothesis.first { $0["stage"] == "after" }?["outcome"] == "pass", "\(hypothesis)")
    expectRepair(response.report, repair)
  }

  private func wait(_ container: LabContainer, until state: String) async throws {
    for _ in 0..<300 where try container.field("{{.State.Status}}") != state {
      try await Task.sleep(for: .milliseconds(50))
    }
    try #require(try container.field("{{.State.Status}}") == state)
  }

  @Test("A container that docker kill ended is started")
  func killed() async throws {
    let container = try lab.coturn()
    try lab.run(["kill", container.name])
    try await wait(container, until: "exited")
    expectRecovery(try await respond(to: container, port: container.port), by: "startContainer")
  }

  @Test("A container whose process the kernel ended is started; one that Docker started again is left alone")
  func killedByTheKernel() async throws {
    let container = try lab.coturn()
    kill(try container.pid, SIGKILL)
    try await wait(container, until: "exited")
    expectRecovery(try await respond(to: container, port: container.port), by: "startContainer")

    let always = try lab.coturn(options: ["--restart", "always"])
    let before = try always.pid
    kill(before, SIGKILL)
    for _ in 0..<300 where try [0, before].contains(always.pid) { try await Task.sleep(for: .milliseconds(50)) }
    try #require(always.answers(within: .seconds(20)))
    let (status, report) = try await respond(to: always, port: always.port)
    #expect(status == 0, "\(report)")
    expectRepair(report, nil)
  }

  @Test("A container whose server hangs is restarted")
  func hung() async throws {
    let container = try lab.coturn()
    kill(try container.pid, SIGSTOP)
    expectRecovery(try await respond(to: container, port: container.port), by: "restartContainer")
  }

  @Test(
    "A container that crashes again and again, one that is paused and one that only its health check calls ill are told, and left alone"
  )
  func told() async throws {
    let crashing = try lab.container(
      options: ["--restart", "always"], command: ["/bin/sh", "-c", "sleep 1; exit 1"])
    let flapping = try await respond(to: crashing, port: try freePort(), watch: "5s")
    #expect(flapping.status == 1 && flapping.report.text().contains("ends again and again"), "\(flapping.report)")
    expectRepair(flapping.report, nil)

    let container = try lab.coturn(options: [
      "--health-cmd", "false", "--health-interval", "1s", "--health-retries", "1",
    ])
    for _ in 0..<300 where try container.field("{{.State.Health.Status}}") != "unhealthy" {
      try await Task.sleep(for: .milliseconds(100))
    }
    let unhealthy = try await respond(to: container, port: container.port)
    #expect(
      unhealthy.status == 1 && unhealthy.report.text().contains("health check says unhealthy"), "\(unhealthy.report)")
    expectRepair(unhealthy.report, nil)

    try lab.run(["pause", container.name])
    let paused = try await respond(to: container, port: container.port)
    try lab.run(["unpause", container.name])
    #expect(paused.status == 1 && paused.report.text().contains("docker unpause"), "\(paused.report)")
    expectRepair(paused.report, nil)
  }
}
