package import Journal
import Names
import Schema
package import Steps

/// Asks whether clients that know only a domain find its STUN and TURN services.
package struct DNSServices: StepModule {
  /// The services that clients look up (RFC 8489, section 8.1; RFC 5928; RFC 7350).
  package enum ServiceName: String, Sendable, CaseIterable {
    case stunUDP = "_stun._udp"
    case stunTCP = "_stun._tcp"
    case stunsTCP = "_stuns._tcp"
    case stunsUDP = "_stuns._udp"
    case turnUDP = "_turn._udp"
    case turnTCP = "_turn._tcp"
    case turnsTCP = "_turns._tcp"
    case turnsUDP = "_turns._udp"
  }

  package struct Input: Sendable {
    package var domain: String
    package var services: [ServiceName]
    package var server: String?
  }

  /// One place of one service.
  package struct ServiceHost: Sendable {
    package var service: ServiceName
    package var target: String
    package var port: Int
    package var priority: Int
    package var weight: Int
    package var addresses: [String]
    package var alias: Bool
  }

  package struct Output: Sendable {
    package var found: [ServiceName]
    package var missing: [ServiceName]
    package var places: [ServiceHost]
    package var withoutAddress: [String]
    package var ttl: Duration?
    package var elapsed: Duration
  }

  private static let place = Record(
    ServiceHost.init,
    Field("service", \.service, .enumeration(ServiceName.self), "The service."),
    Field("target", \.target, .string, "The name of its host."),
    Field("port", \.port, .int, "Its port."),
    Field("priority", \.priority, .int, "Hosts of a lower number are tried first."),
    Field("weight", \.weight, .int, "How often a host is taken among those of one priority."),
    Field("addresses", \.addresses, .list(.string), "The host's addresses, IPv4 and IPv6."),
    Field("alias", \.alias, .bool, "Whether the host's name is an alias, which it must not be.")
  )

  package static let declaration = ModuleDeclaration(
    "dns.services",
    "Asks for the SRV records of a domain's STUN and TURN services, and for the addresses of their hosts.",
    discussion: """
      Clients that are given a domain without a port look here first. A service without SRV records fails the step with
      `dns.serviceMissing`, one whose record says that it is not offered (a target of ".") with `dns.serviceDeclined`, a record
      without a port with `dns.targetWithoutPort`, and a host without any address with `dns.targetWithoutAddress`. A host whose name is an alias is a warning (`dns.targetIsAlias`): RFC 2782 forbids it, and some
      clients fail. A name server that cannot answer fails the step with the code of `dns.resolve`.
      """,
    effect: .observe, judges: true, deadline: .seconds(15),
    input: Record(
      Input.init,
      Field("domain", \.domain, .host, "The domain that clients are given."),
      Field(
        "services", \.services, .list(.enumeration(ServiceName.self)).nonEmpty,
        default: [.stunUDP, .turnUDP, .turnTCP, .turnsTCP], "The services that must be there."),
      Field(
        "server", \.server, .optional(.string),
        "Who is asked: an address, or address and port; the system's, if not given.")
    ),
    output: Record(
      Output.init,
      Field("found", \.found, .list(.enumeration(ServiceName.self)), "Services that are there."),
      Field("missing", \.missing, .list(.enumeration(ServiceName.self)), "Services that are not."),
      Field("places", \.places, .list(.record(place)), "Each record, with the addresses of its host."),
      Field("withoutAddress", \.withoutAddress, .list(.string), "Hosts that have no address."),
      Field("ttl", \.ttl, .optional(.duration), "The shortest lifetime of these records; absent: there are none."),
      Field("elapsed", \.elapsed, .duration, "How long all of it took.")
    ),
    examples: [
      .init(
        "Clients find TURN by the domain", with: "domain: example.com",
        expect: ["output.places.all(p, p.addresses.size() > 0)"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    do throws(StepError) { _ = try nameServers(input.server) } catch { return error.finding }
    return nil
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let start = ContinuousClock.now
    var services: [ServiceName] = []
    for service in input.services where !services.contains(service) { services.append(service) }
    let answers = try await context.answers(
      to: services.map { DNSQuestion("\($0.rawValue).\(input.domain)", .srv) }, from: input.server)
    var targets: [String] = []
    for target in answers.flatMap(\.targets).map(\.target) where !target.isEmpty && !targets.contains(target) {
      targets.append(target)
    }
    let hosts =
      targets.isEmpty
      ? []
      : try await context.answers(
        to: targets.flatMap { [DNSQuestion($0, .a), DNSQuestion($0, .aaaa)] }, from: input.server)
    let places = zip(services, answers).flatMap { service, answer in
      answer.targets.filter { !$0.target.isEmpty }.map { target in
        let own = hosts.filter { $0.name == target.target }
        return ServiceHost(
          service: service, target: target.target, port: target.port, priority: target.priority, weight: target.weight,
          addresses: own.flatMap(\.addresses), alias: own.contains { !$0.aliases.isEmpty })
      }
    }
    let found = services.filter { service in places.contains { $0.service == service } }
    let output = Output(
      found: found, missing: services.filter { !found.contains($0) }, places: places,
      withoutAddress: targets.filter { target in !places.contains { $0.target == target && !$0.addresses.isEmpty } },
      ttl: (answers + hosts).compactMap { $0.outcome == .found ? $0.lifetime : nil }.min(),
      elapsed: start.duration(to: .now))
    if let unknown = (answers + hosts).first(where: { !$0.outcome.isOfName })?.finding {
      return .failed(output, unknown)
    }
    for (service, answer) in zip(services, answers) {
      let name = "\(service.rawValue).\(input.domain)"
      if let finding = Finding.unusable(answer.targets, of: name) { return .failed(output, finding) }
    }
    return Self.judged(output, of: input.domain)
  }

  private static func judged(_ output: Output, of domain: String) -> StepResult<Output> {
    guard output.missing.isEmpty else {
      let names = output.missing.map(\.rawValue).joined(separator: ", ")
      return .failed(
        output,
        Finding(
          "dns.serviceMissing", "the domain \(domain) has no SRV records of \(names)",
          advice: "Add them to the zone, or leave out of `services` what is not offered."))
    }
    guard output.withoutAddress.isEmpty else {
      return .failed(
        output,
        Finding(
          "dns.targetWithoutAddress",
          "hosts that SRV records of \(domain) name have no address: \(output.withoutAddress.joined(separator: ", "))",
          advice: "Add their A and AAAA records, or take them out of the SRV records."))
    }
    let aliases = output.places.filter(\.alias).map(\.target)
    guard let alias = aliases.first else { return .done(output) }
    return .warned(
      output,
      Finding(
        "dns.targetIsAlias", "an SRV record of \(domain) names \(alias), which is an alias",
        advice: "Name the host itself (RFC 2782): some clients do not follow the alias."))
  }
}
