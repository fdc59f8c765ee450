import Addresses
import STUN
import Testing

@testable import Probe

extension LiveServerTests {
  /// A server written by others than coturn's: what probes say of it is true as well.
  @Suite("pion")
  struct PionTests {
    static let transports: [Transport] = [.udp, .tcp, .tls]
    /// The network of documentation (RFC 5737), which stands for the world.
    private static let world = "192.0.2.0/24"

    @Test("It tells our address, gives an allocation, relays every packet, and deletes", arguments: transports)
    func works(transport: Transport) async throws {
      try await PionServer.with { pion in
        let server = pion.server(transport)
        #expect(try await BindingProbe(server: server).run(deadline: .seconds(10)).responses == 5)
        let allocation = try await AllocateProbe(server: server).run(deadline: .seconds(10))
        #expect(allocation.realm == PionServer.realm)
        #expect(allocation.relayedAddress.ip == IPAddress("127.0.0.1"))
        #expect(allocation.deletion.isConfirmed)
        for path in RelayProbe.Path.allCases {
          var probe = RelayProbe(server: server)
          (probe.packets, probe.rate, probe.path) = (100, 500, path)
          let relay = try await probe.run(deadline: .seconds(10))
          #expect(relay.received == 100, "\(path)")
          #expect(relay.allocationsDeleted, "\(path)")
        }
      }
    }

    @Test("Relay ports are reached, capacity is held, nobody drains, and a special use is told from a fault")
    func audit() async throws {
      try await PionServer.with { pion in
        let server = pion.server()
        #expect(try await PortsProbe(server: server).run(deadline: .seconds(10)).unreachable == [])
        let capacity = try await CapacityProbe(server: server, allocations: 10).run(deadline: .seconds(10))
        #expect(capacity.granted == 10)
        #expect(capacity.allocationsDeleted)
        #expect(try await !DrainProbe(server: server).run(deadline: .seconds(10)).isDraining)
        let behaviour = try await BehaviourProbe(server: server).run(deadline: .seconds(10))
        #expect(behaviour.mapping == nil && behaviour.filtering == nil)
      }
    }

    @Test("Wrong credentials, which it calls a bad request, are what to look at first")
    func wrongCredentials() async throws {
      try await PionServer.with { pion in
        for server in [pion.server(password: "wrong"), pion.server(username: "nobody")] {
          let failure = await #expect(throws: ProbeFailure.self) {
            try await AllocateProbe(server: server).run(deadline: .seconds(10))
          }
          #expect(failure?.code == .badRequest)
          #expect(failure?.advice.hasPrefix("Look at user name, password and secret first") == true)
          #expect(failure?.evidence("errorCode") == "400")
        }
      }
    }

    @Test("A bad request is a refusal of bad credentials where good ones were accepted, and only there")
    func credentials() async throws {
      try await PionServer.with { pion in
        let report = try await CredentialsProbe(server: pion.server()).run(deadline: .seconds(10))
        #expect(report.outcomes.map(\.trial) == [.good, .unknownUser, .inventedNonce, .reusedNonce])
        #expect(report.outcomes[1].errorCode == 400)
        #expect(report.violations == [.reusedNonce])
        let failure = await #expect(throws: ProbeFailure.self) {
          try await CredentialsProbe(server: pion.server(password: "wrong")).run(deadline: .seconds(10))
        }
        #expect(failure?.code == .badRequest)
      }
    }

    @Test("Openings are found; IPv6, which it gives no address of, is untestable")
    func open() async throws {
      try await PionServer.with { pion in
        let report = try await OpenRelayProbe(server: pion.server()).run(deadline: .seconds(20))
        #expect(report.entries.first { $0.kind == .loopback }?.isDelivered == true)
        #expect(Set(report.openings.map(\.kind)).isSuperset(of: [.loopback, .private10, .linkLocal, .server]))
        let untestable = report.entries.filter { $0.verdict == .untestable }.map(\.kind)
        #expect(untestable.contains(.loopbackIPv6) && untestable.contains(.nat64Loopback))
        #expect(report.entries.allSatisfy { !$0.isUnknown })
      }
    }

    @Test("Its errors without a number are refusals where an ordinary peer is permitted")
    func closed() async throws {
      try await PionServer.with(permitting: [Self.world]) { pion in
        let report = try await OpenRelayProbe(server: pion.server()).run(deadline: .seconds(20))
        #expect(report.openings.isEmpty)
        let refused = report.entries.filter { $0.verdict != .untestable }
        #expect(refused.allSatisfy { $0.verdict == .refused(nil) }, "\(refused)")
        #expect(refused.count >= 10)
      }
    }

    @Test("Where no peer is permitted at all, they say nothing of one")
    func nobodyPermitted() async throws {
      try await PionServer.with(permitting: ["198.51.100.7/32"]) { pion in
        let report = try await OpenRelayProbe(server: pion.server()).run(deadline: .seconds(20))
        let loopback = try #require(report.entries.first { $0.kind == .loopback })
        #expect(loopback.isUnknown)
      }
    }

    @Test("A peer that it does not permit is what to look at, not the credentials that it has just accepted")
    func deniedPeer() async throws {
      try await PionServer.with(permitting: [Self.world]) { pion in
        for (path, code) in [(RelayProbe.Path.channel, ProbeFailure.Code.unauthorized), (.send, .unnumberedError)] {
          var probe = RelayProbe(server: pion.server())
          probe.path = path
          let failure = await #expect(throws: ProbeFailure.self) { try await probe.run(deadline: .seconds(10)) }
          #expect(failure?.code == code)
          #expect(failure?.advice.contains("not permit") == true)
          #expect(failure?.evidence("peer")?.hasPrefix("127.0.0.1") == true)
          #expect(failure?.evidence("allocationDeleted") == "yes")
        }
      }
    }

    @Test("Versions and ciphers are told apart, the legacy ones that Go still accepts included")
    func versions() async throws {
      try await PionServer.with { pion in
        let report = try await TLSHandshakeProbe(server: pion.server(.tls)).run(deadline: .seconds(30))
        #expect(report.handshake.version == "TLSv1.3")
        #expect(report.unanswered == 0)
        let accepted = report.versions.filter { $0.verdict == .accepted }.map(\.version)
        #expect(accepted.contains(.tls12) && accepted.contains(.tls13))
        #expect(report.legacyCiphers?.contains("AES128-SHA") == true)
      }
    }
  }
}
