import Addresses
import Journal
package import Probe
import STUN
package import Schema
package import Steps

/// Looks whether the relayed address is the one that the world sees.
package struct TURNExternalAddress: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var observer: String?
    package var allocations: Int
    package var tolerated: [ExternalAddressProbe.Discrepancy]
  }

  package struct Output: Sendable {
    package var relayedAddress: String
    package var relayedAddresses: [String]
    package var range: SpecialRange?
    package var nameAddresses: [String]
    package var observedAddress: String?
    package var findings: [ExternalAddressProbe.Discrepancy]
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "turn.externalAddress", "Looks whether a TURN server's relayed address is the one that the world sees.",
    discussion: """
      Compares the relayed addresses with the addresses of the same family that the server's name has. If an observer is
      given, packets are sent through the relay to that STUN server, and the address that it sees them come from is compared
      too. An observer that does not say so fails the step, whatever is tolerated: with `turn.observerSilent` if it does not
      answer us either, with `turn.forbidden` if the server does not relay to it, with `turn.nothingRelayed` if it answers us
      and not through the relay.
      """,
    effect: .observe, judges: true, deadline: .seconds(15),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to try, with credentials or shared secret."),
      Field("observer", \.observer, .optional(.turnURI), "A STUN server elsewhere, asked through the relay."),
      Field(
        "allocations", \.allocations, .int.within(1...1000), default: 3,
        "How many to make, one after the other: a server with several addresses relays from one or another."),
      Field(
        "tolerated", \.tolerated, .list(.enumeration(ExternalAddressProbe.Discrepancy.self)), default: [],
        "What is no failure here.")
    ),
    output: Record(
      Output.init,
      Field(
        "relayedAddress", \.relayedAddress, .ip,
        "The address that peers are told to send to; of several, one that something speaks against."),
      Field("relayedAddresses", \.relayedAddresses, .list(.ip), "The relayed addresses of all allocations, each once."),
      Field(
        "range", \.range, .optional(.enumeration(SpecialRange.self)),
        "The range it lies in, if the world cannot reach it."),
      Field("nameAddresses", \.nameAddresses, .list(.ip), "The addresses of the server's name."),
      Field("observedAddress", \.observedAddress, .optional(.ip), "Where the observer saw packets come from."),
      Field(
        "findings", \.findings, .list(.enumeration(ExternalAddressProbe.Discrepancy.self)),
        "What is not as it should be."),
      PassedOver.field(\.passedOver)
    ),
    examples: [.init("The relay is where the world looks for it", with: "server: ${target}")])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server)
    let observer = input.observer.flatMap { try? ServerURI(parsing: $0) }.map { ProbedServer(uri: $0) }
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await ExternalAddressProbe(server: server, observer: observer, allocations: input.allocations).run(
        deadline: deadline)
    }
    let output = Output(
      relayedAddress: "\(report.relayedAddress)",
      relayedAddresses: report.relayedAddresses.map(\.description), range: report.specialRange,
      nameAddresses: report.nameAddresses.map(\.description), observedAddress: report.observedAddress?.description,
      findings: report.findings, passedOver: server.passedOverAddresses)
    let objections = report.findings.filter { !input.tolerated.contains($0) }
    guard !objections.isEmpty else { return .done(output) }
    return .failed(
      output,
      Finding(
        ProbeFailure.Code.externalAddressWrong.rawValue, Self.text(of: objections, report, server.uri, input.observer),
        advice: "Look at the server's external address (coturn: external-ip), its DNS records and its NAT."))
  }

  private static func text(
    of objections: [ExternalAddressProbe.Discrepancy], _ report: ExternalAddressProbe.Report, _ uri: ServerURI,
    _ observer: String?
  ) -> String {
    var clauses = ["\(uri) gives out \(report.relayedAddress) for its relays"]
    if objections.contains(.relayedAddressIsSpecial), let range = report.specialRange {
      clauses[0] += ", \(range.words) that the world cannot reach"
    }
    if objections.contains(.differsFromName) {
      clauses.append("its name has " + report.nameAddresses.map(\.description).joined(separator: ", "))
    }
    if let observer, let observed = report.observedAddress {
      clauses.append("the observer \(observer) sees packets come from \(observed)")
    }
    return clauses.joined(separator: "; ") + "."
  }
}
