import Glibc
import Journal
package import Schema
package import Steps

/// How busy the host is.
package struct HostLoad: StepModule {
  package struct Output: Hashable, Sendable {
    /// Runnable and waiting tasks, averaged over a minute.
    package var load1: Double
    package var load5: Double
    package var load15: Double
    /// Processors that are online.
    package var processors: Int
    /// `load5` divided by the processors: 1.0 is all of them busy.
    package var perProcessor: Double
    /// Processors that the cgroup may use at a time; nil if it may use all.
    package var processorLimit: Double?
    /// The part of its periods in which the cgroup was held back, since it was made; nil without such a limit.
    package var throttled: Double?
  }

  package static let declaration = ModuleDeclaration(
    "host.load", "How busy the host is: load averages, and the load of one processor; in a container, its limit too.",
    discussion: """
      Load averages are the host's, in a container too, and count what waits for a disk. A cgroup may allow fewer processors
      than there are (`cpu.max` of version 2, `cpu.cfs_quota_us` of version 1, or a set of processors): then
      `processorLimit` says how many. A quota that is used up holds the group back until its next period: `throttled` says in
      which part of its periods that was so.
      """,
    effect: .observe,
    judges: false, deadline: .seconds(10), input: .empty,
    output: Record(
      Output.init,
      Field("load1", \.load1, .double, "Load average of one minute."),
      Field("load5", \.load5, .double, "Load average of five minutes."),
      Field("load15", \.load15, .double, "Load average of fifteen minutes."),
      Field("processors", \.processors, .int, "Processors that are online."),
      Field("perProcessor", \.perProcessor, .double, "The five-minute load divided by the processors."),
      Field(
        "processorLimit", \.processorLimit, .optional(.double),
        "How many processors the cgroup may use at a time; absent if it may use all."),
      Field(
        "throttled", \.throttled, .optional(.percent),
        "The part of its periods in which a quota held the cgroup back, since the cgroup was made; absent without a quota."
      )
    ),
    examples: [.init("The host keeps up", with: "{}", expect: ["output.perProcessor < 1.5"])])

  package init() {}

  package func run(_ input: NoFields, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let loads = try ProcFile.text("/proc/loadavg").split(separator: " ").prefix(3).compactMap { Double($0) }
    guard loads.count == 3 else { throw ProcFile.unexpected("/proc/loadavg", "does not begin with three numbers") }
    let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    guard processors > 0 else {
      throw .broken(
        "host.processorsUnknown", "the number of processors cannot be told",
        advice: "Check that /sys and /proc are mounted.")
    }
    let limit = try ControlGroup.own("cpu").processorLimit(below: processors)
    return .done(
      Output(
        load1: loads[0], load5: loads[1], load15: loads[2], processors: processors,
        perProcessor: (loads[1] / Double(processors) * 100).rounded() / 100,
        processorLimit: limit?.processors, throttled: limit?.throttled))
  }
}
