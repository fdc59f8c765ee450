import Addresses
import FoundationEssentials
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Ctrl-C: whatever a probe is waiting for, it ends at once, says nothing that it has not seen, and leaves nothing.
  @Suite("Cancellation")
  struct CancellationTests {
    struct Subject: Sendable, CustomStringConvertible {
      let description: String
      /// Whether what it reports is true of the server that it is run against.
      let run: @Sendable (ProbedServer) async throws(ProbeFailure) -> Bool
    }

    static let subjects = [
      Subject(description: "allocate") { server throws(ProbeFailure) in
        try await AllocateProbe(server: server).run(deadline: .seconds(15)).lifetime == .seconds(600)
      },
      Subject(description: "relay") { server throws(ProbeFailure) in
        var probe = RelayProbe(server: server)
        (probe.packets, probe.rate) = (20, 1000)
        return try await probe.run(deadline: .seconds(15)).received == 20
      },
      Subject(description: "open relay") { server throws(ProbeFailure) in
        try await OpenRelayProbe(server: server).run(deadline: .seconds(15)).entries.contains {
          $0.kind == .loopback && $0.isDelivered == true
        }
      },
      Subject(description: "capacity") { server throws(ProbeFailure) in
        try await CapacityProbe(server: server, allocations: 5).run(deadline: .seconds(15)).granted == 5
      },
      Subject(description: "ports") { server throws(ProbeFailure) in
        try await PortsProbe(server: server, allocations: 3).run(deadline: .seconds(15)).unreachable == []
      },
      Subject(description: "drain") { server throws(ProbeFailure) in
        try await !DrainProbe(server: server).run(deadline: .seconds(15)).isDraining
      },
      Subject(description: "credentials") { server throws(ProbeFailure) in
        try await CredentialsProbe(server: server).run(deadline: .seconds(15)).violations == []
      },
      Subject(description: "external address") { server throws(ProbeFailure) in
        try await ExternalAddressProbe(server: server, observer: server).run(deadline: .seconds(15)).observedAddress
          != nil
      },
      Subject(description: "pool") { server throws(ProbeFailure) in
        let report = try await PoolProbe(servers: [server, server]).run(deadline: .seconds(15))
        return report.members.allSatisfy { member in
          if case .failure(let failure) = member.result { failure.code == .cancelled } else { true }
        }
      },
    ]

    @Test(
      "leaves no allocation behind, whenever it comes, and no probe tells what it has not seen", arguments: subjects)
    func anyMoment(subject: Subject) async throws {
      try await Coturn.with { coturn in
        // From before the first datagram until behind the last.
        for milliseconds in [0, 1, 2, 5, 13, 34, 89] {
          for transport in ServerURI.URITransport.allCases {
            let task = Task { () async -> Result<Bool, ProbeFailure> in
              do throws(ProbeFailure) {
                return .success(try await subject.run(coturn.server(.turn, transport)))
              } catch {
                return .failure(error)
              }
            }
            try await Task.sleep(for: .milliseconds(milliseconds))
            let start = ContinuousClock.now
            task.cancel()
            switch await task.value {
            case .success(let isTrue): #expect(isTrue, "after \(milliseconds) ms over \(transport)")
            case .failure(let failure): #expect(failure.code == .cancelled, "\(failure)")
            }
            #expect(ContinuousClock.now - start < .seconds(3))
          }
        }
        try await coturn.expectNoAllocationsLeft()
      }
    }

    struct Wait: Sendable, CustomStringConvertible {
      let description: String
      /// How many permissions are asked for before the wait begins.
      let permissions: Int
      let run: @Sendable (ProbedServer) async throws(ProbeFailure) -> Void
    }

    static let waits = [
      Wait(description: "ports", permissions: 1) { server throws(ProbeFailure) in
        _ = try await PortsProbe(server: server, allocations: 1).run(deadline: .seconds(30))
      },
      // Each kind of peer once, and the relayed address for either family.
      Wait(description: "open relay", permissions: OpenRelayProbe.PeerKind.allCases.count + 1) {
        server throws(ProbeFailure) in
        _ = try await OpenRelayProbe(server: server).run(deadline: .seconds(30))
      },
      Wait(description: "expiry of a permission", permissions: 1) { server throws(ProbeFailure) in
        _ = try await ExpiryProbe(server: server, after: .seconds(10)).run(deadline: .seconds(30))
      },
      Wait(description: "expiry of a channel", permissions: 1) { server throws(ProbeFailure) in
        _ = try await ExpiryProbe(server: server, subject: .channel, after: .seconds(10)).run(deadline: .seconds(30))
      },
    ]

    @Test("ends a wait for datagrams that do not come: they are not called lost", arguments: waits)
    func waiting(wait: Wait) async throws {
      // It grants everything and relays nothing.
      try await ScriptedTURN.with { _, _, _ in
        nil
      } _: { server, turn in
        let task = Task { () async throws -> Void in try await wait.run(server) }
        try await turn.waitUntil { $0.signedRequests(.createPermission).count == wait.permissions }
        // Until the probe listens.
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        let failure = await #expect(throws: ProbeFailure.self) { try await task.value }
        #expect(failure?.code == .cancelled)
      }
    }

    @Test(
      "ends a TCP connection that does not come about, and a handshake that nobody answers", arguments: [false, true])
    func opening(isSecure: Bool) async throws {
      try await FullListener.with { port in
        let server = ProbedServer(
          uri: ServerURI(scheme: isSecure ? .turns : .turn, host: "127.0.0.1", port: port, transport: .tcp))
        try await expectPromptEnd(of: server)
      }
      try await Coturn.with { coturn in
        coturn.suspend()
        for transport in ServerURI.URITransport.allCases {
          var server = coturn.server(.turn, transport)
          if isSecure { server.uri.scheme = .turns }
          try await expectPromptEnd(of: server)
        }
      }
    }

    private func expectPromptEnd(of server: ProbedServer) async throws {
      let task = Task { () async -> ProbeFailure? in
        do throws(ProbeFailure) {
          _ = try await AllocateProbe(server: server).run(deadline: .seconds(30))
          return nil
        } catch {
          return error
        }
      }
      try await Task.sleep(for: .milliseconds(100))
      let start = ContinuousClock.now
      task.cancel()
      let failure = await task.value
      #expect(failure?.code == .cancelled)
      // Whoever stopped it needs no advice.
      #expect(failure?.advice == "")
      #expect(ContinuousClock.now - start < .seconds(3))
    }

    @Test("and failure leave no descriptor open, over any transport")
    func descriptors() async throws {
      for transport in Transport.allCases {
        try await ScriptedTURN.with(over: transport) { request, _, count in
          count % 2 == 0 ? [ScriptedReply.error(486, to: request, key: ScriptedTURN.key)] : []
        } _: { server, _ in
          func probe(_ count: Int) async {
            await withTaskGroup { group in
              for _ in 0..<count {
                group.addTask { _ = try? await AllocateProbe(server: server).run(deadline: .milliseconds(300)) }
              }
              try? await Task.sleep(for: .milliseconds(50))
              group.cancelAll()
            }
          }
          await probe(4)
          let before = try Self.openDescriptors()
          await probe(40)
          // The server's side of a connection ends a moment later.
          let end = ContinuousClock.now + .seconds(5)
          while try Self.openDescriptors() > before, .now < end { await Task.yield() }
          let after = try Self.openDescriptors()
          #expect(after <= before, "\(transport)")
        }
      }
    }

    private static func openDescriptors() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
  }
}
