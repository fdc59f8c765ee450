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
        #expect(report.roundTrip?.count == 100)
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
        #expect(failure?.advice.contains("denied") == true)
        try await coturn.expectNoAllocations(of: 2)
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
      var probe = RelayProbe(server: Server(uri: ServerURI(scheme: .turn, host: "192.0.2.1")))
      (probe.packets, probe.rate) = (100, 10)
      let failure = await #expect(throws: ProbeFailure.self) { try await probe.run(deadline: .seconds(5)) }
      #expect(failure?.code == .deadlineTooShort)
    }
  }
}
