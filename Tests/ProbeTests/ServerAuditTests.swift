import Addresses
import NIOCore
import STUN
import Synchronization
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Probes that look at a server's limits and openings, against coturn.
  @Suite("Server audits")
  struct ServerAuditTests {
    @Test("Openings are found where coturn relays to loopback, and traffic is seen to flow")
    func openRelay() async throws {
      try await Coturn.with { coturn in
        let report = try await OpenRelayProbe(server: coturn.server()).run(deadline: .seconds(15))
        let entries = Dictionary(uniqueKeysWithValues: report.entries.map { ($0.kind, $0) })
        #expect(Set(entries.keys) == Set(OpenRelayProbe.PeerKind.allCases))
        #expect(entries[.loopback]?.verdict == .permitted)
        #expect(entries[.loopback]?.isDelivered == true)
        #expect(entries[.private10]?.verdict == .permitted)
        #expect(entries[.private10]?.isDelivered == nil)
        #expect(entries[.multicast]?.verdict == .permitted)
        #expect(entries[.loopbackIPv6]?.verdict == .untestable)
        #expect(report.openings.contains { $0.kind == .server })
        try await coturn.expectNoAllocations(of: 1)
      }
    }

    @Test("Nothing is open on a coturn that denies what it should")
    func closedRelay() async throws {
      let denied = [
        "0.0.0.0-0.255.255.255", "10.0.0.0-10.255.255.255", "100.64.0.0-100.127.255.255", "169.254.0.0-169.254.255.255",
        "172.16.0.0-172.31.255.255", "192.168.0.0-192.168.255.255", "255.255.255.255", "127.0.0.0-127.255.255.255",
      ]
      try await Coturn.with(
        allowsLoopbackPeers: false, denied.flatMap { ["--denied-peer-ip", $0] } + ["--no-multicast-peers"]
      ) { coturn in
        let report = try await OpenRelayProbe(server: coturn.server()).run(deadline: .seconds(15))
        #expect(report.openings.map(\.kind) == [])
        #expect(report.entries.contains { $0.kind == .loopback && $0.verdict == .refused(403) })
      }
    }

    @Test("The matrix covers IPv6 where the server relays it")
    func openRelayIPv6() async throws {
      try await Coturn.with(host: "::1", ["--relay-ip", "127.0.0.1"]) { coturn in
        let report = try await OpenRelayProbe(server: coturn.server()).run(deadline: .seconds(15))
        let entries = Dictionary(report.entries.map { ($0.kind, $0) }) { first, _ in first }
        #expect(entries[.loopbackIPv6]?.verdict == .permitted)
        #expect(entries[.loopbackIPv6]?.isDelivered == true)
        #expect(entries[.uniqueLocalIPv6]?.verdict == .permitted)
        #expect(entries.values.allSatisfy { $0.verdict != .untestable })
      }
    }

    @Test("Capacity: as many as asked for, or up to the quota; all are deleted")
    func capacity() async throws {
      try await Coturn.with(["--user-quota", "4"]) { coturn in
        let enough = try await CapacityProbe(server: coturn.server(), allocations: 3).run(deadline: .seconds(10))
        #expect(enough.granted == 3)
        #expect(enough.stoppedBy == nil)
        #expect(enough.elapsed?.count == 3)
        #expect(enough.relayAddresses.map(\.description) == ["127.0.0.1"])
        try await coturn.expectNoAllocations(of: 3)
      }
      // A server of its own: coturn counts a deleted allocation for some seconds more.
      try await Coturn.with(["--user-quota", "4"]) { coturn in
        let limited = try await CapacityProbe(server: coturn.server()).run(deadline: .seconds(10))
        #expect(limited.requested == 10)
        #expect(limited.granted == 4)
        #expect(limited.stoppedBy == .quotaReached)
        #expect(limited.allocationsDeleted)
        try await coturn.expectNoAllocations(of: 4)
      }
    }

    @Test("Capacity: a server that no longer answers costs the time of one deletion, not of all")
    func capacityOfSilentServer() async throws {
      try await ScriptedTURN.with { request, _, _ in
        request.type.method == .refresh ? [] : nil
      } _: { server, turn in
        let start = ContinuousClock.now
        let report = try await CapacityProbe(server: server, allocations: 6).run(deadline: .seconds(10))
        #expect(report.granted == 6)
        #expect(!report.allocationsDeleted)
        #expect(Set(turn.signedRequests(.refresh).map(\.transactionID)).count == 6)
        #expect(ContinuousClock.now - start < Allocation.deletionLimit * 3)
      }
    }

    @Test("Relay ports are reachable, and within the range that is configured")
    func ports() async throws {
      try await Coturn.with(["--min-port", "22000", "--max-port", "22100"]) { coturn in
        let report = try await PortsProbe(server: coturn.server(), allocations: 3).run(deadline: .seconds(10))
        #expect(report.reachable.count == 3)
        #expect(report.reachable.allSatisfy { (22_000...22_100).contains($0.port) })
        #expect(report.unreachable.isEmpty)
        #expect(report.stoppedBy == nil)
      }
    }

    @Test("What was tried before quota or capacity end is told; not where they end before it", arguments: [486, 508])
    func portsUntilRefusal(number: Int) async throws {
      let code: ProbeFailure.Code = number == 486 ? .quotaReached : .insufficientCapacity
      for granted in [0, 1] {
        try await ScriptedTURN.with { request, _, count in
          request.type.method == .allocate && count >= granted
            ? [ScriptedReply.error(number, to: request, key: ScriptedTURN.key)] : nil
        } _: { server, _ in
          let probe = PortsProbe(server: server, allocations: 3)
          if granted == 0 {
            let failure = await #expect(throws: ProbeFailure.self) { try await probe.run(deadline: .seconds(10)) }
            #expect(failure?.code == code)
          } else {
            let report = try await probe.run(deadline: .seconds(10))
            #expect(report.unreachable.map(\.port) == [49_152])
            #expect(report.stoppedBy == code)
          }
        }
      }
    }

    @Test("Strangers' datagrams from our own address hide no port that is reached")
    func strayDatagrams() async throws {
      let address = Mutex<TransportAddress?>(nil)
      let client = Mutex<TransportAddress?>(nil)
      let turn = ScriptedTURN { request, source, _ in
        guard request.type.method == .allocate, let own = address.withLock({ $0 }) else { return nil }
        client.withLock { $0 = source }
        return [
          ScriptedReply.success(
            to: request, [XORRelayedAddress(own), XORMappedAddress(source), Lifetime(seconds: 600)],
            key: ScriptedTURN.key)
        ]
      }
      // Its own port is the relayed one.
      try await ScriptedSTUNServer.with { bytes, source in
        let answers = turn.answer(bytes, from: source)
        guard answers.isEmpty, let client = client.withLock({ $0 }) else { return answers.map { .init($0) } }
        return ([String](repeating: "stray", count: 20) + [String(buffer: bytes)]).map { text in
          var writer = MessageWriter(MessageType(.data, .indication), transactionID: .random())
          writer.append(XORPeerAddress(source))
          writer.append(PeerData(ByteBuffer(string: text)))
          return .init(writer.finish(), recipient: client)
        }
      } _: { scripted in
        address.withLock { $0 = scripted.address }
        let report = try await PortsProbe(server: scripted.server, allocations: 1).run(deadline: .seconds(10))
        #expect(report.reachable == [scripted.address])
        #expect(report.unreachable == [])
      }
    }

    @Test("Where the time ends before a port was waited for, it is not called unreachable, and what was seen is kept")
    func portsOutOfTime() async throws {
      try await ScriptedTURN.with { _, _, _ in
        nil
      } _: { server, _ in
        let report = try await PortsProbe(server: server, allocations: 3).run(deadline: .milliseconds(4500))
        #expect(report.unreachable.count == 1)
        #expect(report.stoppedBy == .outOfTime)
        let failure = await #expect(throws: ProbeFailure.self) {
          try await PortsProbe(server: server, allocations: 3).run(deadline: .milliseconds(1200))
        }
        #expect(failure?.code == .outOfTime)
      }
    }

    @Test("A server that is reached over IPv6 is asked for relay ports that our own address can reach")
    func portsOverIPv6() async throws {
      try await Coturn.with(host: "::1") { coturn in
        let report = try await PortsProbe(server: coturn.server(), allocations: 1).run(deadline: .seconds(10))
        #expect(report.unreachable.isEmpty)
      }
    }

    @Test("A pool keeps its order, ranks what works, and tells why the rest does not")
    func pool() async throws {
      let closed = try freePort()
      try await Coturn.with { first in
        try await Coturn.with { second in
          let dead = ProbedServer(uri: ServerURI(scheme: .turn, host: "127.0.0.1", port: closed))
          let report = try await PoolProbe(servers: [
            dead, first.server(), second.server(password: "wrong"), second.server(),
          ]).run(deadline: .seconds(15))
          #expect(report.members.map(\.isWorking) == [false, true, false, true])
          #expect(report.firstWorking?.position == 1)
          #expect(Set(report.ranking.map(\.position)) == [1, 3])
          guard case .failure(let failure) = report.members[0].result else { return }
          #expect(failure.code == .portUnreachable)
        }
      }
    }

    @Test("A draining server answers Binding and refuses Allocate; bad credentials are no draining")
    func drain() async throws {
      try await ScriptedTURN.with { request, _, _ in
        request.type.method == .allocate ? [ScriptedReply.error(403, to: request, key: ScriptedTURN.key)] : nil
      } _: { server, _ in
        let report = try await DrainProbe(server: server).run(deadline: .seconds(15))
        #expect(report.isDraining)
      }
      try await Coturn.with { coturn in
        let report = try await DrainProbe(server: coturn.server()).run(deadline: .seconds(15))
        #expect(!report.isDraining)
        let failure = await #expect(throws: ProbeFailure.self) {
          try await DrainProbe(server: coturn.server(password: "wrong")).run(deadline: .seconds(15))
        }
        #expect(failure?.code == .unauthorized)
      }
    }

    @Test("Amplification is the answer's size over the request's")
    func amplification() async throws {
      try await Coturn.with { coturn in
        let report = try await AmplificationProbe(server: coturn.server()).run(deadline: .seconds(15))
        #expect(report.exchanges.map(\.method) == ["Binding", "Allocate"])
        #expect(report.exchanges.map(\.requestBytes) == [20, 28])
        #expect(report.exchanges.map(\.responses) == [1, 1])
        #expect(report.exchanges.allSatisfy { $0.responseBytes > $0.requestBytes })
        #expect(report.factor == report.exchanges.map(\.factor).max())
      }
    }

    @Test("The external address is compared with the name and with what a STUN server sees")
    func externalAddress() async throws {
      try await Coturn.with { coturn in
        let observer = ProbedServer(uri: coturn.uri(.stun))
        let right = try await ExternalAddressProbe(server: coturn.server(), observer: observer).run(
          deadline: .seconds(15))
        #expect(right.observedAddress == right.relayedAddress)
        #expect(right.specialRange == .loopback)
        #expect(right.findings == [])
      }
      try await Coturn.with(["--external-ip", "203.0.113.7"]) { coturn in
        let observer = ProbedServer(uri: coturn.uri(.stun))
        let wrong = try await ExternalAddressProbe(server: coturn.server(), observer: observer).run(
          deadline: .seconds(15))
        #expect(wrong.relayedAddress == IPAddress("203.0.113.7"))
        #expect(wrong.observedAddress == IPAddress("127.0.0.1"))
        #expect(wrong.findings == [.relayedAddressIsSpecial, .differsFromName, .differsFromObserved])
      }
    }

    @Test("A server that relays from one address or another is judged by all of them, whichever comes first")
    func severalRelayAddresses() async throws {
      for right in [0, 1, 2] {
        try await ScriptedTURN.with { request, source, count in
          guard request.type.method == .allocate else { return nil }
          let ip = IPAddress(count == right ? "127.0.0.1" : "127.0.0.9") ?? source.ip
          let attributes: [any Attribute] = [
            XORRelayedAddress(TransportAddress(ip: ip, port: 50_000)), XORMappedAddress(source), Lifetime(seconds: 600),
          ]
          return [ScriptedReply.success(to: request, attributes, key: ScriptedTURN.key)]
        } _: { server, _ in
          let report = try await ExternalAddressProbe(server: server, allocations: 3).run(deadline: .seconds(15))
          #expect(report.findings == [.differsFromName])
          #expect(report.relayedAddress == IPAddress("127.0.0.9"))
          #expect(Set(report.relayedAddresses.map(\.description)) == ["127.0.0.1", "127.0.0.9"])
        }
      }
      try await Coturn.with(host: "127.0.0.2") { coturn in
        // It relays from 127.0.0.1 and 127.0.0.2, and is asked at the latter.
        let report = try await ExternalAddressProbe(server: coturn.server(), allocations: 40).run(
          deadline: .seconds(20))
        #expect(Set(report.relayedAddresses.map(\.description)).isSubset(of: ["127.0.0.1", "127.0.0.2"]))
        #expect(report.findings == (report.relayedAddresses == [IPAddress("127.0.0.2")] ? [] : [.differsFromName]))
      }
    }

    @Test("A relayed address of another family than the server is asked at is held against none of its addresses")
    func otherFamily() async throws {
      try await Coturn.with(host: "::1") { coturn in
        let report = try await ExternalAddressProbe(server: coturn.server(), allocations: 2).run(deadline: .seconds(15))
        #expect(report.nameAddresses.map(\.description) == ["::1"])
        #expect(report.relayedAddress.family == .ipv4)
        #expect(report.findings == [])
      }
    }

    @Test("An observer that sees an address which nobody can have is named, and proves nothing")
    func lyingObserver() async throws {
      try await Coturn.with { coturn in
        try await ScriptedSTUNServer.with { bytes, _ in
          guard let request = try? Message(decoding: bytes) else { return [] }
          return [.init(ScriptedReply.success(to: request, [XORMappedAddress(TransportAddress(ip: .v4(0), port: 9))]))]
        } _: { observer in
          let failure = await #expect(throws: ProbeFailure.self) {
            try await ExternalAddressProbe(server: coturn.server(), observer: ProbedServer(uri: observer.uri)).run(
              deadline: .seconds(15))
          }
          #expect(failure?.code == .reflexiveAddressUnusable)
          #expect(failure?.evidence("server") == "\(observer.address)")
        }
        try await coturn.expectNoAllocations(of: 1)
      }
    }

    @Test("Without a NAT, behaviour discovery finds endpoint-independent mapping and filtering")
    func behaviour() async throws {
      try await Coturn.with(["--listening-ip", "127.0.0.2", "--relay-ip", "127.0.0.2"]) { coturn in
        let report = try await BehaviourProbe(server: ProbedServer(uri: coturn.uri(.stun))).run(deadline: .seconds(10))
        #expect(report.otherAddress?.ip == IPAddress("127.0.0.2"))
        #expect(report.mapping == .endpointIndependent)
        #expect(report.filtering == .endpointIndependent)
        #expect(!report.isBehindNAT)
      }
      try await Coturn.with { coturn in
        let report = try await BehaviourProbe(server: ProbedServer(uri: coturn.uri(.stun))).run(deadline: .seconds(10))
        #expect(report.otherAddress == nil)
        #expect(report.mapping == nil)
      }
    }

    @Test("Special addresses are told from ordinary ones")
    func ranges() throws {
      for (text, range) in [
        ("127.1.2.3", SpecialRange.loopback), ("10.1.1.1", .privateUse), ("172.31.0.1", .privateUse),
        ("172.32.0.1", nil), ("100.127.255.255", .sharedAddressSpace), ("100.128.0.0", nil), ("8.8.8.8", nil),
        ("::1", .loopback), ("::", .unspecified), ("fe80::1", .linkLocal), ("fdff::1", .uniqueLocal),
        ("ff02::1", .multicast), ("::ffff:10.0.0.1", .ipv4Mapped), ("64:ff9b::7f00:1", .nat64),
        ("2002:7f00:1::", .sixToFour), ("2001:4860:4860::8888", nil), ("255.255.255.255", .broadcast),
      ] {
        let address = try #require(IPAddress(text))
        #expect(SpecialRange(address) == range)
      }
    }
  }
}
