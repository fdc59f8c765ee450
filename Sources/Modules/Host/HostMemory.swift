import Journal
package import Schema
package import Steps

/// How much memory the host has left.
package struct HostMemory: StepModule {
  package struct Output: Hashable, Sendable {
    /// Bytes.
    package var total: Int
    /// Bytes that programs can have without swapping, as the kernel estimates.
    package var available: Int
    package var used: Double
    /// Bytes; 0 without swap.
    package var swapTotal: Int
    package var swapUsed: Double
    /// Bytes; nil if no cgroup limits the memory further than the host does.
    package var limit: Int?
    package var limitUsed: Double?
  }

  package static let declaration = ModuleDeclaration(
    "host.memory", "How much memory the host has, and how much of it is left; in a container, of its limit too.",
    discussion: """
      `total`, `available` and `used` are the host's, in a container too. A cgroup may allow less: then `limit` is that of the
      group, from the one that runbook runs in upwards, that has used most of its own (`memory.max` of version 2,
      `memory.limit_in_bytes` of version 1). File cache that the kernel can give back is not counted as used.
      """,
    effect: .observe, judges: false,
    deadline: .seconds(10), input: .empty,
    output: Record(
      Output.init,
      Field("total", \.total, .byteSize, "Memory of the host."),
      Field("available", \.available, .byteSize, "What programs can have without swapping, as the kernel estimates."),
      Field("used", \.used, .percent, "The part of the memory that is not available."),
      Field("swapTotal", \.swapTotal, .byteSize, "Swap space; 0 without."),
      Field("swapUsed", \.swapUsed, .percent, "Used part of the swap space; 0 without."),
      Field(
        "limit", \.limit, .optional(.byteSize),
        "What a cgroup limits the memory to; absent if none allows less than the host has."),
      Field(
        "limitUsed", \.limitUsed, .optional(.percent), "Used part of that limit, without cache that can be given back.")
    ),
    examples: [
      .init(
        "The host has memory left", with: "{}", expect: ["output.used < 90.0", "output.?limitUsed.orValue(0.0) < 90.0"])
    ])

  package init() {}

  package func run(_ input: NoFields, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let facts = Self.facts(in: try ProcFile.text("/proc/meminfo"))
    func bytes(_ name: String) throws(StepError) -> Int {
      guard let value = facts[name] else { throw ProcFile.unexpected("/proc/meminfo", "has no \(name)") }
      return value
    }
    let (total, available) = (try bytes("MemTotal"), try bytes("MemAvailable"))
    let (swapTotal, swapFree) = (try bytes("SwapTotal"), try bytes("SwapFree"))
    let limit = try ControlGroup.own("memory").memoryLimit(below: total)
    return .done(
      Output(
        total: total, available: available, used: percentage(total - available, of: total), swapTotal: swapTotal,
        swapUsed: percentage(swapTotal - swapFree, of: swapTotal),
        limit: limit?.bytes, limitUsed: limit.map { percentage($0.used, of: $0.bytes) }))
  }

  /// Reads lines such as `MemTotal:  16318072 kB` (proc(5)) as bytes by name.
  static func facts(in text: String) -> [String: Int] {
    var facts: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
      guard words.count == 3, words[2] == "kB", let number = Int(words[1]) else { continue }
      facts[String(words[0])] = number * 1024
    }
    return facts
  }
}
