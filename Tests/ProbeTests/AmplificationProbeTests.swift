import Addresses
import NIOCore
import STUN
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("AmplificationProbe")
  struct AmplificationProbeTests {
    @Test("All answers to a request count, over every transport", arguments: Transport.allCases)
    func everyAnswer(transport: Transport) async throws {
      let sizes = Recorder<Int>()
      try await ScriptedSTUNServer.with(over: transport) { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        let answer =
          request.type.method == .binding
          ? ScriptedReply.success(to: request, [XORMappedAddress(source)]) : ScriptedReply.challenge(to: request)
        let other = ScriptedReply.success(to: request, [Software(String(repeating: "x", count: 500))], id: .random())
        let answers = [answer, answer, other, answer]
        sizes.append(answers.map(\.readableBytes).reduce(0, +))
        return answers.map { .init($0) }
      } _: { server in
        let report = try await AmplificationProbe(server: server.server).run(deadline: .seconds(15))
        #expect(report.exchanges.map(\.requestBytes) == [20, 28])
        #expect(report.exchanges.map(\.responses) == [4, 4])
        #expect(report.exchanges.map(\.responseBytes) == sizes.all)
        #expect(report.factor == report.exchanges.map { Double($0.responseBytes) / Double($0.requestBytes) }.max())
      }
    }

    @Test("What is no answer at all counts as well", arguments: [Transport.udp, .dtls])
    func garbage(transport: Transport) async throws {
      try await ScriptedSTUNServer.with(over: transport) { bytes, _ in
        guard let request = try? Message(decoding: bytes) else { return [] }
        let garbage = ByteBuffer(repeating: 0xEE, count: 1000)
        return [.init(garbage), .init(ScriptedReply.challenge(to: request)), .init(garbage)]
      } _: { server in
        let report = try await AmplificationProbe(server: server.server).run(deadline: .seconds(15))
        #expect(report.exchanges.map(\.responses) == [3, 3])
        #expect(report.exchanges.allSatisfy { $0.responseBytes > 2000 })
      }
    }

    @Test("A request that gets lost is followed by another, and the answers of one count")
    func loss() async throws {
      let requests = Recorder<TransactionID>()
      try await ScriptedSTUNServer.with { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        requests.append(request.transactionID)
        guard requests.all.count > 1 else { return [] }
        return [.init(ScriptedReply.success(to: request, [XORMappedAddress(source)]))]
      } _: { server in
        let report = try await AmplificationProbe(server: server.server).run(deadline: .seconds(15))
        #expect(report.exchanges.map(\.responses) == [1, 1])
        #expect(report.exchanges.map(\.requestBytes) == [20, 28])
        #expect(Set(requests.all.prefix(3)).count == 3)
      }
    }

    @Test("An allocation whose grant got lost is deleted, though the next request for one is refused")
    func lostGrant() async throws {
      let deletions = Recorder<TransactionID>()
      let allocates = Recorder<TransactionID>()
      try await ScriptedSTUNServer.with { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        switch request.type.method {
        case .allocate:
          allocates.append(request.transactionID)
          return allocates.all.count > 1 ? [.init(ScriptedReply.error(437, to: request))] : []
        case .refresh:
          deletions.append(request.transactionID)
          return []
        default: return [.init(ScriptedReply.success(to: request, [XORMappedAddress(source)]))]
        }
      } _: { server in
        let report = try await AmplificationProbe(server: server.server).run(deadline: .seconds(15))
        #expect(report.exchanges.count == 2)
        let end = ContinuousClock.now + .seconds(5)
        while deletions.all.isEmpty, ContinuousClock.now < end { await Task.yield() }
        #expect(deletions.all.count == 1)
      }
    }

    @Test("What came in place of an answer counts, though a later request is answered")
    func garbageBeforeAnswer() async throws {
      let requests = Recorder<TransactionID>()
      try await ScriptedSTUNServer.with { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        requests.append(request.transactionID)
        guard requests.all.count > 1 else { return [.init(ByteBuffer(repeating: 0xEE, count: 1000))] }
        return [.init(ScriptedReply.success(to: request, [XORMappedAddress(source)]))]
      } _: { server in
        let report = try await AmplificationProbe(server: server.server).run(deadline: .seconds(15))
        #expect(report.exchanges.map(\.responses) == [2, 1])
        #expect(report.factor > 50)
      }
    }

    @Test("Silence and garbage alone are failures with a name, by the deadline")
    func noAnswer() async throws {
      for (answer, code) in [(nil, ProbeFailure.Code.stunTimeout), (ByteBuffer(string: "nonsense"), .garbage)] {
        try await ScriptedSTUNServer.with { _, _ in
          answer.map { [.init($0)] } ?? []
        } _: { server in
          let start = ContinuousClock.now
          let failure = await #expect(throws: ProbeFailure.self) {
            try await AmplificationProbe(server: server.server).run(deadline: .milliseconds(700))
          }
          #expect(failure?.code == code)
          #expect(ContinuousClock.now - start < .seconds(3))
        }
      }
    }
  }
}
