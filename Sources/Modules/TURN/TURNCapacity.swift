import Addresses
import Journal
import Probe
import STUN
package import Schema
package import Steps

/// Holds several allocations at once.
package struct TURNCapacity: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var allocations: Int
  }

  package struct Output: Sendable {
    package var requested: Int
    package var granted: Int
    package var stoppedBy: String?
    package var relayAddresses: [String]
    package var lowestPort: Int?
    package var highestPort: Int?
    package var slowest: Duration?
    package var deleted: Bool
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "turn.capacity", "Holds several allocations at once, up to the first refusal, and deletes them.",
    discussion: """
      Takes ports and quota from the users for as long as it runs. Stops at the first 486 (quota) or 508 (no capacity):
      the step fails if none was granted, and warns if fewer were than asked for; how many are enough is for
      `expect` to say. A server may keep the ports and the quota of deleted allocations for some seconds more.
      """,
    effect: .change, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to try, with credentials or shared secret."),
      Field("allocations", \.allocations, .int.within(1...10_000), default: 10, "How many to hold.")
    ),
    output: Record(
      Output.init,
      Field("requested", \.requested, .int, "How many were asked for."),
      Field("granted", \.granted, .int, "How many were held at the same time."),
      Field("stoppedBy", \.stoppedBy, .optional(.string), "What ended it before all were granted."),
      Field("relayAddresses", \.relayAddresses, .list(.ip), "The addresses relayed from, each once."),
      Field("lowestPort", \.lowestPort, .optional(.int), "The lowest relayed port."),
      Field("highestPort", \.highestPort, .optional(.int), "The highest relayed port."),
      Field("slowest", \.slowest, .optional(.duration), "The longest time to a grant."),
      Field("deleted", \.deleted, .bool, "Whether the server confirmed that all of them are gone."),
      PassedOver.field(\.passedOver)
    ),
    examples: [
      .init(
        "There is room for twenty calls", with: "server: ${target}\nallocations: 20", expect: ["output.granted == 20"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await CapacityProbe(server: server, allocations: input.allocations).run(
        deadline: deadline, progress: context.progress)
    }
    let output = Output(
      requested: report.requested, granted: report.granted, stoppedBy: report.stoppedBy?.rawValue,
      relayAddresses: report.relayAddresses.map(\.description), lowestPort: report.ports.map { Int($0.lowerBound) },
      highestPort: report.ports.map { Int($0.upperBound) }, slowest: report.elapsed?.max,
      deleted: report.allocationsDeleted, passedOver: server.passedOverAddresses)
    guard let reason = report.stoppedBy else { return .done(output) }
    let finding = Finding(
      reason.rawValue,
      report.granted == 0
        ? "\(server.uri) granted none of \(report.requested) allocations."
        : "\(server.uri) granted \(report.granted) of \(report.requested) allocations, and refused the next.",
      advice: reason == .quotaReached
        ? "Look at the server's quotas (coturn: user-quota, total-quota), and for allocations that this user still holds. "
          + ProbeFailure.adviceOnQuota
        : "Look at the server's port range (coturn: min-port, max-port).")
    return report.granted == 0 ? .failed(output, finding) : .warned(output, finding)
  }
}
