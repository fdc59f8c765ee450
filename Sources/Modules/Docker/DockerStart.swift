package import Journal
import Schema
package import Steps

/// Starts a container that does not run.
package struct DockerStart: StepModule {
  package struct Input: Hashable, Sendable {
    package var container: String?
    package var project: String?
    package var service: String?
    package var engine: String?
    package var certificates: String?

    fileprivate var change: ContainerChange {
      ContainerChange(
        verb: .start,
        target: DockerTarget(
          container: container, project: project, service: service, engine: engine, certificates: certificates))
    }
  }

  package static let declaration = ModuleDeclaration(
    "docker.start", "Start a container that does not run.",
    discussion: """
      A container that runs already is left as it is: `changed` is false then. It is started as it was made, see `docker.restart`. Whether
      the service in it works is for a probe to say.

      It takes back a `docker.stop`.
      """,
    effect: .change, repetition: .atMostOnce, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      DockerFields.container(\.container),
      DockerFields.project(\.project),
      DockerFields.service(\.service),
      DockerFields.engine(\.engine),
      DockerFields.certificates(\.certificates)
    ),
    output: ContainerChangeOutput.record,
    examples: [
      .init("Start the TURN server's container", with: "container: coturn")
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    input.change.objection(within: timeout)
  }

  package func run(
    _ input: Input, in context: StepContext
  ) async throws(StepError) -> StepResult<ContainerChangeOutput> {
    let outcome = try await input.change.carryOut(in: context)
    return ContainerChangeOutput(outcome).resultOfStart(outcome.after, verb: .start)
  }

  package func reconcile(_ input: Input, in context: StepContext) async throws(StepError) -> Reconciliation {
    try await input.change.reconcile(in: context) { container, engine in
      ContainerChangeOutput.record.encode(ContainerChangeOutput(container, engine))
    }
  }
}
