import Docker
package import Journal
import Schema
package import Steps

/// What a container uses.
package struct DockerStats: StepModule {
  package struct Input: Hashable, Sendable {
    package var container: String?
    package var project: String?
    package var service: String?
    package var engine: String?
    package var certificates: String?

    fileprivate var target: DockerTarget {
      DockerTarget(
        container: container, project: project, service: service, engine: engine, certificates: certificates)
    }
  }

  package struct Output: Hashable, Sendable {
    package var name: String
    package var cpu: Double?
    package var processors: Int?
    package var memory: Int?
    package var memoryLimit: Int?
    package var memoryUsed: Double?
    package var limited: Bool
    package var processes: Int?
    package var received: Int?
    package var sent: Int?
    package var read: Int?
    package var written: Int?
    package var throttled: Int?
  }

  package static let declaration = ModuleDeclaration(
    "docker.stats", "What a container uses: processors, memory, network, disks.",
    discussion: """
      It computes as `docker stats` does, on hosts with control groups of version 1 and 2: `cpu` is 100 % for each processor that is busy, and
      `memory` leaves out what the kernel can take back from the cache of files. It takes two samples, a second or two apart.

      What the engine does not tell is absent, and never 0: on the host's network there are no counters of the container's own. A container
      that does not run fails the step.
      """,
    effect: .observe, judges: true, deadline: .seconds(20),
    input: Record(
      Input.init,
      DockerFields.container(\.container),
      DockerFields.project(\.project),
      DockerFields.service(\.service),
      DockerFields.engine(\.engine),
      DockerFields.certificates(\.certificates)
    ),
    output: Record(
      Output.init,
      Field("name", \.name, .string, "The container's name."),
      Field("cpu", \.cpu, .optional(.percent), "Use of processors: 100 is one of them."),
      Field("processors", \.processors, .optional(.int), "How many processors it can run on."),
      Field("memory", \.memory, .optional(.byteSize), "Memory that it uses, without the cache of files."),
      Field(
        "memoryLimit", \.memoryLimit, .optional(.byteSize), "What it may use: the host's memory, if it has no limit."),
      Field("memoryUsed", \.memoryUsed, .optional(.percent), "The part of that which it uses."),
      Field("limited", \.limited, .bool, "Whether it has a limit of its own."),
      Field("processes", \.processes, .optional(.int), "Its processes and threads."),
      Field("received", \.received, .optional(.byteSize), "Bytes from its networks since its start."),
      Field("sent", \.sent, .optional(.byteSize), "Bytes to its networks since its start."),
      Field("read", \.read, .optional(.byteSize), "Bytes from disks since its start."),
      Field("written", \.written, .optional(.byteSize), "Bytes to disks since its start."),
      Field(
        "throttled", \.throttled, .optional(.int), "How often its quota of processors held it back since its start.")
    ),
    examples: [
      .init(
        "The TURN server's container has room", with: "container: coturn",
        expect: ["output.?cpu.orValue(1000.0) < 180.0", "output.?memoryUsed.orValue(100.0) < 90.0"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? { input.target.objection }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let look: ContainerLook
    var statistics: ContainerStatistics?
    do throws(DockerError) {
      let deadline = context.requestDeadline
      look = try await input.target.look(by: deadline)
      if look.container.isRunning {
        statistics = try await look.engine.statistics(of: look.container.id, by: deadline)
      }
    } catch {
      throw StepError(error, .looking)
    }
    guard let used = statistics else {
      throw StepError(.failed, ContainerFinding.finding(look.container, .exited))
    }
    return .done(
      Output(
        name: look.container.name, cpu: used.cpu.map(rounded), processors: used.processors, memory: used.memory,
        memoryLimit: used.memoryLimit, memoryUsed: used.memoryUsed.map(rounded),
        limited: look.container.memoryLimit != nil, processes: used.processes, received: used.received,
        sent: used.sent, read: used.read, written: used.written, throttled: used.throttledPeriods))
  }

  private func rounded(_ number: Double) -> Double { (number * 100).rounded() / 100 }
}
