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
    package var reason: String?
    package var delivered: Bool?
  }

  package struct Output: Sendable {
    package var peers: [Peer]
    package var openings: [OpenRelayProbe.PeerKind]
    package var unknown: [OpenRelayProbe.PeerKind]
    package var delivered: [OpenRelayProbe.PeerKind]
    package var untested: Int
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "turn.openRelay", "Asks a TURN server to relay to addresses that it must not relay to.",
    discussion: """
      The matrix: loopback, private, shared, link-local, multicast, broadcast, zero, unique-local, IPv4-mapped, NAT64 and
      6to4 addresses, and the server's own. A permission is asked for each; datagrams are sent only if a listener of
      our own can hear them, to refused addresses too, and what comes through is an opening whatever the server said.
      Only 403 and 443 prove a refusal, and an error without a number if an ordinary address is permitted: another
      error or silence leaves `permitted` absent, and the step fails with `turn.refusalUnproven` if the address is not
      allowed. Addresses of a family that the server does not relay are not tried: `permitted` is absent as well,
      `reason` says so, and `untested` counts them. If the server may relay the family, and gives no allocation of it
      (a quota, silence), the step warns, and `reason` is the code.
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
              Field("permitted", \.permitted, .optional(.bool), "Whether a permission was given; absent: not known."),
              Field("errorCode", \.errorCode, .optional(.int), "The number of the error that was answered."),
              Field(
                "reason", \.reason, .optional(.string),
                "What came in place of permission and refusal, as a code, or why the address was not tried, in words."),
              Field("delivered", \.delivered, .optional(.bool), "Whether traffic flowed to our own listener.")
            ))), "The matrix."),
      Field(
        "openings", \.openings, .list(.enumeration(OpenRelayProbe.PeerKind.self)),
        "What was permitted or came through, and is not allowed."),
      Field(
        "unknown", \.unknown, .list(.enumeration(OpenRelayProbe.PeerKind.self)),
        "What was neither permitted nor refused, and is not allowed."),
      Field(
        "delivered", \.delivered, .list(.enumeration(OpenRelayProbe.PeerKind.self)),
        "Where traffic was seen to flow."),
      Field(
        "untested", \.untested, .int,
        "How many addresses were not tried, since the server gave no allocation of their family."
      ),
      PassedOver.field(\.passedOver)
    ),
    examples: [.init("Nothing internal can be reached through the relay", with: "server: ${target}")])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await OpenRelayProbe(server: server).run(deadline: deadline, progress: context.progress)
    }
    return Self.result(
      of: report, allowed: input.allowed, at: server.uri, passedOver: server.passedOverAddresses)
  }

  static func result(
    of report: OpenRelayProbe.Report, allowed: [OpenRelayProbe.PeerKind], at uri: ServerURI,
    passedOver: [PassedOver] = []
  ) -> StepResult<Output> {
    let openings = report.openings.map(\.kind).filter { !allowed.contains($0) }
    let unknown = report.entries.filter { $0.isUnknown && !allowed.contains($0.kind) }
    let output = Output(
      peers: report.entries.map(peer), openings: openings, unknown: unknown.map(\.kind),
      delivered: report.entries.filter { $0.isDelivered == true }.map(\.kind),
      untested: report.entries.count(where: \.isUntested), passedOver: passedOver)
    if !openings.isEmpty {
      return .failed(
        output,
        Finding(
          "turn.relaysToForbiddenPeer", "\(uri) relays to \(openings.map(\.rawValue).joined(separator: ", ")).",
          advice: OpenRelayRemedy.advice(
            against: report.openings.filter { !allowed.contains($0.kind) }, on: ServerProgram(software: report.software)
          )))
    }
    guard let first = unknown.first, case .unknown(let reason) = first.verdict else {
      return untested(report, allowed: allowed, at: uri).map { .warned(output, $0) } ?? .done(output)
    }
    return .failed(
      output,
      Finding(
        ProbeFailure.Code.refusalUnproven.rawValue,
        "\(uri) neither permits nor refuses \(unknown.map(\.kind.rawValue).joined(separator: ", ")), the first with: "
          + reason.sentence,
        advice: "\(reason.advisory) Only 403 and 443 say by themselves that a peer is not relayed to."))
  }

  /// What to warn of where addresses were not tried although the server may relay to them.
  private static func untested(
    _ report: OpenRelayProbe.Report, allowed: [OpenRelayProbe.PeerKind], at uri: ServerURI
  ) -> Finding? {
    let reasons = report.entries.compactMap { entry -> ProbeFailure? in
      if case .untested(let reason) = entry.verdict, !allowed.contains(entry.kind) { reason } else { nil }
    }
    guard let reason = reasons.first else { return nil }
    return Finding(
      reason.code.rawValue,
      "\(reasons.count) of \(report.entries.count) addresses were not tried with \(uri): \(reason.message)",
      advice: reason.advice.isEmpty ? nil : reason.advice)
  }

  private static func peer(_ entry: OpenRelayProbe.Entry) -> Peer {
    var peer = Peer(
      kind: entry.kind, address: "\(entry.address)", permitted: nil, errorCode: nil, reason: nil,
      delivered: entry.isDelivered)
    switch entry.verdict {
    case .permitted: peer.permitted = true
    case .refused(let number): (peer.permitted, peer.errorCode) = (false, number)
    case .unknown(let failure):
      (peer.reason, peer.errorCode) = (failure.code.rawValue, failure.evidence("errorCode").flatMap { Int($0) })
    case .untested(let failure): (peer.reason, peer.errorCode) = (failure.code.rawValue, nil)
    case .untestable: peer.reason = "the server relays no \(entry.address.family == .ipv4 ? "IPv4" : "IPv6")"
    }
    return peer
  }
}
