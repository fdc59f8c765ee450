import Addresses
import Journal
package import Probe
import STUN
package import Schema
package import Steps

/// Asks a STUN server for our reflexive address.
package struct STUNBinding: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var transport: Transport?
    package var requests: Int
  }

  package struct Output: Sendable {
    /// `address:port` that answered.
    package var server: String
    package var transport: Transport
    package var requests: Int
    package var responses: Int
    package var retransmissions: Int
    package var rtt: LatencySummary
    package var reflexiveAddress: String
    package var reflexivePort: Int
    package var stable: Bool
    package var software: String?
    package var responseOrigin: String?
    package var otherAddress: String?
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "stun.binding", "Asks a STUN server for our address, and measures how long the answers take.",
    discussion: """
      Works with every STUN and TURN server over the transport that its URI names; no credentials are needed. A server
      that is silent, answers wrongly or refuses fails the step, with the reason as a code such as `stun.timeout`,
      `stun.garbage` or `icmp.portUnreachable`. Round trips of repeated requests are not measured (Karn's rule).
      It warns with `stun.clientAddressHidden` if the server sees somebody else in place of this host, such as a proxy at
      127.0.0.1; with `stun.reflexiveAddressUnstable` if one socket is seen at several addresses; and with
      `stun.attributesNotTaken` if only requests without any attribute are answered (RFC 3489).
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to ask."),
      transportField(\.transport),
      Field("requests", \.requests, .int.within(1...1000), default: 5, "How many requests to send.")
    ),
    output: Record(
      Output.init,
      Field("server", \.server, .string, "Address and port that answered."),
      Field("transport", \.transport, .enumeration(Transport.self), "What it was asked over."),
      Field("requests", \.requests, .int, "Requests sent, repetitions not counted."),
      Field("responses", \.responses, .int, "Requests that were answered."),
      Field("retransmissions", \.retransmissions, .int, "How often a request was repeated."),
      Field("rtt", \.rtt, .record(LatencyRecord.record), "Round trips of requests that were sent once."),
      Field("reflexiveAddress", \.reflexiveAddress, .ip, "Our address as the server sees it."),
      Field("reflexivePort", \.reflexivePort, .int, "Our port as the server sees it."),
      Field("stable", \.stable, .bool, "Whether address and port stayed the same."),
      Field("software", \.software, .optional(.string), "What the server calls itself."),
      Field("responseOrigin", \.responseOrigin, .optional(.string), "Where the server says it answered from."),
      Field("otherAddress", \.otherAddress, .optional(.string), "The server's second address (RFC 5780)."),
      PassedOver.field(\.passedOver)
    ),
    examples: [
      .init(
        "Answers come fast", with: "server: ${target}\nrequests: 10",
        expect: ["output.rtt.p95 < duration('200ms')", "output.responses == 10"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server, over: input.transport)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await BindingProbe(server: server, requests: input.requests).run(
        deadline: deadline, progress: context.progress)
    }
    guard let rtt = report.rtt else {
      throw .failed(
        "stun.lossy", "\(report.server) answered, but no request before it was repeated.",
        advice: "Packets get lost on the path: look at the network between here and the server.")
    }
    let output = Output(
      server: "\(report.server)", transport: report.transport, requests: report.requests,
      responses: report.responses, retransmissions: report.retransmissions, rtt: rtt,
      reflexiveAddress: "\(report.reflexiveAddress.ip)", reflexivePort: Int(report.reflexiveAddress.port),
      stable: report.isReflexiveAddressStable, software: report.software,
      responseOrigin: report.responseOrigin?.description, otherAddress: report.otherAddress?.description,
      passedOver: server.passedOverAddresses)
    return Self.objection(to: report).map { .warned(output, $0) } ?? .done(output)
  }

  static func objection(to report: BindingProbe.Report) -> Finding? {
    if !report.isReflexiveAddressStable {
      return .unstableReflexiveAddress(report.reflexiveAddresses, at: report.server)
    }
    if let hidden = Finding.hiddenClient(
      seenAs: report.reflexiveAddress.ip, own: report.localAddress?.ip, askedAt: report.server)
    {
      return hidden
    }
    guard report.needsBareRequests else { return nil }
    return Finding(
      "stun.attributesNotTaken",
      "\(report.server) answers Binding requests without attributes, but not those that carry SOFTWARE and FINGERPRINT.",
      advice:
        "It follows RFC 3489 of 2003 (stund does). Clients that send such attributes take it for dead: replace it with "
        + "a server that follows RFC 8489.")
  }
}
