import Foundation
import Journal
import Schema
import Steps
import TestSupport
import Testing

extension DockerEngineTests {
  /// docker.inspect on real containers.
  @Suite struct InspectTests {
    let lab: DockerLab

    init() throws { lab = try DockerEngineTests.lab() }

    @Test("A coturn that runs passes, without a health check and without waiting longer than its window")
    func running() async throws {
      let coturn = try lab.coturn()
      let result = try await DockerStep(
        "docker.inspect", lab, container: coturn.name, ("window", .duration(.seconds(1))))()
      #expect(result.objection == nil)
      #expect(result.output["condition"] == .string("running"))
      #expect(result.output["health"] == .null)
      #expect(result.output["exitCode"] == .null)
      #expect(result.output["network"] == .string("host"))
      #expect(result.output["pid"] == .int(Int64(try coturn.pid)))
      #expect(result.output["outdated"] == .list([]))
      // By its id as well.
      let id = String(try coturn.id.prefix(12))
      let again = try await DockerStep("docker.inspect", lab, container: id, ("window", .duration(.zero)))()
      #expect(again.output["name"] == .string(coturn.name))
    }

    @Test("Unhealthy is no running well, though Docker lets it run")
    func unhealthy() async throws {
      let container = try lab.container(
        options: [
          "--health-cmd", "exit 1", "--health-interval", "100ms", "--health-retries", "1", "--restart", "always",
        ])
      try await untilHealth(of: container, is: "unhealthy")
      let result = try await DockerStep(
        "docker.inspect", lab, container: container.name, ("window", .duration(.zero)))()
      #expect(result.objection?.severity == .fail)
      #expect(result.objection?.finding.code == "docker.unhealthy")
      #expect(result.output["running"] == .bool(true))
    }

    @Test("A health check that has no result yet is neither: a warning")
    func starting() async throws {
      let container = try lab.container(options: ["--health-cmd", "exit 0", "--health-interval", "1h"])
      let result = try await DockerStep(
        "docker.inspect", lab, container: container.name, ("window", .duration(.zero)))()
      #expect(result.objection?.severity == .warn)
      #expect(result.objection?.finding.code == "docker.healthStarting")
      #expect(result.output["condition"] == .string("starting"))
    }

    @Test("A container that ends soon after each start is flapping, whenever one looks")
    func flapping() async throws {
      let container = try lab.container(
        options: ["--restart", "always"], command: ["/bin/sh", "-c", "sleep 0.3; exit 1"])
      let result = try await DockerStep("docker.inspect", lab, container: container.name)()
      #expect(result.objection?.finding.code == "docker.flapping")
      #expect(result.output["condition"] == .string("flapping"))
    }

    @Test("One that ended is told with its exit code, and one that is paused with what to do")
    func ended() async throws {
      let container = try lab.container()
      try lab.run(["pause", container.name])
      let paused = try await DockerStep("docker.inspect", lab, container: container.name)()
      #expect(paused.objection?.finding.code == "docker.paused")
      try lab.run(["unpause", container.name])
      try lab.run(["kill", container.name])
      let ended = try await DockerStep("docker.inspect", lab, container: container.name)()
      #expect(ended.objection?.finding.code == "docker.notRunning")
      #expect(ended.output["exitCode"] == .int(137))
      #expect(ended.output["running"] == .bool(false))
      #expect(ended.output["outOfMemory"] == .bool(false))
      let wanted = try await DockerStep(
        "docker.inspect", lab, container: container.name, ("conditions", .list([.string("exited")])))()
      #expect(wanted.objection == nil)
    }

    @Test("A name that is not there fails, and says what there is")
    func missing() async throws {
      let container = try lab.container("cotur")
      let error = try await DockerStep("docker.inspect", lab, container: "\(container.name)x").error()
      #expect(error.kind == .failed)
      #expect(error.finding.code == "docker.noContainer")
      #expect(error.finding.advice == "There is one named \(container.name).")
    }

    private func untilHealth(of container: LabContainer, is health: String) async throws {
      let end = ContinuousClock.now + .seconds(30)
      while try container.field("{{.State.Health.Status}}") != health {
        try #require(.now < end)
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }
}
