package import Journal
package import Schema
package import Steps

/// Restarts a container.
package struct DockerRestart: StepModule {
  package struct Input: Hashable, Sendable {
    package var container: String?
    package var project: String?
    package var service: String?
    package var grace: Duration?
    package var startedAt: Timestamp?
    package var engine: String?
    package var certificates: String?

    fileprivate var change: ContainerChange {
      ContainerChange(
        verb: .restart,
        target: DockerTarget(
          container: container, project: project, service: service, engine: engine, certificates: certificates),
        grace: grace, startedAt: startedAt)
    }
  }

  package static let declaration = ModuleDeclaration(
    "docker.restart", "Restart a container.",
    discussion: """
      Every client of the service loses its session. The step says that the container was started again, and nothing of the service in it:
      ask that with a probe behind it, from several source ports.

      A restart runs the container as it was made. If its image's name stands for another image by now, or the files of Compose give
      another configuration, the step warns (`docker.configurationNotApplied`), and the container has to be made anew. A container that is paused is refused: that is
      somebody's decision.

      Give `startedAt` from `docker.inspect`, and the step restarts the container only if nobody has done so since. After a run that died
      in the middle, it tells for certain whether the restart took place; without it, the engine's memory of its events does.

      The process gets its stop signal, and KILL after the `grace`. coturn as the first process of its container ignores TERM: each restart
      takes the whole grace.
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
      Field(
        "startedAt", \.startedAt, .optional(.timestamp),
        "When the container that is meant was started; one that was started at another time is left alone."),
      DockerFields.engine(\.engine),
      DockerFields.certificates(\.certificates)
    ),
    output: ContainerChangeOutput.record,
    examples: [
      .init("Restart the TURN server's container", with: "{container: coturn, grace: 2s}")
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    input.change.objection(within: timeout)
  }

  package func run(
    _ input: Input, in context: StepContext
  ) async throws(StepError) -> StepResult<ContainerChangeOutput> {
    let outcome = try await input.change.carryOut(in: context)
    return ContainerChangeOutput(outcome).resultOfStart(outcome.after, verb: .restart)
  }

  package func reconcile(_ input: Input, in context: StepContext) async throws(StepError) -> Reconciliation {
    try await input.change.reconcile(in: context) { container, engine in
      ContainerChangeOutput.record.encode(ContainerChangeOutput(container, engine, startedBefore: input.startedAt))
    }
  }
}
