import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

@Suite struct DNSModuleTests {
  private static func zone(_ records: String...) throws -> Dnsmasq {
    try Dnsmasq(
      [
        "--local=/example.com/", "--host-record=turn.example.com,192.0.2.7,2001:db8::7,300",
        "--host-record=v4.example.com,192.0.2.8", "--cname=alias.example.com,turn.example.com",
      ] + records)
  }

  private func resolve(_ name: String, by server: Dnsmasq, _ members: Value.Member...) async throws -> StepResult<Value>
  {
    try await run("dns.resolve", [.init("name", .string(name)), .init("server", .string(server.address))] + members)
  }

  @Test("Addresses of both families, aliases and lifetimes, as a real server has them")
  func addresses() async throws {
    let server = try Self.zone()
    let result = try await resolve("turn.example.com", by: server)
    #expect(result.objection == nil)
    #expect(result.output["addresses"] == text("192.0.2.7", "2001:db8::7"))
    #expect(result.output["ttl"] == .duration(.seconds(300)))
    let alias = try await resolve("ALIAS.example.com", by: server)
    #expect(alias.output["aliases"] == text("turn.example.com"))
    #expect(alias.output["addresses"] == text("192.0.2.7", "2001:db8::7"))
    let cname = try await resolve("alias.example.com", by: server, .init("types", text("CNAME")))
    #expect(cname.output["aliases"] == text("turn.example.com"))
    // One family is enough.
    let v4 = try await resolve("v4.example.com", by: server)
    #expect(v4.objection == nil)
    #expect(v4.output["addresses"] == text("192.0.2.8"))
  }

  @Test("A name that does not exist, one without the record, and a server that does not serve the zone are told apart")
  func nothing() async throws {
    let server = try Self.zone()
    let none = try await resolve("nobody.example.com", by: server)
    #expect(none.objection?.severity == .fail)
    #expect(none.objection?.finding.code == "dns.nameNotFound")
    #expect(
      none.objection?.finding.message == "nobody.example.com (A) does not exist, says \(server.address) (NXDOMAIN)")
    let noData = try await resolve("v4.example.com", by: server, .init("types", text("AAAA")))
    #expect(noData.objection?.finding.code == "dns.noData")
    #expect(noData.output["ttl"] == .null)
    let refused = try await resolve("example.org", by: server)
    #expect(refused.objection?.finding.code == "dns.refused")
  }

  @Test("A server that is silent, and one that is not there")
  func noServer() async throws {
    let closed = try freePort()
    for types in [["A"], ["A", "AAAA", "SRV"]] {
      let result = try await run(
        "dns.resolve",
        [
          .init("name", .string("turn.example.com")), .init("types", .list(types.map { .string($0) })),
          .init("server", .string("127.0.0.1:\(closed)")),
        ])
      #expect(result.objection?.finding.code == "dns.unreachable", "\(types)")
    }
  }

  @Test("What is no name or no server is refused before the run")
  func objections() throws {
    let module = try #require(Catalog.standard["dns.resolve"])
    func objection(_ name: String, _ server: String) throws -> String? {
      let input = try ValueType.record(module.input).admit(
        .members([.init("name", .string(name)), .init("server", .string(server))]))
      return module.objection(input, .seconds(10))?.code
    }
    #expect(try objection("192.0.2.1", "192.0.2.53") == "dns.invalidName")
    for server in ["resolver.example.com", "192.0.2.53:0", "192.0.2.53:x", "[2001:db8::53]", ""] {
      #expect(try objection("turn.example.com", server) == "dns.invalidServer", "\(server)")
    }
    for server in ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:53"] {
      #expect(try objection("turn.example.com", server) == nil, "\(server)")
    }
  }

  @Test("A long answer comes over TCP")
  func long() async throws {
    let many = (1...60).map { "--srv-host=_turn._udp.example.com,host-number-\($0).example.com,\(3478 + $0),\($0)" }
    let big = try Dnsmasq(["--local=/example.com/"] + many)
    let result = try await resolve("_turn._udp.example.com", by: big, .init("types", text("SRV")))
    guard case .list(let services)? = result.output["services"] else {
      Testing.Issue.record("\(result)")
      return
    }
    #expect(services.count == 60)
    #expect(services.first?["target"] == .string("host-number-1.example.com"))
    #expect(services.first?["port"] == .int(3479))
  }

  private static let services = [
    "--srv-host=_stun._udp.example.com,turn.example.com,3478",
    "--srv-host=_turn._udp.example.com,turn.example.com,3478",
    "--srv-host=_turn._tcp.example.com,turn.example.com,3478,20",
    "--srv-host=_turn._tcp.example.com,v4.example.com,3479,10",
  ]

  private func coverage(_ server: Dnsmasq) async throws -> StepResult<Value> {
    try await run("dns.services", [.init("domain", .string("example.com")), .init("server", .string(server.address))])
  }

  @Test("A domain covers the services of TURN, or it is said which are missing")
  func coverage() async throws {
    let turns = "--srv-host=_turns._tcp.example.com,turn.example.com,5349"
    let base = [
      "--local=/example.com/", "--host-record=turn.example.com,192.0.2.7", "--host-record=v4.example.com,192.0.2.8",
    ]
    let whole = try await coverage(try Dnsmasq(base + Self.services + [turns]))
    #expect(whole.objection == nil)
    guard case .list(let places)? = whole.output["places"] else {
      Testing.Issue.record("\(whole)")
      return
    }
    #expect(places.map { $0["port"] } == [.int(3478), .int(3478), .int(3479), .int(3478), .int(5349)])
    #expect(places[2]["addresses"] == text("192.0.2.8"))
    let missing = try await coverage(try Dnsmasq(base + Self.services))
    #expect(missing.objection?.finding.code == "dns.serviceMissing")
    #expect(missing.output["missing"] == text("_turns._tcp"))
    let denied = try await coverage(try Dnsmasq(base + Self.services + ["--srv-host=_turns._tcp.example.com"]))
    #expect(denied.objection?.finding.code == "dns.serviceDeclined")
    #expect(
      denied.objection?.finding.message.contains("the domain says that it does not offer _turns._tcp.example.com")
        == true)
    let records = Value.Member("types", text("SRV"))
    let declined = try await resolve(
      "_turns._tcp.example.com", by: try Dnsmasq(base + ["--srv-host=_turns._tcp.example.com"]), records)
    #expect(declined.objection?.severity == .fail && declined.objection?.finding.code == "dns.serviceDeclined")
    let portless = try Dnsmasq(base + Self.services + ["--srv-host=_turns._tcp.example.com,turn.example.com,0"])
    #expect(try await coverage(portless).objection?.finding.code == "dns.targetWithoutPort")
    let place = try await resolve("_turns._tcp.example.com", by: portless, records)
    #expect(place.objection?.severity == .fail && place.objection?.finding.code == "dns.targetWithoutPort")
    let dangling = try await coverage(
      try Dnsmasq(base + Self.services + ["--srv-host=_turns._tcp.example.com,gone.example.com,5349"]))
    #expect(dangling.objection?.finding.code == "dns.targetWithoutAddress")
    #expect(dangling.output["withoutAddress"] == text("gone.example.com"))
    let alias = try await coverage(
      try Dnsmasq(
        base + Self.services + [
          "--cname=alias.example.com,turn.example.com", "--srv-host=_turns._tcp.example.com,alias.example.com,5349",
        ]))
    #expect(alias.objection?.severity == .warn)
    #expect(alias.objection?.finding.code == "dns.targetIsAlias")
  }

  @Test("A name server that cannot answer is no missing service")
  func noAnswer() async throws {
    let server = try Dnsmasq([])
    #expect(try await coverage(server).objection?.finding.code == "dns.refused")
  }
}
