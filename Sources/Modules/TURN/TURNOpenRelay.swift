import Addresses
import Journal
package import Probe
import STUN
package import Schema
package import Steps

/// Asks for relaying to addresses that must not be relayed to.
package struct TURNOpenRelay: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var allowed: [OpenRelayProbe.PeerKind]
  }

  package struct Peer: Sendable {
    package var kind: OpenRelayProbe.PeerKind
    package var address: String
    package var permitted: Bool?
    package var errorCode: Int?
    package var delivered: Bool?
  }

  package struct Output: Sendable {
    package var peers: [Peer]
    package var openings: [OpenRelayProbe.PeerKind]
    package var delivered: [OpenRelayProbe.PeerKind]
  }

  package static let declaration = ModuleDeclaration(
    "turn.openRelay", "Asks a TURN server to relay to addresses that it must not relay to.",
    discussion: """
      The matrix: loopback, private, shared, link-local, multicast, broadcast, zero, unique-local, IPv4-mapped, NAT64 and
      6to4 addresses, and the server's own. A permission is asked for each; datagrams are sent only where a listener of
      our own can hear them. Without IPv6 relaying its addresses are untestable, and `permitted` is absent.
      """,
    effect: .change, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to try, with good credentials."),
      Field(
        "allowed", \.allowed, .list(.enumeration(OpenRelayProbe.PeerKind.self)), default: [.server, .relay],
        "What may be relayed to.")
    ),
    output: Record(
      Output.init,
      Field(
        "peers", \.peers,
        .list(
          .record(
            Record(
              Peer.init,
              Field("kind", \.kind, .enumeration(OpenRelayProbe.PeerKind.self), "What the address stands for."),
              Field("address", \.address, .ip, "The address that was tried."),
              Field("permitted", \.permitted, .optional(.bool), "Whether a permission was given; absent: untestable."),
              Field("errorCode", \.errorCode, .optional(.int), "The number of the refusal."),
              Field("delivered", \.delivered, .optional(.bool), "Whether traffic flowed to our own listener.")
            ))), "The matrix."),
      Field(
        "openings", \.openings, .list(.enumeration(OpenRelayProbe.PeerKind.self)),
        "What was permitted and is not allowed."),
      Field(
        "delivered", \.delivered, .list(.enumeration(OpenRelayProbe.PeerKind.self)),
        "Where traffic was seen to flow.")
    ),
    examples: [.init("Nothing internal can be reached through the relay", with: "server: ${target}")])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try Server(input.server)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await OpenRelayProbe(server: server).run(deadline: deadline, progress: context.progress)
    }
    let openings = report.openings.map(\.kind).filter { !input.allowed.contains($0) }
    let output = Output(
      peers: report.entries.map(Self.peer), openings: openings,
      delivered: report.entries.filter { $0.isDelivered == true }.map(\.kind))
    guard !openings.isEmpty else { return .done(output) }
    return .failed(
      output,
      Finding(
        "turn.relaysToForbiddenPeer",
        "\(server.uri) relays to \(openings.map(\.rawValue).joined(separator: ", ")).",
        advice: "Deny these ranges in the server's configuration (coturn: denied-peer-ip, no-multicast-peers)."))
  }

  private static func peer(_ entry: OpenRelayProbe.Entry) -> Peer {
    var peer = Peer(kind: entry.kind, address: "\(entry.address)", permitted: nil, delivered: entry.isDelivered)
    switch entry.verdict {
    case .permitted: peer.permitted = true
    case .refused(let number): (peer.permitted, peer.errorCode) = (false, number)
    case .untestable: break
    }
    return peer
  }
}
