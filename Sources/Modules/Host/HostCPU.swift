import Glibc
package import Journal
import Schema
package import Steps

/// How busy the processors are, over a window.
package struct HostCPU: StepModule {
  package struct Input: Hashable, Sendable {
    package var window: Duration
  }

  package struct Output: Hashable, Sendable {
    package var used: Double
    package var user: Double
    package var system: Double
    package var ioWait: Double
    package var steal: Double
    package var busiest: Double
    package var processors: Int
    package var limit: Double?
    package var limitUsed: Double?
    package var throttled: Double?
  }

  package static let declaration = ModuleDeclaration(
    "host.cpu", "How busy the processors are, in percent over a window; in a container, of its quota too.",
    discussion: """
      All of it is measured between two looks, `window` apart. `used` is what programs and the kernel used: waiting for disks
      (`ioWait`) is no use, and neither is what a hypervisor gave to other guests (`steal`), which is lost all the same.
      `busiest` is the processor with the highest use: a program of one thread is at its end when that is, long before `used`.

      `used` is the host's, in a container too, unless the container is shown figures of its own. A cgroup may allow less: then
      `limitUsed` is what the group used of its quota, and `throttled` in which part of the window's periods it was held back.
      """,
    effect: .observe, judges: false, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field(
        "window", \.window, .duration.within(.milliseconds(200) ... .seconds(3600)), default: .seconds(2),
        "How long it is measured.")
    ),
    output: Record(
      Output.init,
      Field("used", \.used, .percent, "What programs and the kernel used, of all processors."),
      Field("user", \.user, .percent, "What programs used."),
      Field("system", \.system, .percent, "What the kernel used, interrupts included."),
      Field("ioWait", \.ioWait, .percent, "Idle while something waited for a disk."),
      Field("steal", \.steal, .percent, "What the hypervisor gave to others while this host had work."),
      Field("busiest", \.busiest, .percent, "Use of the processor that was used most."),
      Field("processors", \.processors, .int, "Processors that are online."),
      Field(
        "limit", \.limit, .optional(.double), "How many processors the cgroup's quota is; absent if there is none."),
      Field("limitUsed", \.limitUsed, .optional(.percent), "Used part of that quota; absent without."),
      Field(
        "throttled", \.throttled, .optional(.percent),
        "The part of its periods in which the quota held the cgroup back; absent without.")
    ),
    examples: [
      .init(
        "The processors have room", with: "window: 5s",
        expect: ["output.used < 95.0", "output.steal < 10.0", "output.?limitUsed.orValue(0.0) < 95.0"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    SamplingWindow.objection(input.window, within: timeout)
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let group = try ControlGroup.own("cpu")
    let (first, quotaFirst) = (try ProcessorSample.now(), group.quotaUses())
    let start = ContinuousClock.now
    try await SamplingWindow.wait(input.window)
    let (last, quotaLast) = (try ProcessorSample.now(), group.quotaUses())
    let elapsed = ContinuousClock.now - start
    let spent = last.all.since(first.all)
    guard spent.total > 0 else {
      throw .broken(
        "host.noSample", "the kernel's account of processor time did not move in \(durationLiteral(input.window))",
        advice: "In a container /proc/stat may be made up: look at the host itself.")
    }
    func part(_ ticks: Int) -> Double { percentage(ticks, of: spent.total) }
    let busiest = last.each.compactMap { name, times in
      first.each[name].map { times.since($0) }.map { percentage($0.user + $0.system, of: $0.total) }
    }.max()
    let quota = ControlGroup.tightest(quotaFirst, quotaLast, over: elapsed)
    return .done(
      Output(
        used: part(spent.user + spent.system), user: part(spent.user), system: part(spent.system),
        ioWait: part(spent.ioWait), steal: part(spent.steal), busiest: busiest ?? part(spent.user + spent.system),
        processors: last.each.isEmpty ? sysconf(Int32(_SC_NPROCESSORS_ONLN)) : last.each.count,
        limit: quota?.processors, limitUsed: quota?.used, throttled: quota?.throttled))
  }
}
