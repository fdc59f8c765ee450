import Addresses
import STUN
import Schema
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Lines 10 to 16 of the list of corner cases that naive clients get wrong: what servers answer to Allocate.
  @Suite("Checklist: allocations")
  struct ChecklistAllocationTests {
    private func failure(
      of server: ProbedServer, options: AllocateOptions = AllocateOptions(), follows: Bool = false
    ) async -> ProbeFailure? {
      await #expect(throws: ProbeFailure.self) {
        try await AllocateProbe(server: server, options: options, followsAlternate: follows).run(deadline: .seconds(15))
      }
    }

    @Test(
      "10. coturn's 300 is followed only if asked to, over the same transport, and reported otherwise",
      arguments: ServerURI.URITransport.allCases)
    func redirection(transport: ServerURI.URITransport) async throws {
      try await Coturn.with { target in
        try await Coturn.with(["--alternate-server", "127.0.0.1:\(target.port)"]) { coturn in
          let server = coturn.server(.turn, transport)
          let refused = await failure(of: server)
          #expect(refused?.code == .tryAlternate)
          #expect(refused?.evidence("signed") == "no")
          #expect(refused?.evidence("alternateServer") == "127.0.0.1:\(target.port)")
          let report = try await AllocateProbe(server: server, followsAlternate: true).run(deadline: .seconds(15))
          #expect(report.server.port == target.port)
          #expect(report.transport == server.transport)
          #expect(report.deletion.isConfirmed)
        }
      }
    }

    @Test("10. Servers that send a client to each other end in a named failure, each asked once")
    func redirectionLoop() async throws {
      let other = Recorder<TransportAddress>()
      let redirect: ScriptedTURN.Override = { request, _, _ in
        other.all.last.map { [ScriptedReply.error(300, to: request, [AlternateServer($0)], key: ScriptedTURN.key)] }
      }
      try await ScriptedTURN.with(redirect) { first, firstTURN in
        try await ScriptedTURN.with { request, _, _ in
          TransportAddress("127.0.0.1:\(first.uri.port ?? 0)").map {
            [ScriptedReply.error(300, to: request, [AlternateServer($0)], key: ScriptedTURN.key)]
          }
        } _: { second, secondTURN in
          other.append(try #require(TransportAddress("127.0.0.1:\(second.uri.port ?? 0)")))
          #expect(await failure(of: first, follows: true)?.code == .tryAlternate)
          #expect(firstTURN.signedRequests(.allocate).count == 1)
          #expect(secondTURN.signedRequests(.allocate).count == 1)
        }
      }
    }

    @Test(
      "10. A 300 that names an address which no server can have is not followed, and the evidence says why",
      arguments: [
        ("0.0.0.0:3478", "unspecified"), ("255.255.255.255:3478", "broadcast"), ("224.0.0.1:3478", "multicast"),
        ("127.0.0.1:0", "portZero"), ("[::1]:3478", "otherFamily"),
      ])
    func impossibleRedirection(alternate: String, flaw: String) async throws {
      let address = try #require(TransportAddress(alternate))
      try await ScriptedTURN.with { request, _, _ in
        [ScriptedReply.error(300, to: request, [AlternateServer(address)], key: ScriptedTURN.key)]
      } _: { server, turn in
        let failure = await failure(of: server, follows: true)
        #expect(failure?.code == .tryAlternate)
        #expect(failure?.evidence("alternateServer") == alternate)
        #expect(failure?.evidence("alternateServerFlaw") == flaw)
        #expect(failure?.message.contains("cannot have") == true)
        #expect(turn.signedRequests(.allocate).count == 1)
      }
    }

    @Test("11. A 420 for DONT-FRAGMENT is followed by a request without it")
    func unknownAttribute() async throws {
      try await ScriptedTURN.with { request, _, _ in
        guard request.span(of: .dontFragment) != nil else { return nil }
        return [ScriptedReply.error(420, to: request, [UnknownAttributes([.dontFragment])], key: ScriptedTURN.key)]
      } _: { server, _ in
        var options = AllocateOptions()
        options.dontFragment = true
        let report = try await AllocateProbe(server: server, options: options).run(deadline: .seconds(15))
        #expect(report.droppedAttributes == [.dontFragment])
      }
      try await ScriptedTURN.with { request, _, _ in
        [ScriptedReply.error(420, to: request, [UnknownAttributes([.requestedTransport])], key: ScriptedTURN.key)]
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
        [ScriptedReply.error(403, to: request, key: ScriptedTURN.key)]
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
        return [ScriptedReply.error(437, to: request, key: ScriptedTURN.key)]
      } _: { server, turn in
        let report = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(report.newSourcePorts == 2)
        #expect(report.deletion.isConfirmed)
        #expect(Set(turn.sources.all.map(\.port)).count == 3)
      }
      try await ScriptedTURN.with { request, _, _ in
        [ScriptedReply.error(437, to: request, key: ScriptedTURN.key)]
      } _: {
        server, turn in
        #expect(await failure(of: server)?.code == .allocationMismatch)
        #expect(Set(turn.signedRequests(.allocate).map(\.transactionID)).count == 4)
        #expect(Set(turn.sources.all.map(\.port)).count == 4)
      }
    }

    @Test("13. What coturn does not relay is named: TCP only, another family, a peer of another family")
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

    @Test(
      "13. A 440, 442 or 443 to Allocate is named and never repeated",
      arguments: [
        (440, ProbeFailure.Code.familyNotSupported), (442, .transportNotSupported), (443, .peerFamilyMismatch),
      ])
    func final(number: Int, code: ProbeFailure.Code) async throws {
      try await ScriptedTURN.with { request, _, _ in
        [ScriptedReply.error(number, to: request, key: ScriptedTURN.key)]
      } _: { server, turn in
        #expect(await failure(of: server)?.code == code)
        #expect(turn.signedRequests(.allocate).count == 1)
      }
    }

    @Test(
      "14. A 486 or 508 is not repeated: it says to wait a minute",
      arguments: [(486, ProbeFailure.Code.quotaReached), (508, .insufficientCapacity)])
    func waits(number: Int, code: ProbeFailure.Code) async throws {
      try await ScriptedTURN.with { request, _, _ in
        [ScriptedReply.error(number, to: request, key: ScriptedTURN.key)]
      } _: { server, turn in
        let failure = await failure(of: server)
        #expect(failure?.code == code)
        #expect(failure?.advice.contains("Wait a minute") == true)
        #expect(turn.signedRequests(.allocate).count == 1)
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
        return [ScriptedReply.error(508, to: request, key: ScriptedTURN.key)]
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
        [ScriptedReply.error(number, to: request, key: ScriptedTURN.key)]
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

    @Test("16. A refresh is sent before the lifetime that came back ends")
    func refresh() async throws {
      try await ScriptedTURN.with { request, source, _ in
        switch request.type.method {
        case .allocate:
          [
            ScriptedReply.success(
              to: request, [XORRelayedAddress(source), Lifetime(seconds: 2)], key: ScriptedTURN.key)
          ]
        case .refresh: [ScriptedReply.success(to: request, [Lifetime(seconds: 600)], key: ScriptedTURN.key)]
        default: nil
        }
      } _: { server, turn in
        let start = ContinuousClock.now
        let (renewed, _) = try await Allocation.withAllocation(
          AllocationRequest(server: server), by: start + .seconds(15)
        ) { allocation throws(ProbeFailure) in
          while await allocation.state.lifetime != .seconds(600), .now < start + .seconds(5) {
            try? await Task.sleep(for: .milliseconds(5))
          }
          return ContinuousClock.now
        }
        #expect(renewed - start < .seconds(2))
        let lifetimes = try turn.signedRequests(.refresh).map { try $0.attribute(Lifetime.self)?.seconds }
        #expect(lifetimes == [600, 0])
      }
    }

    @Test("16. An allocation is deleted with lifetime 0 when its use fails, and when the task is cancelled")
    func deletion() async throws {
      try await Coturn.with { coturn in
        let request = AllocationRequest(server: coturn.server())
        await #expect(throws: ProbeFailure.self) {
          _ = try await Allocation.withAllocation(request, by: .now + .seconds(10)) { _ throws(ProbeFailure) -> Int in
            throw ProbeFailure(.invalidInput, "", advice: "")
          }
        }
        try await coturn.expectNoAllocations(of: 1)

        let (started, starting) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
          try await Allocation.withAllocation(request, by: .now + .seconds(60)) { _ throws(ProbeFailure) in
            starting.finish()
            try? await Task.sleep(for: .seconds(60))
          }
        }
        for await _ in started {}
        task.cancel()
        let result = try await task.value
        #expect(result.deletion.isConfirmed)
        try await coturn.expectNoAllocations(of: 2)
      }
    }
  }
}
