import Foundation
import Journal
import Schema
import Steps
import TestSupport
import Testing

extension DockerEngineTests {
  /// What containers write: docker.logs, docker.exec, and containers as sources of log.review and coturn.log.
  @Suite struct ContainerOutputTests {
    let lab: DockerLab

    init() throws { lab = try DockerEngineTests.lab() }

    private func written(_ container: LabContainer, _ lines: Int) async throws {
      let end = ContinuousClock.now + .seconds(30)
      while try container.log.split(whereSeparator: \.isNewline).count < lines {
        try #require(.now < end)
        try await Task.sleep(for: .milliseconds(20))
      }
    }

    /// The engine reads both streams by themselves: what is written to them at one moment has no order.
    private static let speaks = ["/bin/sh", "-c", "echo one; sleep 1; echo two >&2; exec sleep 600"]

    @Test("Lines come without frames, with a terminal and without one")
    func logs() async throws {
      for (options, isTerminal) in [([], false), (["-t"], true)] {
        let container = try lab.container(options: options, command: Self.speaks)
        try await written(container, 2)
        let output = try await DockerStep("docker.logs", lab, container: container.name)().output
        #expect(output["text"] == .string("one\ntwo\n"))
        #expect(output["lines"] == .list([.string("one"), .string("two")]))
        #expect(output["terminal"] == .bool(isTerminal))
        let last = try await DockerStep("docker.logs", lab, container: container.name, ("lines", .int(1)))().output
        #expect(last["text"] == .string("two\n"))
        // The engine tells its clock in whole seconds: a window begins up to a second earlier.
        let late = DockerStep("docker.logs", lab, container: container.name, ("since", .duration(.milliseconds(1))))
        let end = ContinuousClock.now + .seconds(20)
        while try await late().output["lines"] != .list([]) { try #require(.now < end) }
      }
    }

    @Test("A driver that keeps no log is an error that says where the log is")
    func drivers() async throws {
      let container = try lab.container(options: ["--log-driver", "none"], command: Self.speaks)
      let error = try await DockerStep("docker.logs", lab, container: container.name).error()
      #expect(error.kind == .broken)
      #expect(error.finding.code == "docker.logNotReadable")
      let uncached = try lab.container(
        options: [
          "--log-driver", "syslog", "--log-opt", "syslog-address=udp://127.0.0.1:9", "--log-opt", "cache-disabled=true",
        ], command: Self.speaks)
      let other = try await DockerStep("docker.logs", lab, container: uncached.name).error()
      #expect(other.finding.code == "docker.logNotReadable")
      #expect(other.finding.advice?.contains("udp://127.0.0.1:9") == true)
    }

    private func source(_ container: LabContainer) -> Value {
      .members([.init("name", .string(container.name)), .init("engine", .string(lab.engine))])
    }

    @Test("log.review takes a container as its source, by its times")
    func review() async throws {
      let container = try lab.container(command: Self.speaks)
      try await written(container, 2)
      var step = DockerStep("log.review", lab)
      step.input = [
        .init("container", source(container)), .init("since", .duration(.seconds(600))),
        .init(
          "patterns",
          .members([.init("second", .members([.init("match", .string("^two$")), .init("severity", .string("note"))]))])),
      ]
      let output = try await step().output
      #expect(output["lines"] == .int(2))
      let found = output["matches"]?["second"]
      #expect(found?["count"] == .int(1))
      #expect(found?["samples"] == .list([.string("two")]))
      #expect(found?["first"] != .null)
    }

    @Test("A container that has never logged anything is an error, and no clean log")
    func silent() async throws {
      let container = try lab.container()
      var step = DockerStep("log.review", lab)
      step.input = [
        .init("container", source(container)),
        .init("patterns", .members([.init("any", .members([.init("match", .string("x"))]))])),
      ]
      let error = try await step.error()
      #expect(error.kind == .broken)
      #expect(error.finding.code == "docker.logEmpty")
    }

    @Test("coturn.log takes a container as its source")
    func coturn() async throws {
      let coturn = try lab.coturn()
      var step = DockerStep("coturn.log", lab)
      step.input = [.init("container", source(coturn))]
      let result = try await step()
      #expect(result.output["isCoturn"] == .bool(true))
      #expect(result.output["version"].map { "\($0)" }?.contains("4.") == true)
      let error = try await { () async throws -> StepError in
        var step = DockerStep("coturn.log", lab)
        let other = try lab.container(command: Self.speaks)
        try await written(other, 2)
        step.input = [.init("container", source(other))]
        return try await step.error()
      }()
      #expect(error.finding.code == "coturn.notItsLog")
    }

    @Test("A program in a container: its outputs apart, its exit code, and secrets masked")
    func exec() async throws {
      let container = try lab.container()
      func exec(_ command: [String], _ members: (String, Value)...) -> DockerStep {
        var step = DockerStep(
          "docker.exec", lab, container: container.name, ("command", .list(command.map(Value.string))))
        step.input += members.map { .init($0.0, $0.1) }
        return step
      }
      let result = try await exec(
        ["/bin/sh", "-c", "echo out $WORD; echo err >&2; exit 3"],
        ("secretEnv", .members([.init("WORD", .secret(Secret("hunter2-and-more")))])))()
      #expect(result.objection?.finding.code == "docker.execFailed")
      #expect(result.output["exitCode"] == .int(3))
      #expect(result.output["stdout"] == .string("out ‹secret›\n"))
      #expect(result.output["stderr"] == .string("err\n"))
      let right = try await exec(["/bin/sh", "-c", "exit 3"], ("exitCodes", .list([.int(3)])))()
      #expect(right.objection == nil)
      let missing = try await exec(["/no/such/program"])()
      #expect(missing.objection?.finding.code == "docker.execFailed")
      #expect(missing.output["exitCode"] != .int(0))
    }

    @Test("A program that is not waited for is said to go on, with its number")
    func execGoesOn() async throws {
      let container = try lab.container()
      let step = DockerStep(
        "docker.exec", lab, container: container.name, ("command", .list([.string("/bin/sleep"), .string("300")])))
      let task = Task { try await step.error() }
      let end = ContinuousClock.now + .seconds(30)
      while try !lab.run(["top", container.name]).text.contains("sleep 300") {
        try #require(.now < end)
        try await Task.sleep(for: .milliseconds(20))
      }
      task.cancel()
      let error = try await task.value
      #expect(error.kind == .interrupted)
      #expect(error.finding.code == "docker.execGoesOn")
      let pid = error.finding.message.split(separator: " ").compactMap { Int32($0) }.first
      #expect(kill(try #require(pid), 0) == 0)
    }

    @Test("What a coturn uses is told, and what the host's network does not tell is absent")
    func stats() async throws {
      let coturn = try lab.coturn(options: ["--memory", "256m"])
      let output = try await DockerStep("docker.stats", lab, container: coturn.name)().output
      #expect(output["memoryLimit"] == .int(256 << 20))
      #expect(output["limited"] == .bool(true))
      #expect(output["received"] == .null)
      guard case .double? = output["cpu"], case .int(let memory)? = output["memory"] else {
        Testing.Issue.record("no figures: \(output)")
        return
      }
      #expect(memory > 0)
      try lab.run(["stop", "-t", "0", coturn.name])
      let error = try await DockerStep("docker.stats", lab, container: coturn.name).error()
      #expect(error.kind == .failed)
      #expect(error.finding.code == "docker.notRunning")
    }

    @Test("All containers are listed, those that do not run as well")
    func ps() async throws {
      let container = try lab.container("listed")
      try lab.run(["stop", "-t", "0", container.name])
      let output = try await DockerStep("docker.ps", lab)().output
      guard case .list(let listed)? = output["containers"] else {
        Testing.Issue.record("no list")
        return
      }
      let mine = listed.first { $0["name"] == .string(container.name) }
      #expect(mine?["status"] == .string("exited"))
      #expect(mine?["project"] == .null)
    }
  }
}
