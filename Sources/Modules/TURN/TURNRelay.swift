import Addresses
import Coturn
package import Journal
package import Probe
import STUN
package import Schema
package import Steps

/// Echoes packets through two allocations.
package struct TURNRelay: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var transport: Transport?
    package var packets: Int
    package var size: Int
    package var rate: Int
    package var path: RelayProbe.Path
    /// In percent.
    package var maxLoss: Double
    package var correlate: Correlation?
  }

  package struct Output: Sendable {
    /// `address:port` that relayed.
    package var server: String
    package var transport: Transport
    package var path: RelayProbe.Path
    package var relayedAddresses: [String]
    package var sent: Int
    package var received: Int
    package var lost: Int
    /// Of the packets that were sent.
    package var loss: Double
    package var reached: Int
    package var duplicates: Int
    package var reordered: Int
    package var corrupted: Int
    package var rtt: LatencySummary
    package var jitter: Duration?
    /// Bits per second.
    package var throughput: Int
    package var setUp: Duration
    package var elapsed: Duration
    package var deleted: Bool
    package var passedOver: [PassedOver] = []
    package var serverSide: ServerSide?
  }

  package static let declaration = ModuleDeclaration(
    "turn.relay", "Echoes packets through two allocations of a TURN server, as a call between two clients would.",
    discussion: """
      Makes two allocations, lets each permit the other, sends packets from one to the other and back, and deletes both,
      also when it fails. What goes wrong before a packet came back fails the step, with the reason as a code such as
      `turn.unauthorized`, `turn.forbidden`, `turn.nothingRelayed` or, if its relay ports are reached from here and not
      from each other, `turn.hairpinMissing`. More loss than `maxLoss` fails it with `turn.lossy`; delay is for `expect` to
      judge. A packet came back only if every byte of it is as it was sent, both ways: one that arrives changed fails the
      step with `turn.relayCorrupts`. It warns of a server that asks for no credentials, of another realm than the declared
      one, if the server does not confirm that an allocation is gone, and if it relays from an address that peers
      cannot reach, as `turn.allocate` does; and if the network said why it dropped some packets. The server must be
      willing to relay to its own relayed addresses. Since both are its own, packets between them need never leave its host
      (coturn puts its own address for the external one): a wrong external address, or a firewall that keeps the relay ports
      closed, does not show here; `turn.externalAddress` and `turn.ports` look at them. With
      `correlate`, on the server's host, it also reads what coturn logs meanwhile, into a file or the journal: its own sessions as
      the server saw them (ids, addresses, packets and bytes, refusals), what each part of the way lost by both ends' figures,
      and the cause that follows. A session is tied to the call by a random token alone, never by time or address. Where the
      call went well and the log tells of no session of it, the step warns with `turn.callNotInLog`. `metrics` has the server's
      exporter looked at before and after. Its counters are the whole server's: they cannot prove the call, but if they grew by
      less than it alone had carried, or if nothing can be compared, the step warns with `turn.callNotCounted`. A log that cannot
      be read, and an exporter that tells nothing, are errors, and no call is made.
      """,
    effect: .observe, judges: true,
    programs: [RequiredProgram("journalctl", package: "systemd", ifGiven: "correlate.journal")],
    files: ["correlate.log", "correlate.metricsAuthority"], deadline: .seconds(30),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to relay through, with credentials or shared secret."),
      transportField(\.transport),
      Field("packets", \.packets, .int.within(1...1_000_000), default: 50, "How many packets to send."),
      Field(
        "size", \.size, .byteSize.within(24...65_000), default: 160,
        "The payload of each packet. Paths may drop datagrams above 1200B, servers above 16KB."),
      Field("rate", \.rate, .int.within(1...100_000), default: 50, "Packets a second."),
      Field(
        "path", \.path, .enumeration(RelayProbe.Path.self), default: .channel,
        "ChannelData messages, or Send and Data indications."),
      Field(
        "maxLoss", \.maxLoss, .percent.within(0...100), default: 1,
        "The share of packets that may be lost; more fails the step."),
      Field(
        "correlate", \.correlate, .optional(.record(Correlation.record)),
        "Where coturn's records and figures of this call are.")
    ),
    output: Record(
      Output.init,
      Field("server", \.server, .string, "Address and port that relayed."),
      Field("transport", \.transport, .enumeration(Transport.self), "What the packets were sent over."),
      Field("path", \.path, .enumeration(RelayProbe.Path.self), "How the packets were sent."),
      Field("relayedAddresses", \.relayedAddresses, .list(.string), "The relayed addresses of sender and echo."),
      Field("sent", \.sent, .int, "Packets that were sent."),
      Field("received", \.received, .int, "Packets that came back, each counted once."),
      Field("lost", \.lost, .int, "Packets that did not come back."),
      Field("loss", \.loss, .percent, "Share of the packets that did not come back."),
      Field("reached", \.reached, .int, "Packets that reached the echo."),
      Field("duplicates", \.duplicates, .int, "Packets that came back more than once."),
      Field("reordered", \.reordered, .int, "Packets that came back after a later one (RFC 4737)."),
      Field(
        "corrupted", \.corrupted, .int, "Datagrams that arrived changed, there or back; their packets count as lost."),
      Field("rtt", \.rtt, .record(LatencyRecord.record), "Times there and back, four times through the server."),
      Field("jitter", \.jitter, .optional(.duration), "Interarrival jitter of the way there (RFC 3550)."),
      Field("throughput", \.throughput, .bandwidth, "Payload that came back."),
      Field(
        "setUp", \.setUp, .duration,
        "How long both allocations and the permissions took, with addresses that were passed over."),
      Field("elapsed", \.elapsed, .duration, "From the first packet sent to the last one that came back."),
      Field("deleted", \.deleted, .bool, "Whether the server confirmed that both allocations are gone."),
      PassedOver.field(\.passedOver),
      Field(
        "serverSide", \.serverSide, .optional(.record(ServerSide.record)),
        "The call as the server logged and counted it; absent: `correlate` was not given.")
    ),
    examples: [
      .init(
        "A voice call's packets come back", with: "server: ${target}\npackets: 100\nsize: 160B\nrate: 50",
        expect: ["output.rtt.p95 <= duration('200ms')"]),
      .init(
        "Both ends of a call agree on what was relayed",
        with: "server: ${target}\ncorrelate: {log: /var/log/turnserver.log, tie: origin}",
        expect: [
          "output.?serverSide.?losses.orValue([]).size() > 0",
          "output.?serverSide.?losses.orValue([]).all(l, l.lost == 0)",
        ]),
      .init(
        "The unit's journal and the exporter agree with the call",
        with: """
          server: ${target}
          correlate: {journal: {units: [coturn.service]}, tie: origin, metrics: "http://127.0.0.1:9641/metrics"}
          """,
        expect: ["output.?serverSide.?metrics.?agreement.orValue('unknown') == 'agrees'"]),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    if let finding = input.correlate?.objection(hasSecret: input.server.secret != nil) { return finding }
    return objection(input.server, within: timeout) { server, deadline throws(ProbeFailure) in
      try probe(server, input).checkInput(deadline: deadline)
    }
  }

  private static func probe(_ server: ProbedServer, _ input: Input) -> RelayProbe {
    var probe = RelayProbe(server: server)
    (probe.packets, probe.size, probe.rate, probe.path) = (input.packets, input.size, input.rate, input.path)
    return probe
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server, over: input.transport)
    var probe = Self.probe(server, input)
    var call: CorrelatedCall?
    if let correlate = input.correlate {
      call = try await CorrelatedCall(correlate, in: context)
      call?.mark(&probe)
    }
    let report: RelayProbe.Report
    do throws(StepError) {
      report = try await context.probing(probe.server) { [probe] (deadline) async throws(ProbeFailure) in
        try await probe.run(deadline: deadline, progress: context.progress)
      }
    } catch {
      throw await Self.correlated(error, call, input, context)
    }
    guard let rtt = report.rtt else {
      throw .failed(ProbeFailure.Code.nothingRelayed.rawValue, "No packet came back.", advice: nil)
    }
    let output = Output(
      server: "\(report.server)", transport: report.transport, path: report.path,
      relayedAddresses: report.relayedAddresses.map(\.description), sent: report.sent, received: report.received,
      lost: report.lost, loss: report.lossRatio * 100, reached: report.reached, duplicates: report.duplicates,
      reordered: report.reordered, corrupted: report.corrupted, rtt: rtt, jitter: report.jitter,
      throughput: Int(report.throughput), setUp: report.setUp, elapsed: report.elapsed,
      deleted: report.allocationsDeleted, passedOver: server.passedOverAddresses,
      serverSide: await call?.serverSide(
        CallDiagnosis.Figures(report, realm: input.server.realm), packetSize: input.size, in: context))
    let warning =
      Finding.unreachableRelay(report.relayedAddresses.map(\.ip), of: server.uri, askedAt: report.server.ip)
      ?? server.objection(toAllocationIn: report.realm)
    let result = Self.result(
      output, asked: input.packets, of: server.uri, maxLoss: input.maxLoss, obstacle: report.obstacle, warning: warning)
    guard let correlate = input.correlate, let serverSide = output.serverSide else { return result }
    guard let objection = result.objection else {
      let doubts = [serverSide.callNotInLog(correlate.logName), serverSide.metrics?.doubt]
      return Finding.joined(doubts.compactMap(\.self)).map { .warned(output, $0) } ?? result
    }
    let finding = objection.finding.noting(serverSide, log: correlate.logName)
    return objection.severity == .fail ? .failed(output, finding) : .warned(output, finding)
  }

  /// A failure with what the server logged of the call.
  private static func correlated(
    _ error: StepError, _ call: CorrelatedCall?, _ input: Input, _ context: StepContext
  ) async -> StepError {
    guard let call, let correlate = input.correlate, error.kind == .failed else { return error }
    let figures = CallDiagnosis.Figures(error, realm: input.server.realm)
    let serverSide = await call.serverSide(figures, packetSize: input.size, in: context)
    var error = error
    error.finding = error.finding.noting(serverSide, log: correlate.logName)
    error.learnt.append(.init("serverSide", ServerSide.record.encode(serverSide)))
    return error
  }

  /// What was changed on the way was not relayed; packets that never left are neither lost nor relayed: of them nothing is
  /// known.
  static func result(
    _ output: Output, asked packets: Int, of uri: ServerURI, maxLoss: Double, obstacle: ProbeFailure? = nil,
    warning: Finding? = nil
  ) -> StepResult<Output> {
    if output.corrupted > 0 {
      return .failed(
        output,
        Finding(
          ProbeFailure.Code.relayCorrupts.rawValue,
          "\(uri) relayed \(output.received) of \(output.sent) packets as they were; \(output.corrupted) arrived changed.",
          advice: RelayProbe.corruptionAdvice))
    }
    if output.sent < packets {
      return .failed(
        output,
        Finding(
          "turn.relayCutShort", "\(uri) took \(output.sent) of \(packets) packets before the time was over.",
          advice: "Give it more time or a lower rate; if neither helps, look at the server's load and at the path."))
    }
    if output.loss > maxLoss {
      return .failed(output, lossy(output, of: uri, maxLoss: maxLoss, obstacle: obstacle))
    }
    let dropped = obstacle.map { Finding($0) }
    let objection = warning ?? dropped ?? (output.deleted ? nil : .allocationKept(by: uri))
    return objection.map { .warned(output, $0) } ?? .done(output)
  }

  private static func lossy(
    _ output: Output, of uri: ServerURI, maxLoss: Double, obstacle: ProbeFailure?
  ) -> Finding {
    let lost =
      "\(uri) lost \(output.lost) of \(output.sent) packets, more than the \(percent(maxLoss)) that may be lost"
    guard let obstacle else {
      return Finding(
        "turn.lossy", lost + ".",
        advice: "Of them \(output.sent - output.reached) were lost on the way there. Look whether the server limits "
          + "bandwidth (coturn: max-bps, bps-capacity), at its load, and at the path.")
    }
    return Finding("turn.lossy", "\(lost). \(obstacle.sentence)", advice: obstacle.advisory)
  }

  /// A percentage as people write it, without a fraction that is zero.
  private static func percent(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value)) %" : "\(value) %"
  }
}
