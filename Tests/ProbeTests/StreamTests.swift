import Addresses
import NIOCore
import STUN
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("Streams")
  struct StreamTests {
    @Test("20. Answers over TCP may drip in byte by byte")
    func drip() async throws {
      try await ScriptedServer.with(over: .tcp) { bytes, _ in
        guard let request = try? Message(decoding: bytes), let address = TransportAddress("192.0.2.1:7") else {
          return []
        }
        return Reply.success(to: request, [XORMappedAddress(address)]).readableBytesView.map {
          .init(ByteBuffer(integer: $0))
        }
      } _: { server in
        let report = try await BindingProbe(server: Server(uri: server.uri)).run(deadline: .seconds(15))
        #expect(report.responses == 5)
        #expect(report.reflexiveAddress.description == "192.0.2.1:7")
      }
    }

    @Test("1. Over TCP nothing is sent again, and the deadline ends the wait")
    func silence() async throws {
      let seen = Recorder<ByteBuffer>()
      try await ScriptedServer.with(over: .tcp) { bytes, _ in
        seen.append(bytes)
        return []
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: Server(uri: server.uri)).run(deadline: .milliseconds(1200))
        }
        #expect(failure?.code == .stunTimeout)
        #expect(failure?.evidence("sends") == "1")
        #expect(seen.all.count == 1)
      }
    }

    struct Garbage: Sendable, CustomStringConvertible {
      let description: String
      let expected: ProbeFailure.Code
      let answer: @Sendable (Message) -> [ByteBuffer]
    }

    static let answers = [
      Garbage(description: "text", expected: .garbage) { _ in [ByteBuffer(string: "SSH-2.0-OpenSSH_9.2\r\n")] },
      Garbage(description: "HTTP, whose first letter could begin a channel", expected: .garbage) { _ in
        [ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n")]
      },
      Garbage(description: "a TLS alert", expected: .garbage) { _ in
        [ByteBuffer(bytes: [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28, 0x00])]
      },
      Garbage(description: "another cookie", expected: .garbage) { request in
        var bytes = Reply.success(to: request, [])
        bytes.setInteger(1 as UInt32, at: 4)
        return [bytes]
      },
      Garbage(description: "half a message", expected: .garbage) { request in
        var bytes = Reply.success(to: request, [Software("cut")])
        return [bytes.readSlice(length: 21) ?? bytes]
      },
      Garbage(description: "another transaction", expected: .wrongTransaction) { request in
        [Reply.success(to: request, [], id: .random())]
      },
    ]

    @Test("A stream of garbage is named within the deadline", arguments: answers)
    func named(garbage: Garbage) async throws {
      try await ScriptedServer.with(over: .tcp) { bytes, _ in
        guard let request = try? Message(decoding: bytes) else { return [] }
        return garbage.answer(request).map { .init($0) }
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: Server(uri: server.uri)).run(deadline: .milliseconds(800))
        }
        #expect(failure?.code == garbage.expected)
      }
    }
  }
}
