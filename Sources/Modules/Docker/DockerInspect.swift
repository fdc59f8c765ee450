package import Docker
package import Journal
package import Schema
package import Steps

/// Whether a container runs, is well, and stays at that.
package struct DockerInspect: StepModule {
  package struct Input: Hashable, Sendable {
    package var container: String?
    package var project: String?
    package var service: String?
    package var window: Duration
    package var conditions: [ContainerCondition]
    package var configuration: Bool
    package var engine: String?
    package var certificates: String?

    fileprivate var target: DockerTarget {
      DockerTarget(
        container: container, project: project, service: service, engine: engine, certificates: certificates)
    }
  }

  package struct Output: Hashable, Sendable {
    package var id: String
    package var name: String
    package var image: String
    package var imageID: String
    package var condition: ContainerCondition
    package var running: Bool
    package var health: Container.Health?
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var uptime: Duration?
    package var exitCode: Int?
    package var outOfMemory: Bool
    package var failure: String?
    package var restarts: Int
    package var restartPolicy: String
    package var pid: Int?
    package var network: String
    package var fixedPorts: [String]
    package var logDriver: String
    package var project: String?
    package var service: String?
    package var outdated: [String]
    package var engine: String
  }

  package static let declaration = ModuleDeclaration(
    "docker.inspect", "Whether a container runs, is well, and stays at that.",
    discussion: """
      `condition` is what it does, times what its health check says: `running` (it has no health check), `healthy`, `unhealthy`,
      `starting` (the check has not come to a result: neither of the two), `flapping` (it is started again and again), `paused`,
      `created` (never started), `exited`, `dead`, `removing`. Without `conditions` the right ones are `running` and `healthy`; the step
      fails with any other, and `starting` is a warning.

      One look proves nothing: between two crashes a container reads `running`. The step passes a container once it has run for the
      `window` without a break. If it has by then, one look is enough; else it looks again. A crash with longer breaks shows in
      `restarts`, which Docker counts from the last start by hand.

      The exit code 137 without `outOfMemory` proves no crash: `docker stop` ends like that if the process ignores TERM, as coturn does as the
      first process of its container.

      `outdated` tells what a restart would not apply: the name of its image stands for another image by now, or for none; with
      `configuration`, the files of Compose give another configuration (in the environment of this run). Make the container anew in that case.

      A container that runs says nothing of the service in it: ask that with a probe.
      """,
    effect: .observe, judges: true, deadline: .seconds(30),
    input: Record(
      Input.init,
      DockerFields.container(\.container),
      DockerFields.project(\.project),
      DockerFields.service(\.service),
      Field(
        "window", \.window, .duration.within(.zero...(.seconds(3600))), default: .seconds(10),
        "How long it must have run without a break."),
      Field(
        "conditions", \.conditions, .list(.enumeration(ContainerCondition.self)), default: [],
        "The right conditions; running and healthy, if none is given."),
      Field(
        "configuration", \.configuration, .bool, default: false,
        "Whether `outdated` compares with the files of Compose as well, which takes a second."),
      DockerFields.engine(\.engine),
      DockerFields.certificates(\.certificates)
    ),
    output: Record(
      Output.init,
      Field("id", \.id, .string, "Its whole id."),
      Field("name", \.name, .string, "Its name."),
      Field("image", \.image, .string, "What it was made from, as it was named then."),
      Field("imageID", \.imageID, .string, "The id of the image that it was made from."),
      Field("condition", \.condition, .enumeration(ContainerCondition.self), "How it is."),
      Field("running", \.running, .bool, "Whether its process is there; also of one that is paused or unhealthy."),
      Field(
        "health", \.health, .optional(.enumeration(Container.Health.self)),
        "What its health check says; absent: it has none, or does not run."),
      Field("startedAt", \.startedAt, .optional(.timestamp), "When it was last started; absent: never."),
      Field("finishedAt", \.finishedAt, .optional(.timestamp), "When it last ended; absent: never."),
      Field("uptime", \.uptime, .optional(.duration), "For how long it has run; absent: it does not."),
      Field("exitCode", \.exitCode, .optional(.int), "How it ended; absent: it runs, or never ran."),
      Field("outOfMemory", \.outOfMemory, .bool, "Whether the kernel ended it for want of memory."),
      Field("failure", \.failure, .optional(.string), "Why it could not be started, in the engine's words."),
      Field("restarts", \.restarts, .int, "How often Docker itself has started it again."),
      Field("restartPolicy", \.restartPolicy, .string, "When Docker does: no, always, unless-stopped, on-failure."),
      Field("pid", \.pid, .optional(.int), "The number of its first process on the engine's host."),
      Field("network", \.network, .string, "Its network: host, none, bridge, or a name."),
      Field("fixedPorts", \.fixedPorts, .list(.string), "Ports of the host that are its own, such as 3478/udp."),
      Field("logDriver", \.logDriver, .string, "Where its log goes: json-file, local, journald, syslog, none."),
      Field("project", \.project, .optional(.string), "Its Compose project; absent: Compose did not make it."),
      Field("service", \.service, .optional(.string), "Its service in that project."),
      Field("outdated", \.outdated, .list(.string), "What a restart would not apply, in words."),
      Field("engine", \.engine, .string, "The engine that was asked.")
    ),
    examples: [
      .init("The TURN server's container runs and is well", with: "container: coturn"),
      .init(
        "The service of Compose has not crashed",
        with: """
          project: turn
          service: coturn
          window: 20s
          """, expect: ["output.restarts == 0"]),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    if let finding = input.target.objection { return finding }
    guard input.window < timeout else {
      return Finding(
        "docker.windowTooLong",
        "the window (\(durationLiteral(input.window))) must be shorter than the step's timeout (\(durationLiteral(timeout)))",
        advice: "Give the step more time, or a shorter `window`.")
    }
    return nil
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    do throws(DockerError) {
      let (look, condition) = try await Self.settled(
        input.target, window: input.window, by: context.requestDeadline)
      let outdated =
        input.configuration
        ? try await ContainerOutdated.allReasons(look, in: context)
        : try await ContainerOutdated.reasons(look, by: context.requestDeadline)
      let output = Output(look, condition, outdated: outdated)
      let right = input.conditions.isEmpty ? [.running, .healthy] : input.conditions
      guard !right.contains(condition) else { return .done(output) }
      let finding = ContainerFinding.finding(look.container, condition)
      return condition == .starting && input.conditions.isEmpty ? .warned(output, finding) : .failed(output, finding)
    } catch {
      throw StepError(error, .looking)
    }
  }

  /// Looks until it is known whether it stays as it is.
  static func settled(
    _ target: DockerTarget, window: Duration, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> (look: ContainerLook, condition: ContainerCondition) {
    var look = try await target.look(by: deadline)
    var watch = ContainerWatch(window: window)
    while true {
      switch watch.take(look.container, time: look.time, at: .now) {
      case .settled(let condition): return (look, condition)
      case .open(let pause):
        guard .now + pause < deadline else {
          throw DockerError(
            .interrupted,
            "\(look.container.name) had not run for \(durationLiteral(window)) when the step's time was over",
            advice: "Give the step more time, or a shorter `window`.")
        }
        do { try await Task.sleep(for: pause) } catch {
          throw DockerError(.interrupted, "\(look.container.name) was not watched to the end", advice: "")
        }
        let next = try await look.engine.container(look.container.id, by: deadline)
        look = ContainerLook(engine: look.engine, container: next.container, time: next.time)
      }
    }
  }
}

extension DockerInspect.Output {
  fileprivate init(_ look: ContainerLook, _ condition: ContainerCondition, outdated: [String]) {
    let container = look.container
    let uptime: Duration? =
      if container.status == .running || container.status == .paused, let start = container.startedAt,
        let now = look.time
      {
        // The engine tells its clock in whole seconds.
        max(.zero, now.duration(since: start))
      } else {
        nil
      }
    self.init(
      id: container.id, name: container.name, image: container.image, imageID: container.imageID,
      condition: condition, running: container.status == .running || container.status == .paused,
      health: container.health, startedAt: container.startedAt, finishedAt: container.finishedAt, uptime: uptime,
      exitCode: container.exitCode, outOfMemory: container.isOutOfMemory, failure: container.failure,
      restarts: container.restarts, restartPolicy: container.restartPolicy, pid: container.pid,
      network: container.network, fixedPorts: container.fixedPorts, logDriver: container.logDriver,
      project: container.compose?.project, service: container.compose?.service, outdated: outdated,
      engine: look.engine.endpoint.name)
  }
}
