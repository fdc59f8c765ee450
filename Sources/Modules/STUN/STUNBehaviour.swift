import Addresses
import Journal
package import Probe
import STUN
package import Schema
package import Steps

/// Finds out how the NAT between here and a server maps and filters.
package struct STUNBehaviour: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
  }

  package struct Output: Sendable {
    /// `address:port`.
    package var reflexiveAddress: String
    package var behindNAT: Bool
    /// `address:port`.
    package var otherAddress: String?
    package var mapping: BehaviourProbe.Dependence?
    package var filtering: BehaviourProbe.Dependence?
    package var untold: String?
    package var passedOver: [PassedOver] = []
  }

  package static let declaration = ModuleDeclaration(
    "stun.behaviour", "Finds out how the NAT between here and a STUN server maps and filters (RFC 5780).",
    discussion: """
      Over UDP. Mapping and filtering need a server with two addresses and ports; if it announces none, or is reached through
      NAT64, they are absent, and `untold` says why.
      Who can reach this host without a relay follows from both. A server that announces a second address which cannot be
      one, or does not answer from it when asked to, fails the step with `stun.otherAddressUnusable` or
      `stun.changeRequestIgnored`, and what it leaves unproven is absent.
      """,
    effect: .observe, judges: true, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to ask.")
    ),
    output: Record(
      Output.init,
      Field("reflexiveAddress", \.reflexiveAddress, .string, "Our address and port as the server sees them."),
      Field("behindNAT", \.behindNAT, .bool, "Whether that is none of our own addresses."),
      Field("otherAddress", \.otherAddress, .optional(.string), "The server's second address and port."),
      Field(
        "mapping", \.mapping, .optional(.enumeration(BehaviourProbe.Dependence.self)),
        "How our address depends on the destination."),
      Field(
        "filtering", \.filtering, .optional(.enumeration(BehaviourProbe.Dependence.self)), "Which senders reach us."),
      Field("untold", \.untold, .optional(.string), "Why mapping, filtering or both could not be told."),
      PassedOver.field(\.passedOver)
    ),
    examples: [.init("We are reached without a NAT", with: "server: ${target}", expect: ["output.behindNAT == false"])])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server)
    let report = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await BehaviourProbe(server: server).run(deadline: deadline, progress: context.progress)
    }
    return Self.result(of: report, passedOver: server.passedOverAddresses)
  }

  static func result(of report: BehaviourProbe.Report, passedOver: [PassedOver] = []) -> StepResult<Output> {
    let output = Output(
      reflexiveAddress: "\(report.reflexiveAddress)", behindNAT: report.isBehindNAT,
      otherAddress: report.otherAddress?.description, mapping: report.mapping, filtering: report.filtering,
      untold: untold(report), passedOver: passedOver)
    guard let objection = report.objection else { return .done(output) }
    return .failed(output, Finding(objection.code.rawValue, objection.sentence, advice: objection.advisory))
  }

  private static func untold(_ report: BehaviourProbe.Report) -> String? {
    if let objection = report.objection { return objection.message }
    if report.isTranslated {
      return
        "The server sees us at an address of another family (\(report.reflexiveAddress.ip)), as through NAT64: its second "
        + "address cannot be asked from here."
    }
    return report.otherAddress == nil ? "The server announces no second address and port (OTHER-ADDRESS)." : nil
  }
}
