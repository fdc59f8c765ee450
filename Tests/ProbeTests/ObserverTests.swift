import Addresses
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// An observer that does not tell what it sees is never one that sees what it should.
  @Suite("ExternalAddressProbe: observers")
  struct ObserverTests {
    private func failure(of server: ProbedServer, observer: ProbedServer) async throws -> ProbeFailure {
      try await explanation(of: server) { server throws(ProbeFailure) in
        _ = try await ExternalAddressProbe(server: server, observer: observer).run(deadline: .seconds(15))
      }
    }

    @Test("One that answers nobody is named, whether it is silent, closed or no STUN server")
    func silent() async throws {
      try await Coturn.with { coturn in
        let closed = ProbedServer(uri: ServerURI(scheme: .stun, host: "127.0.0.1", port: try freePort()))
        let unreachable = try await failure(of: coturn.server(), observer: closed)
        #expect(unreachable.code == .observerSilent)
        #expect(unreachable.evidence("observerAnswersUs") == "icmp.portUnreachable")
        for (answer, code) in [(nil, "stun.timeout"), (ByteBuffer(string: "hello"), "stun.garbage")] {
          try await ScriptedSTUNServer.with { _, _ in
            answer.map { [.init($0)] } ?? []
          } _: { observer in
            let failure = try await failure(of: coturn.server(), observer: ProbedServer(uri: observer.uri))
            #expect(failure.code == .observerSilent)
            #expect(failure.message.contains("observer \(observer.address)"))
            #expect(failure.message.contains("where packets leave the server is unknown"))
            #expect(failure.evidence("observerAnswersUs") == code)
          }
        }
      }
    }

    @Test("One that answers us, and not through the relay, is not called silent: nothing is relayed")
    func unreached() async throws {
      try await Coturn.with { observer in
        // Grants everything, relays nothing.
        try await ScriptedTURN.with { _, _, _ in
          nil
        } _: { server, _ in
          let failure = try await failure(of: server, observer: ProbedServer(uri: observer.uri(.stun)))
          #expect(failure.code == .nothingRelayed)
          #expect(failure.message.contains("observer 127.0.0.1:\(observer.port) answers us, and not through the relay"))
          #expect(failure.message.contains("where packets leave the server is unknown"))
        }
      }
    }

    @Test("One that there was no time to ask is not called silent")
    func noTime() async throws {
      try await Coturn.with { coturn in
        try await ScriptedSTUNServer.with { _, _ in
          []
        } _: { observer in
          let failure = await #expect(throws: ProbeFailure.self) {
            try await ExternalAddressProbe(server: coturn.server(), observer: ProbedServer(uri: observer.uri)).run(
              deadline: .milliseconds(900))
          }
          #expect(failure?.code == .outOfTime)
        }
      }
    }

    @Test("One that the server does not relay to is told as such")
    func forbidden() async throws {
      try await Coturn.with(["--denied-peer-ip=127.0.0.1"]) { coturn in
        let failure = try await failure(of: coturn.server(), observer: ProbedServer(uri: coturn.uri(.stun)))
        #expect(failure.code == .forbidden)
        #expect(
          failure.message.hasSuffix(
            "it does not relay to 127.0.0.1, the observer: where packets leave the server is unknown."))
      }
    }

    @Test("One that tells addresses as RFC 3489 did is understood")
    func oldObserver() async throws {
      try await Coturn.with { coturn in
        try await ScriptedSTUNServer.with { bytes, source in
          guard let request = try? Message(decoding: bytes) else { return [] }
          return [.init(ScriptedReply.success(to: request, [MappedAddress(source)]))]
        } _: { observer in
          let report = try await ExternalAddressProbe(
            server: coturn.server(), observer: ProbedServer(uri: observer.uri)
          ).run(deadline: .seconds(15))
          #expect(report.observedAddress == IPAddress("127.0.0.1"))
        }
      }
    }
  }
}
