import Docker
package import Journal
import Schema
package import Steps

/// Stops a container.
package struct DockerStop: StepModule {
  package struct Input: Hashable, Sendable {
    package var container: String?
    package var project: String?
    package var service: String?
    package var grace: Duration?
    package var engine: String?
    package var certificates: String?

    fileprivate var change: ContainerChange {
      ContainerChange(
        verb: .stop,
        target: DockerTarget(
          container: container, project: project, service: service, engine: engine, certificates: certificates),
        grace: grace)
    }
  }

  package static let declaration = ModuleDeclaration(
    "docker.stop", "Stop a container.",
    discussion: """
      A container that does not run is left as it is: `changed` is false then. The process gets its stop signal, and KILL after the
      `grace`: exit code 137 is then no sign of a crash. Its restart policy does not bring back what was stopped like this.

      `docker.start` takes it back.
      """,
    effect: .change, repetition: .atMostOnce, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      DockerFields.container(\.container),
      DockerFields.project(\.project),
      DockerFields.service(\.service),
      Field(
        "grace", \.grace, .optional(.duration),
        "How long the process has to end by itself, in whole seconds; the container's own time, else 10s."),
      DockerFields.engine(\.engine),
      DockerFields.certificates(\.certificates)
    ),
    output: ContainerChangeOutput.record,
    examples: [
      .init("Stop the second TURN server", with: "container: coturn-old")
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    input.change.objection(within: timeout)
  }

  package func run(
    _ input: Input, in context: StepContext
  ) async throws(StepError) -> StepResult<ContainerChangeOutput> {
    let outcome = try await input.change.carryOut(in: context)
    let output = ContainerChangeOutput(outcome)
    guard outcome.after.isRunning else { return .done(output) }
    return .failed(
      output,
      Finding(
        "docker.stillRunning", "\(output.name) runs, though it was stopped",
        advice: "Somebody, or something, starts it again: look at who watches it (docker events, systemctl, Compose)."))
  }

  package func reconcile(_ input: Input, in context: StepContext) async throws(StepError) -> Reconciliation {
    try await input.change.reconcile(in: context) { container, engine in
      ContainerChangeOutput.record.encode(ContainerChangeOutput(container, engine))
    }
  }
}
