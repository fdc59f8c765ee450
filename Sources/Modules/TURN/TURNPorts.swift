import Addresses
import Journal
import Probe
package import Schema
package import Steps

/// Looks whether relay ports are reachable.
package struct TURNPorts: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var allocations: Int
  }

  package struct Output: Sendable {
    /// `address:port`.
    package var reachable: [String]
    package var unreachable: [String]
    package var stoppedBy: String?
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "turn.ports", "Looks whether the relay ports of a TURN server can be reached from here.",
    discussion: """
      Makes allocations one after the other, and sends to each relayed port from a socket of its own, as a peer would. A
      firewall that lets clients in and peers out shows here and nowhere else. A server may keep ports and quota of
      deleted allocations for some seconds: if it gives no more, the step warns, and tells what was tried.
      """,
    effect: .observe, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to try, with credentials or shared secret."),
      Field("allocations", \.allocations, .int.within(1...1000), default: 5, "How many ports to try.")
    ),
    output: Record(
      Output.init,
      Field("reachable", \.reachable, .list(.string), "Relayed addresses and ports that a datagram from here reached."),
      Field("unreachable", \.unreachable, .list(.string), "Relayed addresses and ports that none reached."),
      Field("stoppedBy", \.stoppedBy, .optional(.string), "What ended it before all were tried."),
      PassedOver.field(\.passedOver)
    ),
    examples: [.init("Peers reach the relay", with: "server: ${target}")])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await PortsProbe(server: server, allocations: input.allocations).run(
        deadline: deadline, progress: context.progress)
    }
    let output = Output(
      reachable: report.reachable.map(\.description), unreachable: report.unreachable.map(\.description),
      stoppedBy: report.stoppedBy?.rawValue, passedOver: server.passedOverAddresses)
    let tried = output.reachable.count + output.unreachable.count
    guard !output.unreachable.isEmpty else {
      guard let reason = report.stoppedBy else { return .done(output) }
      let isOver = reason == .outOfTime
      return .warned(
        output,
        Finding(
          reason.rawValue,
          "\(tried) of \(input.allocations) relay ports of \(server.uri) were tried; "
            + (isOver ? "then the time was over." : "it refused the next."),
          advice: isOver
            ? "Ask for fewer, or give it more time: \(ProbeFailure.settingsOfTime)."
            : "Ask for fewer, or look at the server's port range and quotas."
              + (reason == .quotaReached ? " \(ProbeFailure.adviceOnQuota)" : "")))
    }
    return .failed(output, Self.unreachable(report, of: server.uri, tried: tried))
  }

  private static func names(_ addresses: [IPAddress]) -> String {
    addresses.prefix(4).map(\.description).joined(separator: ", ") + (addresses.count > 4 ? ", …" : "")
  }

  static func unreachable(_ report: PortsProbe.Report, of uri: ServerURI, tried: Int) -> Finding {
    let named = report.unreachable.prefix(5).map(\.description).joined(separator: ", ")
    let more = report.unreachable.count - 5
    let advice =
      if let misplaced = report.misplaced {
        "\(misplaced.relayed) is \(misplaced.range.words), which is not where the server is reached: look at its external address first "
          + "(coturn: external-ip); turn.externalAddress compares it."
      } else if let foreign = report.foreign {
        "\(foreign) is none of the server's addresses (\(names(report.nameAddresses))): look at its external address first "
          + "(coturn: external-ip); turn.externalAddress compares it. If it is an address of the server's after all, look at the "
          + "firewall in front of it."
      } else if let external = report.external {
        "The server was asked at \(report.server) and relays from the public address \(external), which hosts of its own "
          + "network reach only if its NAT leads packets back (hairpin): try from outside first. If it fails there, too, look at "
          + "the firewall in front of the relay port range."
      } else {
        "Look at the firewall in front of the relay port range (49152-65535/udp unless set otherwise)."
      }
    return Finding(
      "turn.portsUnreachable",
      "Of \(tried) relay ports of \(uri), \(report.unreachable.count) cannot be reached from here: \(named)"
        + (more > 0 ? " and \(more) more." : "."), advice: advice)
  }
}
