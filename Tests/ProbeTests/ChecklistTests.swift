import Addresses
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// The corner cases that naive clients get wrong, by number, provoked in real or scripted servers.
  @Suite("Checklist")
  struct ChecklistTests {
    private func failure(
      of server: Server, options: AllocateOptions = AllocateOptions(), follows: Bool = false
    ) async -> ProbeFailure? {
      await #expect(throws: ProbeFailure.self) {
        try await AllocateProbe(server: server, options: options, followsAlternate: follows).run(deadline: .seconds(15))
      }
    }

    @Test("8. A 438 to ChannelBind, CreatePermission and Refresh is followed by another try with the new nonce")
    func staleNonceAnywhere() async throws {
      let fresh = Array("n-2".utf8)
      try await ScriptedTURN.with { request, _, count in
        guard request.type.method != .allocate, count == 0 else { return nil }
        return [Reply.error(438, to: request, [Realm("r.example"), Nonce(fresh)])]
      } _: { server, turn in
        let peer = try #require(TransportAddress("192.0.2.9:9"))
        let (_, deletion) = try await Allocation.withAllocation(
          AllocationRequest(server: server), by: .now + .seconds(15)
        ) { allocation throws(ProbeFailure) in
          try await allocation.permit([peer.ip], by: .now + .seconds(10))
          _ = try await allocation.bindChannel(to: peer, by: .now + .seconds(10))
        }
        #expect(deletion.isConfirmed)
        for method in [Method.createPermission, .channelBind, .refresh] {
          let sent = turn.signedRequests(method)
          // Under load a request may be sent again; its id stays.
          #expect(Set(sent.map(\.transactionID)).count == 2)
          #expect(try sent.last?.attribute(Nonce.self)?.bytes == fresh)
        }
      }
    }

    @Test("8. A server that calls every nonce stale is named, after a bounded number of tries")
    func staleForEver() async throws {
      try await ScriptedTURN.with { request, _, count in
        [Reply.error(438, to: request, [Realm("r.example"), Nonce(Array("n-\(count)".utf8))])]
      } _: { server, turn in
        #expect(await failure(of: server)?.code == .staleNonceLoop)
        #expect(Set(turn.signedRequests(.allocate).map(\.transactionID)).count == 4)
      }
    }

    @Test("9. A 441 is named for what it means: another user's allocation")
    func wrongCredentials() async throws {
      try await ScriptedTURN.with { request, _, _ in
        [Reply.error(441, to: request, key: ScriptedTURN.key)]
      } _: {
        server, turn in
        let failure = await failure(of: server)
        #expect(failure?.code == .wrongCredentials)
        #expect(failure?.evidence("signed") == "yes")
        #expect(Set(turn.signedRequests(.allocate).map(\.transactionID)).count == 1)
      }
    }

    @Test("10. coturn's 300 is followed only if asked to, and reported otherwise")
    func redirection() async throws {
      try await Coturn.with { target in
        try await Coturn.with(["--alternate-server", "127.0.0.1:\(target.port)"]) { coturn in
          let refused = await failure(of: coturn.server())
          #expect(refused?.code == .tryAlternate)
          #expect(refused?.evidence("alternateServer") == "127.0.0.1:\(target.port)")
          let report = try await AllocateProbe(server: coturn.server(), followsAlternate: true).run(
            deadline: .seconds(15))
          #expect(report.server.port == target.port)
          #expect(report.deletion.isConfirmed)
        }
      }
    }

    @Test("11. A 420 for DONT-FRAGMENT is followed by a request without it")
    func unknownAttribute() async throws {
      try await ScriptedTURN.with { request, _, _ in
        guard request.span(of: .dontFragment) != nil else { return nil }
        return [Reply.error(420, to: request, [UnknownAttributes([.dontFragment])], key: ScriptedTURN.key)]
      } _: { server, _ in
        var options = AllocateOptions()
        options.dontFragment = true
        let report = try await AllocateProbe(server: server, options: options).run(deadline: .seconds(15))
        #expect(report.droppedAttributes == [.dontFragment])
      }
      try await ScriptedTURN.with { request, _, _ in
        [Reply.error(420, to: request, [UnknownAttributes([.requestedTransport])], key: ScriptedTURN.key)]
      } _: { server, turn in
        let failure = await failure(of: server)
        #expect(failure?.code == .notUnderstood)
        #expect(failure?.evidence("unknownAttributes") == "REQUESTED-TRANSPORT")
        #expect(Set(turn.signedRequests(.allocate).map(\.transactionID)).count == 1)
      }
    }

    @Test("11. A 403 to Allocate speaks of draining, one to a peer of denied addresses")
    func forbidden() async throws {
      try await ScriptedTURN.with { request, _, _ in
        [Reply.error(403, to: request, key: ScriptedTURN.key)]
      } _: {
        server, _ in
        let failure = await failure(of: server)
        #expect(failure?.code == .forbidden)
        #expect(failure?.advice.contains("draining") == true)
      }
      try await Coturn.with(["--denied-peer-ip=192.0.2.0-192.0.2.255"]) { coturn in
        let peer = try #require(IPAddress("192.0.2.9"))
        let failure = await #expect(throws: ProbeFailure.self) {
          try await Allocation.withAllocation(AllocationRequest(server: coturn.server()), by: .now + .seconds(15)) {
            allocation throws(ProbeFailure) in try await allocation.permit([peer], by: .now + .seconds(10))
          }
        }
        #expect(failure?.code == .forbidden)
        #expect(failure?.advice.contains("denied") == true)
        #expect(failure?.evidence("allocationDeleted") == "yes")
      }
    }

    @Test("12. A 437 takes a new source port, at most three times; on a delete it means success")
    func mismatch() async throws {
      try await ScriptedTURN.with { request, _, count in
        guard request.type.method == .refresh || count < 2 else { return nil }
        return [Reply.error(437, to: request, key: ScriptedTURN.key)]
      } _: { server, turn in
        let report = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(report.newSourcePorts == 2)
        #expect(report.deletion.isConfirmed)
        #expect(Set(turn.sources.all.map(\.port)).count == 3)
      }
      try await ScriptedTURN.with { request, _, _ in
        [Reply.error(437, to: request, key: ScriptedTURN.key)]
      } _: {
        server, turn in
        #expect(await failure(of: server)?.code == .allocationMismatch)
        #expect(Set(turn.signedRequests(.allocate).map(\.transactionID)).count == 4)
        #expect(Set(turn.sources.all.map(\.port)).count == 4)
      }
    }

    @Test("13. 440 and 442 from coturn, and 443, are named and never repeated")
    func families() async throws {
      try await Coturn.with(["--no-udp-relay"]) { coturn in
        #expect(await failure(of: coturn.server())?.code == .transportNotSupported)
      }
      try await Coturn.with { coturn in
        var options = AllocateOptions()
        options.family = .ipv6
        #expect(await failure(of: coturn.server(), options: options)?.code == .familyNotSupported)
        let peer = try #require(TransportAddress("[2001:db8::1]:9"))
        let failure = await #expect(throws: ProbeFailure.self) {
          try await Allocation.withAllocation(AllocationRequest(server: coturn.server()), by: .now + .seconds(15)) {
            allocation throws(ProbeFailure) in try await allocation.bindChannel(to: peer, by: .now + .seconds(10))
          }
        }
        #expect(failure?.code == .peerFamilyMismatch)
      }
    }

    @Test("14. A server without free relay ports is named; EVEN-PORT is dropped first")
    func capacity() async throws {
      try await Coturn.with(["--min-port", "21000", "--max-port", "21001"]) { coturn in
        let request = AllocationRequest(server: coturn.server())
        let (inner, _) = try await Allocation.withAllocation(request, by: .now + .seconds(15)) {
          _ throws(ProbeFailure) in
          try await Allocation.withAllocation(request, by: .now + .seconds(15)) { _ throws(ProbeFailure) in
            await failure(of: coturn.server())?.code
          }
        }
        #expect(inner.value == .insufficientCapacity)
      }
      try await ScriptedTURN.with { request, _, _ in
        guard request.span(of: .evenPort) != nil else { return nil }
        return [Reply.error(508, to: request, key: ScriptedTURN.key)]
      } _: { server, turn in
        var options = AllocateOptions()
        options.evenPort = EvenPort(reservesNextPort: true)
        let report = try await AllocateProbe(server: server, options: options).run(deadline: .seconds(15))
        #expect(report.droppedAttributes == [.evenPort])
        #expect(Set(turn.signedRequests(.allocate).map(\.transactionID)).count == 2)
      }
    }

    @Test(
      "15. An empty reason phrase changes nothing",
      arguments: [(486, ProbeFailure.Code.quotaReached), (403, .forbidden)])
    func emptyPhrase(number: Int, code: ProbeFailure.Code) async throws {
      try await ScriptedTURN.with { request, _, _ in
        [Reply.error(number, to: request, key: ScriptedTURN.key)]
      } _: {
        server, _ in
        let failure = await failure(of: server)
        #expect(failure?.code == code)
        #expect(failure?.evidence("errorReason") == nil)
      }
    }

    @Test("16. The lifetime that came back is the one that is reported")
    func lifetime() async throws {
      try await Coturn.with(["--max-allocate-lifetime=700"]) { coturn in
        var options = AllocateOptions()
        options.lifetimeSeconds = 3600
        let report = try await AllocateProbe(server: coturn.server(), options: options).run(deadline: .seconds(15))
        #expect(report.lifetime == .seconds(700))
      }
    }

    @Test("18. An unexpected 400 to ChannelBind is named")
    func badRequest() async throws {
      try await ScriptedTURN.with { request, _, _ in
        request.type.method == .channelBind ? [Reply.error(400, to: request, key: ScriptedTURN.key)] : nil
      } _: { server, _ in
        let peer = try #require(TransportAddress("192.0.2.9:9"))
        let failure = await #expect(throws: ProbeFailure.self) {
          try await Allocation.withAllocation(AllocationRequest(server: server), by: .now + .seconds(15)) {
            allocation throws(ProbeFailure) in try await allocation.bindChannel(to: peer, by: .now + .seconds(10))
          }
        }
        #expect(failure?.code == .badRequest)
      }
    }

    @Test("24. An answer whose integrity is wrong or missing is not believed, and named when nothing better comes")
    func forgedSuccess() async throws {
      let wrong = IntegrityKey(username: "u", realm: "r.example", password: "another")
      for key in [wrong, nil] {
        try await ScriptedTURN.with { request, source, _ in
          [Reply.success(to: request, [XORRelayedAddress(source), Lifetime(seconds: 600)], key: key)]
        } _: { server, _ in
          let failure = await #expect(throws: ProbeFailure.self) {
            try await AllocateProbe(server: server).run(deadline: .milliseconds(700))
          }
          #expect(failure?.code == .badIntegrity)
        }
      }
    }
  }
}
