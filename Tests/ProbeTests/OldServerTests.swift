import Addresses
import NIOCore
import STUN
import Synchronization
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Servers of RFC 3489, which may drop requests with attributes that they do not know.
  @Suite("Servers of RFC 3489")
  struct OldServerTests {
    @Test("stund, which answers only requests without attributes, is measured all the same, and told")
    func stund() async throws {
      try await Stund.with { stund in
        let server = ProbedServer(uri: ServerURI(scheme: .stun, host: "127.0.0.1", port: stund.port))
        let report = try await BindingProbe(server: server, requests: 3).run(deadline: .seconds(8))
        #expect(report.needsBareRequests)
        #expect(report.responses == 3)
        #expect(report.reflexiveAddress == report.localAddress)
        #expect(report.rtt != nil)
        #expect(report.software == "Vovida.org 0.97")
        #expect(report.responseOrigin == TransportAddress("127.0.0.1:\(stund.port)"))
        #expect(report.otherAddress?.ip == IPAddress("127.0.0.2"))
        let behaviour = try await BehaviourProbe(server: server).run(deadline: .seconds(10))
        #expect(behaviour.mapping == .endpointIndependent)
        #expect(behaviour.filtering == .endpointIndependent)
        #expect(behaviour.objection == nil)
      }
    }

    /// Answers datagrams of these numbers, from 0, otherwise than the others.
    private static func script(
      _ exceptions: Range<Int>, _ exception: @escaping @Sendable () -> [ScriptedSTUNServer.Answer]
    ) -> ScriptedSTUNServer.Script {
      let count = Mutex(0)
      return { bytes, source in
        let number = count.withLock { count in
          count += 1
          return count - 1
        }
        guard let request = try? Message(decoding: bytes) else { return [] }
        return exceptions.contains(number)
          ? exception() : [.init(ScriptedReply.success(to: request, [XORMappedAddress(source)]))]
      }
    }

    @Test("A path that loses the first datagrams makes no old server of a new one")
    func loss() async throws {
      try await ScriptedSTUNServer.with(Self.script(0..<3) { [] }) { server in
        let report = try await BindingProbe(server: server.server, requests: 2).run(deadline: .seconds(6))
        #expect(!report.needsBareRequests)
        #expect(report.responses == 2)
      }
    }

    @Test("A server that answers with garbage first is asked on in the same way")
    func garbage() async throws {
      let garbage: @Sendable () -> [ScriptedSTUNServer.Answer] = { [.init(ByteBuffer(string: "no STUN"))] }
      try await ScriptedSTUNServer.with(Self.script(0..<3, garbage)) { server in
        let report = try await BindingProbe(server: server.server, requests: 1).run(deadline: .seconds(6))
        #expect(!report.needsBareRequests)
      }
    }

    @Test("Silence to both kinds of requests is one silence, of all the time and every send")
    func silence() async throws {
      try await ScriptedSTUNServer.with { _, _ in
        []
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: server.server, requests: 1).run(deadline: .seconds(4))
        }
        #expect(failure?.code == .stunTimeout)
        // Three sends in two seconds, for each kind.
        #expect(failure?.evidence("sends") == "6")
        #expect(failure?.evidence("waited")?.contains(/^(3.9|4)/) == true)
      }
    }

    @Test("One socket that is seen at several addresses is no stable one")
    func unstable() async throws {
      let port = Mutex<UInt16>(1000)
      try await ScriptedSTUNServer.with { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        let seen = port.withLock { port in
          port = port == 1000 ? 1001 : 1000
          return TransportAddress(ip: source.ip, port: port)
        }
        return [.init(ScriptedReply.success(to: request, [XORMappedAddress(seen)]))]
      } _: { server in
        let report = try await BindingProbe(server: server.server, requests: 4).run(deadline: .seconds(10))
        #expect(report.reflexiveAddresses.map(\.port) == [1001, 1000])
        #expect(!report.isReflexiveAddressStable)
      }
    }
  }
}
