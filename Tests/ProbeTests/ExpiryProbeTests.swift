import Addresses
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("ExpiryProbe")
  struct ExpiryProbeTests {
    @Test("17. A permission that is not renewed ends in time, whatever is sent")
    func forgotten() async throws {
      try await Coturn.with(["--permission-lifetime=2"]) { coturn in
        let report = try await ExpiryProbe(server: coturn.server(), after: .seconds(4)).run(deadline: .seconds(18))
        #expect(report.isExpired)
        #expect(report.lastPassage < .seconds(4))
        // One with the fresh permission, one right after it, then one a second; coturn's clock ticks once a second.
        #expect((2...4).contains(report.passages))
        try await coturn.expectNoAllocations(of: 1)
      }
    }

    @Test("18. A channel that is not renewed ends in time, while the permission goes on")
    func forgottenChannel() async throws {
      try await Coturn.with(["--channel-lifetime=2"]) { coturn in
        let probe = ExpiryProbe(server: coturn.server(), subject: .channel, after: .seconds(4))
        let report = try await probe.run(deadline: .seconds(18))
        #expect(report.isExpired)
        #expect(report.lastPassage < .seconds(4))
        #expect((2...4).contains(report.passages))
        try await coturn.expectNoAllocations(of: 1)
      }
    }

    @Test(
      "A permission that outlives the time is seen, and so are relays that ask for none",
      arguments: ["--permission-lifetime=300", "--server-relay"])
    func remembered(argument: String) async throws {
      try await Coturn.with(["--permission-lifetime=1", argument]) { coturn in
        let report = try await ExpiryProbe(server: coturn.server(), after: .seconds(3)).run(deadline: .seconds(18))
        #expect(!report.isExpired)
        #expect(report.lastPassage >= .seconds(3))
      }
    }

    @Test("A server that is gone has forgotten no permission: nothing can be said")
    func gone() async throws {
      try await Coturn.with { coturn in
        let probe = ExpiryProbe(server: coturn.server(), after: .seconds(2))
        let failure = await #expect(throws: ProbeFailure.self) {
          try await probe.run(deadline: .seconds(15)) { _ in coturn.stop() }
        }
        #expect(failure?.code == .portUnreachable)
      }
    }

    @Test("Relay ports behind a firewall are named, at once")
    func firewalled() async throws {
      // Grants everything, relays nothing.
      try await ScriptedTURN.with { _, _, _ in
        nil
      } _: { server, turn in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await ExpiryProbe(server: server).run(deadline: .seconds(340))
        }
        #expect(failure?.code == .nothingRelayed)
        #expect(turn.signedRequests(.createPermission).count == 1)
      }
    }

    @Test("A deadline that ends before the permission is refused before anything is sent")
    func impossible() async throws {
      let server = ProbedServer(uri: .init(scheme: .turn, host: "192.0.2.1"))
      let failure = await #expect(throws: ProbeFailure.self) {
        try await ExpiryProbe(server: server).run(deadline: .seconds(315))
      }
      #expect(failure?.code == .deadlineTooShort)
      #expect(
        failure?.message == "Waiting for 310s, and looking before and after, takes 320s, and there are 315s.")
      #expect(failure?.advice.contains("Give it 323s or more") == true)
    }
  }
}
