import Addresses
import Journal
package import Probe
import STUN
package import Schema
package import Steps

/// Makes one allocation on a TURN server, and deletes it.
package struct TURNAllocate: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var transport: Transport?
    package var allocations: Int
    package var family: Family
    package var evenPort: Bool
    package var lifetime: Duration?
    package var followAlternate: Bool
  }

  /// Of the relayed address.
  package enum Family: String, Sendable, CaseIterable {
    /// None is asked for; servers give IPv4.
    case unspecified
    case ipv4
    case ipv6
    /// Both at once.
    case dual
  }

  package struct Output: Sendable {
    /// `address:port` that gave the allocation.
    package var server: String
    package var transport: Transport
    package var relayedAddress: String
    package var relayedPort: Int
    package var relayedAddresses: [String]
    package var relayAddresses: [String]
    package var refusedFamily: Int?
    package var reflexiveAddress: String?
    package var lifetime: Duration
    package var realm: String?
    package var software: String?
    package var elapsed: Duration
    package var challenges: Int
    package var newSourcePorts: Int
    package var deleted: Bool
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "turn.allocate", "Makes one allocation on a TURN server with the given credentials, and deletes it.",
    discussion: """
      Refused credentials, a reached quota, a server that is silent, answers wrongly or grants what nobody can use fail
      the step, with the reason as a code such as `turn.unauthorized`, `turn.quotaReached`, `turn.timeout` or
      `turn.relayedAddressUnusable`. The allocation is deleted in any case.
      With `allocations` above one they are made one after the other, and `relayAddresses` is the set of addresses that
      the server relayed from; all other outputs are those of the last. If the target declares a realm and the server
      accepts the credentials in another one, the step warns with `turn.realmMismatch`; if it asks for no credentials
      at all though the target has some or declares a realm, with `turn.anonymousAccess`; if it does not confirm that an
      allocation is gone, with `turn.allocationKept`; if it relays from a private, loopback or other special address
      and was asked at one elsewhere, so that peers cannot reach it, with `turn.relayedAddressUnreachable`; and if it sees
      somebody else in place of this host, with `stun.clientAddressHidden`.
      """,
    effect: .observe, judges: true, deadline: .seconds(15),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to ask, with credentials or shared secret."),
      transportField(\.transport),
      Field("allocations", \.allocations, .int.within(1...1000), default: 1, "How many to make, one after the other."),
      Field("family", \.family, .enumeration(Family.self), default: .unspecified, "The relayed address's family."),
      Field("evenPort", \.evenPort, .bool, default: false, "Whether to ask for an even port, and for the next one."),
      Field(
        "lifetime", \.lifetime, .optional(.duration.within(.seconds(1) ... .seconds(86_400))),
        "The lifetime to ask for, in whole seconds, rounded up."),
      Field(
        "followAlternate", \.followAlternate, .bool, default: false,
        "Whether a redirection (300) is followed, which anybody may forge.")
    ),
    output: Record(
      Output.init,
      Field("server", \.server, .string, "Address and port that gave the allocation."),
      Field("transport", \.transport, .enumeration(Transport.self), "What it was asked over."),
      Field("relayedAddress", \.relayedAddress, .ip, "The address that peers send to."),
      Field("relayedPort", \.relayedPort, .int, "The port that peers send to."),
      Field("relayedAddresses", \.relayedAddresses, .list(.string), "Address and port, two for a dual allocation."),
      Field("relayAddresses", \.relayAddresses, .list(.ip), "The addresses relayed from over all allocations."),
      Field(
        "refusedFamily", \.refusedFamily, .optional(.int), "In a dual allocation, why one family was not given."),
      Field("reflexiveAddress", \.reflexiveAddress, .optional(.ip), "Our address as the server sees it."),
      Field("lifetime", \.lifetime, .duration, "How long the server keeps the allocation without a refresh."),
      Field("realm", \.realm, .optional(.string), "The realm of the server's challenge."),
      Field("software", \.software, .optional(.string), "What the server calls itself."),
      Field(
        "elapsed", \.elapsed, .duration,
        "From the first request to the grant, with the challenge and addresses that were passed over."),
      Field("challenges", \.challenges, .int, "How often the server asked for credentials."),
      Field("newSourcePorts", \.newSourcePorts, .int, "How often another source port was needed (437)."),
      Field("deleted", \.deleted, .bool, "Whether the server confirmed that the allocation is gone."),
      PassedOver.field(\.passedOver)
    ),
    examples: [
      .init(
        "The credentials work", with: "server: ${target}",
        expect: ["output.elapsed < duration('1s')", "output.lifetime >= duration('600s')"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server, over: input.transport)
    let probe = AllocateProbe(
      server: server, options: Self.options(input), followsAlternate: input.followAlternate)
    var relayAddresses: [String] = []
    var isAnyKept = false
    func allocate(_ number: Int) async throws(StepError) -> AllocateProbe.Report {
      if input.allocations > 1 { context.progress("allocation \(number) of \(input.allocations)") }
      let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
        try await probe.run(deadline: deadline)
      }
      relayAddresses += report.relayedAddresses.map(\.ip.description)
      isAnyKept = isAnyKept || !report.deletion.isConfirmed
      return report
    }
    for number in 1..<input.allocations { _ = try await allocate(number) }
    let report = try await allocate(input.allocations)
    let output = Output(
      server: "\(report.server)", transport: report.transport, relayedAddress: "\(report.relayedAddress.ip)",
      relayedPort: Int(report.relayedAddress.port),
      relayedAddresses: report.relayedAddresses.map(\.description), relayAddresses: Set(relayAddresses).sorted(),
      refusedFamily: report.refusedFamily?.error.number, reflexiveAddress: report.reflexiveAddress?.ip.description,
      lifetime: report.lifetime, realm: report.realm, software: report.software, elapsed: report.elapsed,
      challenges: report.effort.challenges, newSourcePorts: report.newSourcePorts,
      deleted: report.deletion.isConfirmed, passedOver: server.passedOverAddresses)
    let relayed = Set(relayAddresses).sorted().compactMap { IPAddress($0) }
    let objection =
      Finding.unreachableRelay(relayed, of: server.uri, askedAt: report.server.ip)
      ?? report.reflexiveAddress.flatMap {
        .hiddenClient(seenAs: $0.ip, own: report.localAddress?.ip, askedAt: report.server)
      } ?? server.objection(toAllocationIn: report.realm) ?? (isAnyKept ? .allocationKept(by: server.uri) : nil)
    return objection.map { .warned(output, $0) } ?? .done(output)
  }

  static func options(_ input: Input) -> AllocateOptions {
    var options = AllocateOptions()
    switch input.family {
    case .unspecified: break
    case .ipv4: options.family = .ipv4
    case .ipv6: options.family = .ipv6
    case .dual: options.isDual = true
    }
    if input.evenPort { options.evenPort = EvenPort(reservesNextPort: true) }
    options.lifetimeSeconds = input.lifetime.map { lifetime in
      UInt32(clamping: lifetime.components.seconds + (lifetime.components.attoseconds > 0 ? 1 : 0))
    }
    return options
  }
}
