import Docker
package import Journal
import Processes
import Schema
package import Steps

/// Changes how many containers a service of Compose has.
package struct DockerScale: StepModule {
  package struct Input: Hashable, Sendable {
    package var project: String?
    package var service: String
    package var replicas: Int?
    package var remove: [String]
    package var dividesClients: Bool
    package var files: [String]
    package var grace: Duration?
    package var engine: String?
    package var certificates: String?

    fileprivate var target: DockerTarget {
      DockerTarget(container: nil, project: project, service: service, engine: engine, certificates: certificates)
    }
  }

  package struct Output: Hashable, Sendable {
    package var project: String
    package var service: String
    package var before: Int
    package var after: Int
    package var added: [String]
    package var removed: [String]
    package var containers: [String]
  }

  package static let declaration = ModuleDeclaration(
    "docker.scale", "Change how many containers a service of Compose has.",
    discussion: """
      The service is found by the labels of its containers, whichever version of Compose made them, and `docker compose` or `docker-compose` does
      the work, whichever is there. Its files are those that the labels name, unless `files` gives others.

      Two containers cannot have one port of the host: a service with fixed published ports is refused. On the host's network they can, and
      that is worse: coturn shares its port (SO_REUSEPORT), and the kernel divides the clients between the two. Clients of one source port
      stay with one server, but if one of the two hangs, half of all clients fail. The step refuses that unless `dividesClients` says that it
      is meant. Whether the service is any better for it is for a probe to say, from 20 source ports.

      The undo gives `remove` what the step `added`, so that nothing else goes:
      `with: {service: coturn, remove: "${steps.scale.?output.?added.orValue([])}"}`.
      """,
    effect: .change, repetition: .atMostOnce, judges: true,
    programs: [RequiredProgram("docker-compose", package: "docker-compose", ifGiven: "replicas", isOptional: true)],
    deadline: .seconds(180),
    input: Record(
      Input.init,
      DockerFields.project(\.project),
      Field("service", \.service, .string, "The service of Compose."),
      Field("replicas", \.replicas, .optional(.int.within(0...64)), "How many containers it is to have."),
      Field("remove", \.remove, .list(.string), default: [], "In place of a number: the ids of containers to remove."),
      Field(
        "dividesClients", \.dividesClients, .bool, default: false,
        "Whether several servers may divide the clients of one port on the host's network."),
      Field(
        "files", \.files, .list(.string), default: [], "The files of Compose, in place of those that the labels name."),
      Field("grace", \.grace, .optional(.duration), "How long a container has to end by itself; 10s, if not given."),
      DockerFields.engine(\.engine),
      DockerFields.certificates(\.certificates)
    ),
    output: Record(
      Output.init,
      Field("project", \.project, .string, "The Compose project."),
      Field("service", \.service, .string, "The service."),
      Field("before", \.before, .int, "How many of its containers ran before."),
      Field("after", \.after, .int, "How many run now."),
      Field("added", \.added, .list(.string), "The ids of those that the step made."),
      Field("removed", \.removed, .list(.string), "The ids of those that are gone."),
      Field("containers", \.containers, .list(.string), "The names of those that run now.")
    ),
    examples: [
      .init("Two TURN servers", with: "{project: turn, service: coturn, replicas: 2}", expect: ["output.after == 2"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    if let finding = input.target.objection { return finding }
    guard input.replicas == nil || input.remove.isEmpty else {
      return Finding(
        "docker.twoWishes", "the step names both a number of containers and those to remove",
        advice: "Give one of them.")
    }
    return nil
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let deadline = context.requestDeadline
    let before: ServiceLook
    do throws(DockerError) { before = try await Self.look(input, by: deadline) } catch {
      throw StepError(error, .changeNotBegun)
    }
    guard let replicas = input.replicas else {
      return .done(try await Self.remove(input.remove, of: before, input, by: deadline))
    }
    try Self.refuse(before, input, replicas)
    guard
      let compose = await ComposeProject(before.place, files: input.files, at: before.engine.endpoint, in: context)
    else {
      throw .notStarted(
        "docker.noCompose", "neither docker compose nor docker-compose is on this host",
        advice: "Install one of them: docker-compose-plugin, or Debian's docker-compose.")
    }
    try Self.require(compose)
    var arguments = ["up", "-d", "--no-recreate", "--no-build", "--scale", "\(input.service)=\(replicas)"]
    if let grace = input.grace { arguments += ["-t", "\(grace.components.seconds)"] }
    let result: ProcessResult
    do throws(ProcessError) { result = try await compose.run(arguments + [input.service], in: context) } catch {
      throw .notStarted(
        "docker.noCompose", "Compose cannot be started: \(error.message)", advice: "Look at its installation.")
    }
    guard result.interruption == nil else {
      throw StepError(
        .interrupted,
        Finding(
          "docker.interrupted", "Compose was ended while it changed the service \(input.service)",
          advice: "Look at its containers: docker ps -a --filter label=com.docker.compose.service=\(input.service)"))
    }
    return try await Self.judge(result, before, input, replicas, by: deadline)
  }

  package func reconcile(_ input: Input, in context: StepContext) async throws(StepError) -> Reconciliation {
    do throws(DockerError) {
      let look = try await Self.look(input, by: context.requestDeadline)
      guard let replicas = input.replicas else {
        return look.all.contains { input.remove.contains($0.id) } ? .notDone : .done(nil)
      }
      // What Compose has begun it ends if it is asked again.
      return look.running.count == replicas ? .done(nil) : .notDone
    } catch {
      throw StepError(error, .looking)
    }
  }
}

/// The containers of one service.
private struct ServiceLook {
  let engine: DockerEngine
  let place: Container.ComposePlace
  let all: [ContainerSummary]
  /// One of them, as a sample of all.
  let sample: Container

  var running: [ContainerSummary] { all.filter { $0.status == .running } }
}

extension DockerScale {
  private static func look(
    _ input: Input, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> ServiceLook {
    let engine = try await input.target.reachedEngine(by: deadline)
    let choice = input.target.choice
    let listed = try await engine.containers(by: deadline)
    let found = choice.ofService(listed)
    guard let first = found.first, let place = first.compose else {
      // It says what there is in its place.
      _ = try choice.one(of: listed, at: engine.endpoint)
      throw DockerError(.noContainer, "no container of the service \(input.service) is known", advice: "")
    }
    let projects = Set(found.compactMap { $0.compose?.project })
    guard projects.count == 1 else {
      throw DockerError(
        .ambiguousContainer,
        "several projects have a service \(input.service): \(projects.sorted().joined(separator: ", "))",
        advice: "Give `project`.")
    }
    let sample = try await engine.container(first.id, by: deadline).container
    return ServiceLook(engine: engine, place: place, all: found, sample: sample)
  }

  /// What is to be refused before anything is begun.
  private static func refuse(_ look: ServiceLook, _ input: Input, _ replicas: Int) throws(StepError) {
    guard replicas > 1 else { return }
    if !look.sample.fixedPorts.isEmpty {
      let ports = look.sample.fixedPorts.joined(separator: ", ")
      throw .notStarted(
        "docker.fixedPorts",
        "the service \(input.service) publishes fixed ports (\(ports)): a second container cannot have them",
        advice: "Publish a range or no fixed port, or put a second server on another host.")
    }
    guard look.sample.network == "host", !input.dividesClients else { return }
    throw .notStarted(
      "docker.hostNetwork",
      "the service \(input.service) is on the host's network: \(replicas) servers would divide the clients of one port",
      advice: """
        The kernel would send each client to one of them, and if one hangs, its part of all clients fails. If that is meant, say \
        `dividesClients: true`, and probe from 20 source ports. Else put a second server on another host.
        """)
  }

  private static func require(_ compose: ComposeProject) throws(StepError) {
    if compose.files.isEmpty {
      throw .notStarted(
        "docker.noComposeFile",
        "the containers of the project \(compose.name) do not tell which files it was made from",
        advice: "Give `files`.")
    }
    if let file = compose.missingFile {
      throw .notStarted(
        "docker.noComposeFile", "the file of Compose \(file) is not on this host",
        advice: "Run this on the host that has it, or give `files`.")
    }
  }

  private static func judge(
    _ result: ProcessResult, _ before: ServiceLook, _ input: Input, _ replicas: Int,
    by deadline: ContinuousClock.Instant
  ) async throws(StepError) -> StepResult<Output> {
    do throws(DockerError) {
      var after = try await before.engine.containers(by: deadline)
      var failure: Finding?
      if !result.isSuccess {
        let words = result.standardError.text.split(separator: "\n").suffix(3).joined(separator: "; ")
        failure = Finding(
          "docker.scaleFailed",
          "Compose could not give the service \(input.service) \(replicas) containers: \(words.prefix(500))",
          advice: "What it made and could not start was removed. Look at the image, the ports and the disk.")
        // One that was made and does not run would be in the way of the next start.
        for container in made(after, before, input) where container.status != .running {
          try await delete(container.id, at: before.engine, by: deadline)
        }
        after = try await before.engine.containers(by: deadline)
      }
      let output = output(after, before, input)
      if let failure { return .failed(output, failure) }
      guard output.after == replicas else {
        return .failed(
          output,
          Finding(
            "docker.scaleFailed",
            "the service \(input.service) has \(output.after) running containers, and not \(replicas)",
            advice: "Look at the others: docker ps -a --filter label=com.docker.compose.service=\(input.service)"))
      }
      return .done(output)
    } catch {
      throw StepError(error, .changeBegun)
    }
  }

  private static func made(_ all: [ContainerSummary], _ before: ServiceLook, _ input: Input) -> [ContainerSummary] {
    let known = Set(before.all.map(\.id))
    return ContainerChoice(container: nil, project: before.place.project, service: input.service).ofService(all)
      .filter { !known.contains($0.id) }
  }

  private static func output(_ all: [ContainerSummary], _ before: ServiceLook, _ input: Input) -> Output {
    let now = ContainerChoice(container: nil, project: before.place.project, service: input.service).ofService(all)
    let running = now.filter { $0.status == .running }
    let ids = Set(now.map(\.id))
    return Output(
      project: before.place.project, service: input.service, before: before.running.count, after: running.count,
      added: made(all, before, input).map(\.id), removed: before.all.map(\.id).filter { !ids.contains($0) },
      containers: running.map(\.name))
  }

  private static func remove(
    _ ids: [String], of before: ServiceLook, _ input: Input, by deadline: ContinuousClock.Instant
  ) async throws(StepError) -> Output {
    // One that is gone already was to go.
    let chosen = before.all.filter { ids.contains($0.id) }
    do throws(DockerError) {
      for container in chosen {
        let seconds = input.grace.map { [("t", "\($0.components.seconds)")] } ?? []
        _ = try await before.engine.answer("POST", "/containers/\(container.id)/stop", query: seconds, by: deadline)
        try await delete(container.id, at: before.engine, by: deadline)
      }
      return output(try await before.engine.containers(by: deadline), before, input)
    } catch {
      throw StepError(error, .changeBegun)
    }
  }

  private static func delete(
    _ id: String, at engine: DockerEngine, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) {
    do throws(DockerError) {
      _ = try await engine.answer("DELETE", "/containers/\(id)", query: [("force", "1"), ("v", "1")], by: deadline)
    } catch {
      guard error.status == 404 else { throw error }
    }
  }
}
