import Addresses
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("AllocateProbe")
  struct AllocateProbeTests {
    @Test("coturn gives an allocation, and it is gone afterwards")
    func coturn() async throws {
      try await Coturn.with { coturn in
        let report = try await AllocateProbe(server: coturn.server()).run(deadline: .seconds(15))
        #expect(report.relayedAddress.ip == IPAddress("127.0.0.1"))
        #expect(report.reflexiveAddress?.ip == IPAddress("127.0.0.1"))
        #expect(report.lifetime == .seconds(600))
        #expect(report.realm == Coturn.realm)
        #expect(report.software?.contains("Coturn") == true)
        #expect(report.effort.challenges == 1)
        #expect(report.effort.transactions == 2)
        #expect(report.deletion.isConfirmed)
        try await coturn.expectNoAllocations(of: 1)
      }
    }

    @Test("A wrong password or user is refused after one valid retry, and says what to look at")
    func wrongPassword() async throws {
      try await Coturn.with { coturn in
        for server in [coturn.server(password: "wrong"), coturn.server(username: "nobody")] {
          let failure = await #expect(throws: ProbeFailure.self) {
            try await AllocateProbe(server: server).run(deadline: .seconds(15))
          }
          #expect(failure?.code == .unauthorized)
          #expect(failure?.advice.contains("password") == true)
          #expect(failure?.evidence("realm") == Coturn.realm)
          #expect(failure.map { !"\($0)\($0.evidence)".contains("wrong") } == true)
        }
      }
    }

    @Test("Without credentials the challenge itself is the failure")
    func noCredentials() async throws {
      try await Coturn.with { coturn in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await AllocateProbe(server: ProbedServer(uri: coturn.uri())).run(deadline: .seconds(15))
        }
        #expect(failure?.code == .credentialsMissing)
      }
    }

    @Test("Credentials made from the shared secret work; a wrong secret and an expired user are refused")
    func restCredentials() async throws {
      try await Coturn.with(authentication: .sharedSecret) { coturn in
        func server(_ secret: String, lifetime: Duration) -> ProbedServer {
          ProbedServer(
            uri: coturn.uri(),
            credentials: .sharedSecret(secret, user: "probe", lifetime: lifetime, order: .expiryFirst))
        }
        _ = try await AllocateProbe(server: server(Coturn.secret, lifetime: .seconds(600))).run(deadline: .seconds(15))
        for refused in [server("another", lifetime: .seconds(600)), server(Coturn.secret, lifetime: .seconds(-60))] {
          let failure = await #expect(throws: ProbeFailure.self) {
            try await AllocateProbe(server: refused).run(deadline: .seconds(15))
          }
          #expect(failure?.code == .unauthorized)
        }
      }
    }

    @Test("8. A stale nonce is followed by a new attempt with the new nonce")
    func staleNonce() async throws {
      try await Coturn.with(["--stale-nonce=1"]) { coturn in
        let request = AllocationRequest(server: coturn.server())
        let (refreshes, deletion) = try await Allocation.withAllocation(request, by: .now + .seconds(20)) {
          allocation throws(ProbeFailure) in
          // Until the server calls the nonce stale.
          var staleNonces = 0
          while staleNonces == 0, !Task.isCancelled {
            let response = try await allocation.perform(.refresh(lifetimeSeconds: 600), by: .now + .seconds(15))
            staleNonces += response.effort.staleNonces
          }
          return staleNonces
        }
        #expect(refreshes == 1)
        #expect(deletion.isConfirmed)
      }
    }

    @Test("An even port comes with a token, and the token brings the next port")
    func evenPort() async throws {
      try await Coturn.with { coturn in
        var request = AllocationRequest(server: coturn.server())
        request.options.evenPort = EvenPort(reservesNextPort: true)
        let (ports, _) = try await Allocation.withAllocation(request, by: .now + .seconds(15)) {
          first throws(ProbeFailure) in
          var next = AllocationRequest(server: coturn.server())
          next.options.reservationToken = await first.state.reservationToken
          let (port, _) = try await Allocation.withAllocation(next, by: .now + .seconds(10)) {
            $0.relayedAddress.port
          }
          return [first.relayedAddress.port, port]
        }
        #expect(ports[0] % 2 == 0)
        #expect(ports[1] == ports[0] + 1)
      }
    }

    @Test("A dual allocation gives both families, or says why one is missing; coturn 4.6.1 ignores the wish")
    func dual() async throws {
      var options = AllocateOptions()
      options.isDual = true
      let relayed = ["192.0.2.1:50000", "[2001:db8::1]:50000"].compactMap { TransportAddress($0) }
      try await ScriptedTURN.with { request, source, count in
        guard request.type.method == .allocate, request.span(of: .additionalAddressFamily) != nil else { return nil }
        let answer: [any Attribute] =
          count == 0
          ? relayed.map { XORRelayedAddress($0) }
          : [XORRelayedAddress(relayed[0]), AddressErrorCode(family: .ipv6, error: ErrorCode(440))]
        return [ScriptedReply.success(to: request, answer + [Lifetime(seconds: 600)], key: ScriptedTURN.key)]
      } _: { server, _ in
        let both = try await AllocateProbe(server: server, options: options).run(deadline: .seconds(15))
        #expect(both.relayedAddresses == relayed)
        #expect(both.refusedFamily == nil)
        let one = try await AllocateProbe(server: server, options: options).run(deadline: .seconds(15))
        #expect(one.relayedAddresses == [relayed[0]])
        #expect(one.refusedFamily == AddressErrorCode(family: .ipv6, error: ErrorCode(440)))
      }
      try await Coturn.with(["--relay-ip", "::1"]) { coturn in
        let report = try await AllocateProbe(server: coturn.server(), options: options).run(deadline: .seconds(15))
        #expect(report.relayedAddresses.map(\.ip.family) == [.ipv4])
      }
    }

    @Test("14. A reached quota is named")
    func quota() async throws {
      try await Coturn.with(["--user-quota", "1"]) { coturn in
        let request = AllocationRequest(server: coturn.server())
        let (failure, _) = try await Allocation.withAllocation(request, by: .now + .seconds(10)) {
          _ throws(ProbeFailure) in
          await #expect(throws: ProbeFailure.self) {
            try await AllocateProbe(server: coturn.server()).run(deadline: .seconds(15))
          }
        }
        #expect(failure?.code == .quotaReached)
        #expect(failure?.advice.contains("Wait a minute") == true)
      }
    }

    @Test("A server that falls silent after its challenge is named as such")
    func silenceAfterChallenge() async throws {
      try await ScriptedSTUNServer.with { bytes, _ in
        guard let request = try? Message(decoding: bytes), request.span(of: .messageIntegrity) == nil else { return [] }
        return [.init(ScriptedReply.challenge(to: request))]
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await AllocateProbe(server: server.server).run(deadline: .milliseconds(700))
        }
        #expect(failure?.code == .turnTimeout)
        #expect(failure?.message.contains("challenged") == true)
      }
    }
  }
}
