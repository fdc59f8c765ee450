package import Docker
package import Journal
package import Schema
package import Steps

/// Which containers there are.
package struct DockerPs: StepModule {
  package struct Input: Hashable, Sendable {
    package var project: String?
    package var service: String?
    package var engine: String?
    package var certificates: String?

    fileprivate var target: DockerTarget {
      DockerTarget(container: nil, project: project, service: service, engine: engine, certificates: certificates)
    }
  }

  package struct Listed: Hashable, Sendable {
    package var id: String
    package var name: String
    package var image: String
    package var status: Container.Status
    package var text: String
    package var created: Timestamp?
    package var network: String
    package var project: String?
    package var service: String?
    package var number: Int?
  }

  package struct Output: Hashable, Sendable {
    package var containers: [Listed]
    package var count: Int
    package var running: Int
    package var engine: String
  }

  private static let listed = Record(
    Listed.init,
    Field("id", \.id, .string, "Its whole id."),
    Field("name", \.name, .string, "Its name."),
    Field("image", \.image, .string, "What it was made from."),
    Field("status", \.status, .enumeration(Container.Status.self), "What it does."),
    Field("text", \.text, .string, "The same as `docker ps` says it, with its health."),
    Field("created", \.created, .optional(.timestamp), "When it was made."),
    Field("network", \.network, .string, "Its network."),
    Field("project", \.project, .optional(.string), "Its Compose project; absent: Compose did not make it."),
    Field("service", \.service, .optional(.string), "Its service in that project."),
    Field("number", \.number, .optional(.int), "Which of the service's containers it is.")
  )

  package static let declaration = ModuleDeclaration(
    "docker.ps", "Which containers there are, whether they run or not.",
    discussion: """
      With `project` or `service` those of Compose alone, which are told by their labels: Compose 1 and 2 name them differently. Whether one is
      well says `docker.inspect`.
      """,
    effect: .observe, judges: false, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("project", \.project, .optional(.string), "Only those of this Compose project."),
      Field("service", \.service, .optional(.string), "Only those of this service of Compose."),
      DockerFields.engine(\.engine),
      DockerFields.certificates(\.certificates)
    ),
    output: Record(
      Output.init,
      Field("containers", \.containers, .list(.record(listed)), "The containers, by name."),
      Field("count", \.count, .int, "How many there are."),
      Field("running", \.running, .int, "How many of them run."),
      Field("engine", \.engine, .string, "The engine that was asked.")
    ),
    examples: [
      .init(
        "The project's containers all run", with: "project: turn",
        expect: ["output.count > 0", "output.running == output.count"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? { input.target.engineObjection }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    do throws(DockerError) {
      let engine = try await input.target.reachedEngine(by: context.requestDeadline)
      let found = try await engine.containers(by: context.requestDeadline).filter { summary in
        (input.project == nil || summary.compose?.project == input.project)
          && (input.service == nil || summary.compose?.service == input.service)
      }.sorted { $0.name < $1.name }
      return .done(
        Output(
          containers: found.map(Listed.init), count: found.count, running: found.count { $0.status == .running },
          engine: engine.endpoint.name))
    } catch {
      throw StepError(error, .looking)
    }
  }
}

extension DockerPs.Listed {
  fileprivate init(_ summary: ContainerSummary) {
    self.init(
      id: summary.id, name: summary.name, image: summary.image, status: summary.status, text: summary.statusText,
      created: summary.created, network: summary.network, project: summary.compose?.project,
      service: summary.compose?.service, number: summary.compose?.number)
  }
}
