import Foundation
import Journal
import Schema
import Steps
import TestSupport
import Testing

extension DockerEngineTests {
  /// docker.restart, docker.start and docker.stop on real containers.
  @Suite struct LifecycleTests {
    let lab: DockerLab

    init() throws { lab = try DockerEngineTests.lab() }

    private func restart(_ container: LabContainer, _ members: (String, Value)...) -> DockerStep {
      var step = DockerStep("docker.restart", lab, container: container.name, ("grace", .duration(.zero)))
      step.input += members.map { .init($0.0, $0.1) }
      return step
    }

    private func startedAt(_ container: LabContainer) throws -> Value {
      .timestamp(try #require(Timestamp(try container.field("{{.State.StartedAt}}"))))
    }

    @Test("A coturn that was killed answers again once it was restarted")
    func restarted() async throws {
      let coturn = try lab.coturn()
      let before = try startedAt(coturn)
      try lab.run(["kill", coturn.name])
      #expect(!coturn.answers(within: .zero))
      let result = try await restart(coturn)()
      #expect(result.objection == nil)
      #expect(result.output["status"] == .string("running"))
      #expect(result.output["startedBefore"] == before)
      #expect(try result.output["startedAt"] == startedAt(coturn))
      #expect(coturn.answers(within: .seconds(30)))
    }

    @Test("A stop is taken back by a start; what is so already is left as it is")
    func stopAndStart() async throws {
      let container = try lab.container()
      let stop = DockerStep("docker.stop", lab, container: container.name, ("grace", .duration(.zero)))
      let start = DockerStep("docker.start", lab, container: container.name)
      #expect(try await stop().output["changed"] == .bool(true))
      #expect(try container.field("{{.State.Running}}") == "false")
      #expect(try await stop().output["changed"] == .bool(false))
      #expect(try await stop.reconciled().isDone)
      #expect(try await start.reconciled() == .notDone)
      #expect(try await start().output["changed"] == .bool(true))
      #expect(try container.field("{{.State.Running}}") == "true")
      let again = try await start()
      #expect(again.output["changed"] == .bool(false))
      #expect(again.objection == nil)
      #expect(try await start.reconciled().isDone)
      #expect(try await stop.reconciled() == .notDone)
    }

    @Test("A paused container is left alone")
    func paused() async throws {
      let container = try lab.container()
      try lab.run(["pause", container.name])
      for step in [restart(container), DockerStep("docker.start", lab, container: container.name)] {
        let error = try await step.error()
        #expect(error.kind == .notStarted)
        #expect(error.finding.code == "docker.paused")
      }
      #expect(try container.field("{{.State.Paused}}") == "true")
    }

    @Test("One that was started since it was looked at is left alone")
    func startedMeanwhile() async throws {
      let container = try lab.container()
      let seen = try startedAt(container)
      try lab.run(["restart", "-t", "0", container.name])
      let now = try startedAt(container)
      let error = try await restart(container, ("startedAt", seen)).error()
      #expect(error.kind == .notStarted)
      #expect(error.finding.code == "docker.startedMeanwhile")
      #expect(try startedAt(container) == now)
      #expect(try await restart(container, ("startedAt", now))().objection == nil)
    }

    @Test("A restart that does not apply a changed image says so")
    func outdated() async throws {
      let tag = "\(lab.uniqueName("image")):lab"
      try lab.run(["tag", DockerLab.image, tag])
      let name = lab.uniqueName("c")
      try lab.run(["run", "-d", "--name", name, "--network", "none", tag, "/bin/sh", "-c", "exec sleep 600"])
      defer { _ = try? lab.run(["rm", "-f", name], allowsFailure: true) }
      // Another image takes the tag, as a pull does.
      try lab.run(["commit", name, tag])
      let step = DockerStep("docker.restart", lab, container: name, ("grace", .duration(.zero)))
      let result = try await step()
      #expect(result.objection?.severity == .warn)
      #expect(result.objection?.finding.code == "docker.configurationNotApplied")
      try lab.run(["rmi", "-f", tag])
      let inspected = try await DockerStep("docker.inspect", lab, container: name, ("window", .duration(.zero)))()
      #expect("\(String(describing: inspected.output["outdated"]))".contains("is gone"))
    }

    @Test("A start that the engine refuses is a failure with its words")
    func refused() async throws {
      let name = lab.uniqueName("c")
      try lab.run(["create", "--name", name, "--network", "none", DockerLab.image, "/no/such/program"])
      defer { _ = try? lab.run(["rm", "-f", name], allowsFailure: true) }
      let error = try await DockerStep("docker.start", lab, container: name).error()
      #expect(error.kind == .failed)
      #expect(error.finding.code == "docker.refused")
      #expect(error.finding.message.contains("/no/such/program"))
    }

    @Test("A restart whose end was not seen is found out: not begun, done, and in the middle of the grace")
    func reconciled() async throws {
      let container = try lab.container(
        command: ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"])
      let seen = try startedAt(container)
      // The engine's events are asked for from the run's start on.
      try await Task.sleep(for: .milliseconds(20))
      var step = restart(container)
      step.run = ULID.next()
      #expect(try await step.reconciled() == .notDone)

      step.input = restart(container).input.filter { $0.name != "grace" } + [.init("grace", .duration(.seconds(2)))]
      let exact = { [step] in
        var step = step
        step.input.append(.init("startedAt", seen))
        return step
      }()
      #expect(try await exact.reconciled() == .notDone)
      let task = Task { [step] in try await step() }
      let end = ContinuousClock.now + .seconds(20)
      while try !lab.run(["events", "--since", "1m", "--until", "0s", "--filter", "container=\(container.name)"]).text
        .contains(" kill ")
      {
        try #require(.now < end)
      }
      task.cancel()
      let error = await #expect(throws: StepError.self) { try await task.value }
      #expect(error?.kind == .interrupted)
      #expect(error?.finding.code == "docker.interrupted")
      // The engine goes on with it.
      #expect(try startedAt(container) == seen)
      #expect(try await step.reconciled().isDone)
      #expect(try startedAt(container) != seen)
      #expect(try await exact.reconciled().isDone)
    }
  }
}

extension Reconciliation {
  var isDone: Bool { if case .done = self { true } else { false } }
}
