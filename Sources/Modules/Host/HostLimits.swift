package import Journal
import Processes
import Schema
package import Steps

/// The resource limits of running processes.
package struct HostLimits: StepModule {
  package struct Input: Hashable, Sendable {
    package var process: ProcessChoice
    package var atLeast: [String: Int]
  }

  package struct Limit: Hashable, Sendable {
    package var soft: Int?
    package var hard: Int?
  }

  package struct Member: Hashable, Sendable {
    package var pid: Int
    package var name: String
  }

  package struct Output: Hashable, Sendable {
    package var processes: [Member]
    package var limits: [String: Limit]
  }

  private static let limit = Record(
    { (soft: Int?, hard: Int?) in Limit(soft: soft, hard: hard) },
    Field("soft", \.soft, .optional(.int), "What holds now; absent for no limit."),
    Field("hard", \.hard, .optional(.int), "Up to where the process may raise it; absent for no limit.")
  )

  private static let member = Record(
    Member.init,
    Field("pid", \.pid, .int, "Its number."),
    Field("name", \.name, .string, "What it calls itself.")
  )

  package static let declaration = ModuleDeclaration(
    "host.limits", "The resource limits of a running service, as the kernel holds them.",
    discussion: """
      They are those of the running processes, and not of the shell (`ulimit`), of a unit that was changed since, or of
      `/etc/security/limits.conf`, which holds for log-ins and not for what systemd starts. Names are those of limits.conf:
      `nofile`, `nproc`, `memlock`, `core` and so on; of several processes the lowest limit counts.

      It fails if a limit is lower than `atLeast` asks for. `nproc` counts all threads of the user together, and does not hold
      for root.
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("process", \.process, .record(ProcessChoice.record), "The service's processes."),
      Field("atLeast", \.atLeast, .map(.int), default: [:], "What limits must be at least, by their names.")
    ),
    output: Record(
      Output.init,
      Field("processes", \.processes, .list(.record(member)), "The processes that were looked at."),
      Field("limits", \.limits, .map(.record(limit)), "The limits, by their names.")
    ),
    examples: [
      .init(
        "The TURN server may have a socket for each allocation",
        with: "process: {name: turnserver}\natLeast: {nofile: 65536}",
        expect: ["output.limits['core'].?soft.orValue(1) > 0"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    if let name = input.atLeast.keys.sorted().first(where: { !ProcessLimits.allNames.contains($0) }) {
      return Finding(
        "host.limitUnknown", "there is no limit \"\(name)\"",
        advice: "The limits are \(ProcessLimits.allNames.joined(separator: ", ")).")
    }
    return input.process.objection
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    var output = Output(processes: [], limits: [:])
    var lowest: [String: String] = [:]
    for process in try input.process.running() {
      guard let limits = try ProcessLimits(of: process) else { continue }
      output.processes.append(Member(pid: process.pid, name: process.entry.name))
      for (name, limit) in limits.limits {
        let known = output.limits[name]
        if known == nil || (limit.soft ?? .max) < (known?.soft ?? .max) { lowest[name] = process.title }
        output.limits[name] = Limit(
          soft: Self.lower(limit.soft, known.map(\.soft)), hard: Self.lower(limit.hard, known.map(\.hard)))
      }
    }
    guard !output.processes.isEmpty else { throw StepError(.failed, input.process.notRunning([])) }
    let findings = input.atLeast.sorted { $0.key < $1.key }.compactMap { name, least -> Finding? in
      guard let limit = output.limits[name] else {
        return Finding(
          "host.limitMissing", "The kernel tells no limit \(name).",
          advice: "Write one of the names that the output has in `limits`, such as nofile.")
      }
      guard let soft = limit.soft, soft < least else { return nil }
      return Finding(
        "host.limitTooLow", "\(lowest[name] ?? "") has a \(name) limit of \(soft); it should be at least \(least).",
        advice: "For a unit of systemd set Limit\(name.uppercased())=\(least) (systemctl edit) and restart it; "
          + "limits.conf does not hold for it. For a container give it with --ulimit \(name)=\(least).")
    }
    if let finding = Finding.joined(findings) { return .failed(output, finding) }
    return .done(output)
  }

  private static func lower(_ limit: Int?, _ known: Int??) -> Int? {
    guard let known else { return limit }
    guard let limit, let known else { return limit ?? known }
    return min(limit, known)
  }
}
