import Addresses
package import Journal
import Names
import Schema
package import Steps

/// Asks name servers for the records of a name.
package struct DNSResolve: StepModule {
  package struct Input: Sendable {
    package var name: String
    package var types: [DNSKind]
    package var server: String?
  }

  package struct Output: Sendable {
    package var addresses: [String]
    package var aliases: [String]
    package var services: [DNSTargetRecord]
    package var ttl: Duration?
    package var elapsed: Duration
    package var answers: [DNSAnswerRecord]
  }

  package static let declaration = ModuleDeclaration(
    "dns.resolve", "Asks name servers for the records of a name.",
    discussion: """
      The question goes to `server`, or to those of /etc/resolv.conf one after the other until one can answer; /etc/hosts and search
      domains play no part. If no type has records the step fails, and says why: the name does not exist (`dns.nameNotFound`,
      NXDOMAIN), it exists and has no such record (`dns.noData`), the server cannot find out (`dns.serverFailed`, SERVFAIL), does
      not want to (`dns.refused`), or is silent (`dns.timedOut`). If some types have records and others got no answer, the step
      warns with the same code. SRV records of which nobody can make use fail the step: one without a port
      (`dns.targetWithoutPort`), or none but the target ".", by which a domain says that it does not offer the service
      (`dns.serviceDeclined`). A server that says that a name does not exist and gives a record of it is not believed
      (`dns.contradictory`). Records of names that neither the name nor its aliases lead to do not count. An answer that is cut off
      is asked for again over TCP.

      To see whether clients find a TURN service by its domain, use `dns.services`.
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("name", \.name, .host, "The whole name, such as turn.example.com or _turn._udp.example.com."),
      Field("types", \.types, .list(.enumeration(DNSKind.self)).nonEmpty, default: [.a, .aaaa], "What to ask for."),
      Field(
        "server", \.server, .optional(.string),
        "Who is asked: an address, or address and port; the system's, if not given.")
    ),
    output: Record(
      Output.init,
      Field("addresses", \.addresses, .list(.string), "The addresses, of A and AAAA."),
      Field("aliases", \.aliases, .list(.string), "The names that the name is an alias of, in their order."),
      Field(
        "services", \.services, .list(.record(DNSTargetRecord.record)),
        "Where the service is, of SRV, in the order of trying."),
      Field("ttl", \.ttl, .optional(.duration), "The shortest lifetime of these records; absent: there are none."),
      Field("elapsed", \.elapsed, .duration, "How long the slowest answer took."),
      Field("answers", \.answers, .list(.record(DNSAnswerRecord.record)), "What came of each type.")
    ),
    examples: [
      .init(
        "The name leads to the server", with: "name: turn.example.com\ntypes: [A]",
        expect: [
          "output.addresses.exists(a, a == '192.0.2.7')", "output.?ttl.orValue(duration('0s')) >= duration('60s')",
        ])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    if IPAddress(input.name) != nil {
      return Finding("dns.invalidName", "\(input.name) is an address, not a name", advice: "Give a host name.")
    }
    do throws(StepError) { _ = try nameServers(input.server) } catch { return error.finding }
    return nil
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let finding = Self.objection(to: input, within: context.remaining) { throw StepError(.notStarted, finding) }
    var types: [DNSKind] = []
    for type in input.types where !types.contains(type) { types.append(type) }
    let answers = try await context.answers(
      to: types.map { DNSQuestion(input.name, $0.type) }, from: input.server)
    var aliases: [String] = []
    for alias in answers.flatMap(\.aliases) where !aliases.contains(alias) { aliases.append(alias) }
    let found = answers.filter { $0.type == .cname }.flatMap(\.records).compactMap(\.aliasTarget)
    for alias in found where !aliases.contains(alias) { aliases.append(alias) }
    let output = Output(
      addresses: answers.flatMap(\.addresses), aliases: aliases, services: answers.flatMap(\.targets),
      ttl: answers.compactMap { $0.outcome == .found ? $0.lifetime : nil }.min(),
      elapsed: answers.map(\.elapsed).max() ?? .zero, answers: answers.map(DNSAnswerRecord.init))
    guard answers.contains(where: { $0.outcome == .found }) else {
      // What keeps us from knowing says more than what is known.
      let worst = answers.first { !$0.outcome.isOfName } ?? answers.first { $0.outcome == .aliasLoop } ?? answers.first
      guard let finding = worst?.finding else { return .done(output) }
      return .failed(output, finding)
    }
    if let finding = Finding.unusable(output.services, of: input.name) { return .failed(output, finding) }
    let objection = answers.first { !$0.outcome.isOfName || $0.outcome == .aliasLoop }?.finding
    return objection.map { .warned(output, $0) } ?? .done(output)
  }
}
