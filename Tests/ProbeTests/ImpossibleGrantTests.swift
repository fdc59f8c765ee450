import Addresses
import NIOCore
import STUN
import Testing

@testable import Probe

extension LiveServerTests {
  /// Success responses of a TURN server that promise what cannot be, over every transport.
  @Suite("Impossible grants")
  struct ImpossibleGrantTests {
    struct Grant: Sendable, CustomStringConvertible {
      let description: String
      let code: ProbeFailure.Code?
      var family: AddressFamily?
      var isDual = false
      let attributes: [any Attribute & Sendable]

      /// - Parameters:
      ///   - relayed: addresses and ports.
      ///   - code: nil for a grant that is in order.
      init(
        _ relayed: [String], _ code: ProbeFailure.Code?, family: AddressFamily? = nil, isDual: Bool = false,
        reflexive: String = "127.0.0.1:9", lifetime: UInt32 = 600
      ) {
        description =
          "\(relayed.joined(separator: " and ")) for \(lifetime) s, seen from \(reflexive)"
          + (family.map { ", asked for \($0)" } ?? "") + (isDual ? ", asked for both" : "")
        self.code = code
        self.family = family
        self.isDual = isDual
        attributes =
          relayed.compactMap { TransportAddress($0) }.map { XORRelayedAddress($0) }
          + [TransportAddress(reflexive)].compactMap { $0 }.map { XORMappedAddress($0) } + [Lifetime(seconds: lifetime)]
      }
    }

    static let grants = [
      Grant(["0.0.0.0:49152"], .relayedAddressUnusable),
      Grant(["0.1.2.3:49152"], .relayedAddressUnusable),
      Grant(["[::]:49152"], .relayedAddressUnusable, family: .ipv6),
      Grant(["[::ffff:0.0.0.0]:49152"], .relayedAddressUnusable, family: .ipv6),
      Grant(["255.255.255.255:49152"], .relayedAddressUnusable),
      Grant(["239.1.2.3:49152"], .relayedAddressUnusable),
      Grant(["[ff02::1]:49152"], .relayedAddressUnusable, family: .ipv6),
      Grant(["127.0.0.1:0"], .relayedAddressUnusable),
      Grant(["127.0.0.1:49152", "[::]:49152"], .relayedAddressUnusable, isDual: true),
      Grant(["127.0.0.1:49152"], .relayedAddressUnasked, family: .ipv6),
      Grant(["[::ffff:127.0.0.1]:49152"], .relayedAddressUnasked, family: .ipv6),
      Grant(["[::1]:49152"], .relayedAddressUnasked, family: .ipv4),
      Grant(["127.0.0.1:49152", "[::1]:49152"], .relayedAddressUnasked),
      Grant(["127.0.0.1:49152", "127.0.0.1:49153"], .relayedAddressUnasked),
      Grant(["127.0.0.1:49152", "127.0.0.1:49153"], .relayedAddressUnasked, isDual: true),
      Grant(["127.0.0.1:49152", "[::1]:49152", "[::1]:49153"], .relayedAddressUnasked, isDual: true),
      Grant(["127.0.0.1:49152"], .lifetimeZero, lifetime: 0),
      Grant(["127.0.0.1:49152"], .reflexiveAddressUnusable, reflexive: "0.0.0.0:0"),
      Grant(["127.0.0.1:49152"], .reflexiveAddressUnusable, reflexive: "127.0.0.1:0"),
      Grant(["127.0.0.1:49152"], .reflexiveAddressUnusable, reflexive: "[ff02::1]:9"),
      // What a lab has, and what a server may be set to.
      Grant(["127.0.0.1:49152"], nil),
      Grant(["10.0.0.1:1"], nil, family: .ipv4),
      Grant(["192.168.0.1:65535"], nil, reflexive: "10.0.0.9:1"),
      Grant(["[::1]:49152"], nil, family: .ipv6),
      Grant(["[fd00::1]:49152"], nil),
      Grant(["127.0.0.1:49152", "[::1]:49152"], nil, isDual: true),
      Grant(["127.0.0.1:49152"], nil, isDual: true),
    ]

    @Test("fail by name over every transport, and are deleted; possible ones do not", arguments: grants)
    func grant(grant: Grant) async throws {
      for transport in Transport.allCases {
        try await ScriptedTURN.with(over: transport) { request, _, _ in
          request.type.method == .allocate
            ? [ScriptedReply.success(to: request, grant.attributes, key: ScriptedTURN.key)] : nil
        } _: { server, turn in
          var probe = AllocateProbe(server: server)
          probe.options.family = grant.family
          probe.options.isDual = grant.isDual
          if let code = grant.code {
            let failure = await #expect(throws: ProbeFailure.self) { try await probe.run(deadline: .seconds(15)) }
            #expect(failure?.code == code, "\(transport)")
            #expect(failure?.evidence("allocationDeleted") == "yes", "\(transport)")
          } else {
            #expect(try await probe.run(deadline: .seconds(15)).deletion.isConfirmed, "\(transport)")
          }
          let lifetimes = try turn.signedRequests(.refresh).map { try $0.attribute(Lifetime.self)?.seconds }
          #expect(lifetimes == [0], "\(transport)")
        }
      }
    }

    @Test("An impossible grant to another probe fails it as well")
    func otherProbes() async throws {
      try await ScriptedTURN.with { request, _, _ in
        guard request.type.method == .allocate else { return nil }
        let attributes: [any Attribute] = [
          XORRelayedAddress(TransportAddress(ip: .v4(0), port: 0)), Lifetime(seconds: 600),
        ]
        return [ScriptedReply.success(to: request, attributes, key: ScriptedTURN.key)]
      } _: { server, _ in
        let failures = [
          await #expect(throws: ProbeFailure.self) {
            _ = try await OpenRelayProbe(server: server).run(deadline: .seconds(5))
          },
          await #expect(throws: ProbeFailure.self) {
            _ = try await CapacityProbe(server: server).run(deadline: .seconds(5))
          },
          await #expect(throws: ProbeFailure.self) {
            _ = try await CredentialsProbe(server: server).run(deadline: .seconds(5))
          },
        ]
        #expect(failures.map { $0?.code } == Array(repeating: .relayedAddressUnusable, count: 3))
      }
    }

    @Test("Two allocations at the same time with one relayed address fail by name, and both are deleted")
    func shared() async throws {
      try await ScriptedTURN.with { request, source, _ in
        guard request.type.method == .allocate else { return nil }
        let attributes: [any Attribute] = [
          XORRelayedAddress(TransportAddress(ip: source.ip, port: 50_000)), Lifetime(seconds: 600),
        ]
        return [ScriptedReply.success(to: request, attributes, key: ScriptedTURN.key)]
      } _: { server, turn in
        let failures = [
          await #expect(throws: ProbeFailure.self) {
            _ = try await CapacityProbe(server: server, allocations: 5).run(deadline: .seconds(5))
          },
          await #expect(throws: ProbeFailure.self) {
            _ = try await RelayProbe(server: server).run(deadline: .seconds(5))
          },
        ]
        #expect(failures.map { $0?.code } == [.relayedAddressShared, .relayedAddressShared])
        #expect(failures.map { $0?.evidence("relayedAddress") } == ["127.0.0.1:50000", "127.0.0.1:50000"])
        #expect(turn.signedRequests(.refresh).count == 4)
      }
    }

    @Test("However much a server lists, a failure holds the first few, and says how many more there are")
    func longLists() async throws {
      try await ScriptedTURN.with(over: .tcp) { request, _, _ in
        guard request.type.method == .allocate else { return nil }
        let many = (1...5000).map { XORRelayedAddress(TransportAddress(ip: .v4(0x0A00_0000 + $0), port: 7)) }
        return [ScriptedReply.success(to: request, many + [Lifetime(seconds: 600)], key: ScriptedTURN.key)]
      } _: { server, _ in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await AllocateProbe(server: server).run(deadline: .seconds(5))
        }
        #expect(failure?.code == .relayedAddressUnasked)
        #expect(failure?.evidence("relayedAddresses")?.hasSuffix("10.0.0.16:7 and 4984 more") == true)
        #expect(failure.map { $0.description.utf8.count < 1000 } == true)
      }
      try await ScriptedTURN.with(over: .tcp) { request, _, _ in
        [
          ScriptedReply.error(
            420, to: request, [UnknownAttributes(Array(repeating: .evenPort, count: 20_000))], key: ScriptedTURN.key)
        ]
      } _: { server, _ in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await AllocateProbe(server: server).run(deadline: .seconds(5))
        }
        #expect(failure?.code == .notUnderstood)
        #expect(failure?.evidence("unknownAttributes")?.hasSuffix("EVEN-PORT and 19984 more") == true)
      }
    }

    @Test(
      "A deletion counts only where the answer says that no time is left, or that there is no allocation",
      arguments: [(0, true), (1, false), (600, false), (nil, false)] as [(UInt32?, Bool)])
    func deletion(left: UInt32?, isConfirmed: Bool) async throws {
      try await ScriptedTURN.with { request, _, _ in
        guard request.type.method == .refresh else { return nil }
        return [ScriptedReply.success(to: request, left.map { [Lifetime(seconds: $0)] } ?? [], key: ScriptedTURN.key)]
      } _: { server, _ in
        let report = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(report.deletion.isConfirmed == isConfirmed)
      }
    }
  }
}
