import Addresses
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("RelayProbe")
  struct RelayProbeTests {
    @Test("Every packet comes back through two allocations of coturn", arguments: RelayProbe.Path.allCases)
    func coturn(path: RelayProbe.Path) async throws {
      try await Coturn.with { coturn in
        var probe = RelayProbe(server: coturn.server())
        probe.path = path
        probe.packets = 100
        probe.rate = 500
        let report = try await probe.run(deadline: .seconds(10))
        #expect(report.sent == 100)
        #expect(report.received == 100)
        #expect(report.lost == 0)
        #expect(report.reached == 100)
        #expect(report.duplicates == 0)
        #expect(report.reordered == 0)
        #expect(report.rtt?.count == 100)
        #expect(report.throughput > 0)
        #expect(Set(report.relayedAddresses).count == 2)
        #expect(report.allocationsDeleted)
        try await coturn.expectNoAllocations(of: 2)
      }
    }

    @Test("As fast as they come back, packets of 1 KB all arrive")
    func windowed() async throws {
      try await Coturn.with { coturn in
        var probe = RelayProbe(server: coturn.server())
        (probe.packets, probe.size, probe.rate) = (2000, 1000, nil)
        let report = try await probe.run(deadline: .seconds(10))
        #expect(report.received == 2000)
      }
    }

    @Test("A server that may not relay to itself is named, and nothing is left on it")
    func forbidden() async throws {
      try await Coturn.with(["--denied-peer-ip=127.0.0.1"]) { coturn in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await RelayProbe(server: coturn.server()).run(deadline: .seconds(15))
        }
        #expect(failure?.code == .forbidden)
        #expect(failure?.message.contains("does not relay to 127.0.0.1") == true)
        #expect(failure?.message.contains("the server's own relayed address") == true)
        #expect(failure?.advice.contains("denied") == true)
        #expect(failure?.evidence.map(\.name).sorted() == failure.map { Set($0.evidence.map(\.name)).sorted() })
        #expect(failure?.evidence("allocationDeleted") == "yes")
        try await coturn.expectNoAllocations(of: 2)
      }
    }

    @Test("Allocations are called deleted only where both are, whichever of them is not", arguments: [0, 1])
    func halfDeleted(left: Int) async throws {
      try await ScriptedTURN.with { request, _, count in
        switch request.type.method {
        case .channelBind: [ScriptedReply.error(403, to: request, key: ScriptedTURN.key)]
        case .refresh where count == left: [ScriptedReply.error(500, to: request, key: ScriptedTURN.key)]
        default: nil
        }
      } _: { server, turn in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await RelayProbe(server: server).run(deadline: .seconds(15))
        }
        #expect(turn.signedRequests(.refresh).count == 2)
        #expect(failure?.evidence.filter { $0.name == "allocationDeleted" }.map(\.value) == ["no"])
      }
    }

    @Test("Where nothing comes back it is told how long that was waited for, and a large size is what to look at first")
    func large() async throws {
      try await ScriptedTURN.with { _, _, _ in
        nil
      } _: { server, _ in
        for (size, isLarge) in [(1200, false), (9000, true)] {
          var probe = RelayProbe(server: server)
          (probe.packets, probe.rate, probe.size) = (2, 100, size)
          let failure = await #expect(throws: ProbeFailure.self) { try await probe.run(deadline: .seconds(10)) }
          #expect(failure?.code == .nothingRelayed)
          #expect(failure?.advice.contains("smaller size than 9000 bytes") == isLarge)
          let waited = try #require(failure?.evidence("waited"))
          #expect(failure?.message.contains("none came back within \(waited) after the last") == true)
          #expect(waited.hasPrefix("1"))
        }
      }
    }

    @Test("Where packets reach the echo, neither the server's address nor the way there is suspected")
    func oneWay() async throws {
      try await ScriptedRelay.with { payload, isFromFirst in
        isFromFirst ? [.on(payload)] : []
      } _: { server in
        var probe = RelayProbe(server: server)
        (probe.packets, probe.rate) = (2, 100)
        let failure = await #expect(throws: ProbeFailure.self) { try await probe.run(deadline: .seconds(10)) }
        #expect(failure?.code == .nothingRelayed)
        #expect(failure?.evidence("reached") == "2")
        #expect(failure?.advice.hasPrefix("Packets reach the echo: either the way back takes longer") == true)
        #expect(failure?.advice.contains("external address") == false)
      }
    }

    @Test("A server stopped in the middle is a failure within the deadline")
    func stopped() async throws {
      try await Coturn.with { coturn in
        coturn.stop()
        let failure = await #expect(throws: ProbeFailure.self) {
          try await RelayProbe(server: coturn.server()).run(deadline: .seconds(15))
        }
        #expect(failure?.code == .portUnreachable)
      }
    }

    @Test("A plan that cannot end in time is refused before anything is sent")
    func impossible() async throws {
      var probe = RelayProbe(server: ProbedServer(uri: ServerURI(scheme: .turn, host: "192.0.2.1")))
      (probe.packets, probe.rate) = (100, 10)
      let failure = await #expect(throws: ProbeFailure.self) { try await probe.run(deadline: .seconds(5)) }
      #expect(failure?.code == .deadlineTooShort)
      #expect(failure?.message == "Sending 100 packets at 10 a second takes 10s, and there are 5s.")
      #expect(failure?.advice.contains("give it 18s or more") == true)
    }
  }
}
