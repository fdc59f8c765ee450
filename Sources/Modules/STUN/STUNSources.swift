import Addresses
import Journal
import Probe
package import Schema
package import Steps

/// Asks a STUN server from many source ports at once.
package struct STUNSources: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var ports: Int
    package var patience: Duration
  }

  package struct Output: Sendable {
    package var server: String?
    package var port: Int
    package var asked: Int
    package var answered: Int
    package var reasons: [String: Int]
  }

  package static let declaration = ModuleDeclaration(
    "stun.sources", "Asks a STUN server from many source ports at once, each of which must get an answer.",
    discussion: """
      A single answer proves little after a repair: coturn opens its ports with `SO_REUSEPORT`, and if two servers have one port,
      the kernel divides the clients between them by their addresses and ports. With one of the two hung, about half of the
      clients get an answer. So the step asks from many ports (20 unless it says otherwise), and fails unless all get one:
      with `stun.noneAnswered`, or with `stun.someSilent`. `host.sockets` tells who has the port.
      """,
    effect: .observe, judges: true, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to ask, over the transport that its URI names."),
      Field("ports", \.ports, .int.within(1...200), default: 20, "From how many source ports."),
      Field(
        "patience", \.patience, .duration.within(.milliseconds(100) ... .seconds(10)), default: .seconds(2),
        "How long each waits for its answer; requests over UDP are repeated meanwhile.")
    ),
    output: Record(
      Output.init,
      Field("server", \.server, .optional(.string), "Address and port that answered; absent: none did."),
      Field("port", \.port, .int, "The port that was asked."),
      Field("asked", \.asked, .int, "Source ports that were tried, each another one."),
      Field("answered", \.answered, .int, "Source ports that got an answer."),
      Field("reasons", \.reasons, .map(.int), "Why the others got none: how often each code.")
    ),
    examples: [.init("Whoever comes gets an answer", with: "server: ${target}\nports: 20")])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server)
    let report = await SourcePortsProbe(
      server: server, ports: input.ports, patience: min(input.patience, context.remaining)
    ).run(progress: context.progress)
    guard !Task.isCancelled else {
      throw StepError(
        .interrupted,
        Finding(
          "stun.interrupted", "the probe was ended before all ports were asked",
          advice: "Give the step a timeout above its `patience`."))
    }
    // What keeps our own side from asking says nothing about the server.
    if let failure = report.failures.first(where: { StepError($0).kind != .failed }) { throw StepError(failure) }
    let port = report.server?.port ?? server.uri.port ?? (server.transport.isSecure ? 5349 : 3478)
    let reasons = Dictionary(grouping: report.failures, by: \.code.rawValue).mapValues(\.count)
    let output = Output(
      server: report.server.map { "\($0)" }, port: Int(port), asked: report.asked, answered: report.answered.count,
      reasons: reasons)
    guard let failure = report.failures.first else { return .done(output) }
    let common = reasons.sorted { $0.value > $1.value }.map { "\($0.value) times \($0.key)" }.joined(separator: ", ")
    guard report.answered.isEmpty else {
      return .failed(
        output,
        Finding(
          "stun.someSilent",
          "\(report.failures.count) of \(report.asked) source ports got no answer from \(server.uri) (\(common))",
          advice:
            "Two servers may have the port, of which one is hung: ask `host.sockets` who has it. Or packets get lost."
        ))
    }
    return .failed(
      output,
      Finding(
        "stun.noneAnswered", "none of \(report.asked) source ports got an answer from \(server.uri) (\(common))",
        advice: failure.advisory.isEmpty ? nil : failure.advisory))
  }
}
