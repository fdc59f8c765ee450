import Addresses
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("BindingProbe")
  struct BindingProbeTests {
    @Test("coturn tells the reflexive address, its name, and its round-trip times")
    func coturn() async throws {
      try await Coturn.with { coturn in
        let report = try await BindingProbe(server: Server(uri: coturn.uri(.stun)), requests: 7).run(
          deadline: .seconds(15))
        #expect(report.requests == 7)
        #expect(report.responses == 7)
        #expect(report.reflexiveAddress == report.localAddress)
        #expect(report.isReflexiveAddressStable)
        #expect(report.software?.contains("Coturn") == true)
        #expect(report.responseOrigin == TransportAddress("127.0.0.1:\(coturn.port)"))
        #expect(report.roundTrip.map { $0.min <= $0.p50 && $0.p50 <= $0.p95 && $0.p95 <= $0.max } == true)
      }
    }

    @Test("A port where nobody listens is named at once")
    func portUnreachable() async throws {
      let port = try FreePort.take()
      let start = ContinuousClock.now
      let failure = await #expect(throws: ProbeFailure.self) {
        try await BindingProbe(server: Server(uri: ServerURI(scheme: .stun, host: "127.0.0.1", port: port))).run(
          deadline: .seconds(20))
      }
      #expect(failure?.code == .portUnreachable)
      #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("A stopped process is silent: the deadline ends the wait, and says how long and how often was asked")
    func silence() async throws {
      try await Coturn.with { coturn in
        coturn.suspend()
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: Server(uri: coturn.uri(.stun))).run(deadline: .seconds(3))
        }
        #expect(failure?.code == .stunTimeout)
        #expect(failure?.evidence("sends") == "3")
        #expect(failure?.advice.contains("stopped") == true)
      }
    }

    struct Lie: Sendable, CustomStringConvertible {
      let description: String
      let expected: ProbeFailure.Code
      let answers: @Sendable (Message) -> [ScriptedServer.Answer]
    }

    static let lies: [Lie] = [
      Lie(description: "text", expected: .garbage) { _ in [.init(ByteBuffer(string: "HTTP/1.1 400 Bad Request"))] },
      Lie(description: "an empty datagram", expected: .garbage) { _ in [.init(ByteBuffer())] },
      Lie(description: "a truncated message", expected: .garbage) { request in
        var whole = Reply.success(to: request, [Software("x")])
        return [.init(whole.readSlice(length: 22) ?? whole)]
      },
      Lie(description: "another magic cookie", expected: .garbage) { request in
        var bytes = Reply.success(to: request, [])
        bytes.setInteger(0x2112_A443 as UInt32, at: 4)
        return [.init(bytes)]
      },
      Lie(description: "a datagram of nearly 64 KiB", expected: .garbage) { _ in
        [.init(ByteBuffer(repeating: 0, count: 65_000))]
      },
      Lie(description: "another transaction", expected: .wrongTransaction) { request in
        [.init(Reply.success(to: request, [Software("x")], id: .random()))]
      },
      Lie(description: "another method", expected: .wrongTransaction) { request in
        [
          .init(
            MessageWriter(MessageType(.allocate, .success), transactionID: request.transactionID).finish())
        ]
      },
      Lie(description: "a wrong fingerprint", expected: .badFingerprint) { request in
        var writer = MessageWriter(MessageType(.binding, .success), transactionID: request.transactionID)
        writer.appendFingerprint()
        var bytes = writer.finish()
        bytes.setInteger(0 as UInt32, at: 24)
        return [.init(bytes)]
      },
      Lie(description: "no address at all", expected: .malformedResponse) { request in
        [.init(Reply.success(to: request, []))]
      },
      Lie(description: "a short address", expected: .malformedResponse) { request in
        var writer = MessageWriter(MessageType(.binding, .success), transactionID: request.transactionID)
        writer.append(Lifetime(seconds: 1))
        var bytes = writer.finish()
        bytes.setInteger(AttributeType.xorMappedAddress.rawValue, at: 20)
        return [.init(bytes)]
      },
      Lie(description: "an error without a code", expected: .malformedResponse) { request in
        [.init(MessageWriter(MessageType(.binding, .error), transactionID: request.transactionID).finish())]
      },
      Lie(description: "an error without a phrase", expected: .stunRejected) { request in
        [.init(Reply.error(500, to: request))]
      },
    ]

    @Test("A server that answers wrongly is a failure with a name, within the deadline", arguments: lies)
    func lying(lie: Lie) async throws {
      try await ScriptedServer.with { bytes, _ in
        guard let request = try? Message(decoding: bytes) else { return [] }
        return lie.answers(request)
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: server.server, requests: 1).run(deadline: .milliseconds(700))
        }
        #expect(failure?.code == lie.expected)
        #expect(failure?.evidence("method") == "Binding")
      }
    }

    @Test("23. An unknown attribute that must be understood fails the transaction")
    func unknownAttribute() async throws {
      try await ScriptedServer.with { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        var writer = MessageWriter(MessageType(.binding, .success), transactionID: request.transactionID)
        writer.append(XORMappedAddress(source))
        writer.append(Lifetime(seconds: 1))
        var answer = writer.finish()
        answer.setInteger(0x7FFE as UInt16, at: 32)
        return [.init(answer)]
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: server.server, requests: 1).run(deadline: .seconds(15))
        }
        #expect(failure?.code == .unknownAttribute)
        #expect(failure?.evidence("attributes") == "0x7ffe")
      }
    }

    @Test("2. A stranger's success response is not taken for the server's: it waits for the true one")
    func stranger() async throws {
      try await ScriptedServer.with { bytes, source in
        guard let request = try? Message(decoding: bytes), let lie = TransportAddress("203.0.113.1:1") else {
          return []
        }
        return [
          .init(Reply.success(to: request, [XORMappedAddress(lie)]), fromElsewhere: true),
          .init(Reply.success(to: request, [XORMappedAddress(lie)], id: .random())),
          .init(Reply.success(to: request, [XORMappedAddress(source)])),
        ]
      } _: { server in
        let report = try await BindingProbe(server: server.server, requests: 3).run(deadline: .seconds(15))
        #expect(report.reflexiveAddress == report.localAddress)
        #expect(report.ignored.wrongTransaction >= 2)
      }
    }

    @Test("1. A lost request is sent again with the same bytes, and gives no round-trip time (Karn's rule)")
    func retransmission() async throws {
      let seen = Recorder<ByteBuffer>()
      try await ScriptedServer.with { bytes, source in
        seen.append(bytes)
        guard seen.all.count > 1, let request = try? Message(decoding: bytes) else { return [] }
        return [.init(Reply.success(to: request, [XORMappedAddress(source)]))]
      } _: { server in
        let report = try await BindingProbe(server: server.server, requests: 1).run(deadline: .seconds(15))
        #expect(report.retransmissions == 1)
        #expect(report.roundTrip == nil)
        #expect(seen.all.count == 2)
        #expect(seen.all.first == seen.all.last)
      }
    }
  }
}
