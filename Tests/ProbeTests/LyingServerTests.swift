import Addresses
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// What a hostile or broken server may send, over every transport: ignored or named, and over by the deadline.
  @Suite("Lying servers")
  struct LyingServerTests {
    /// What is answered to a Binding request, and what it is called, by transport.
    struct Lie: Sendable, CustomStringConvertible {
      let description: String
      /// Silence where a transport is missing.
      let codes: [Transport: ProbeFailure.Code]
      let answers: @Sendable (Message, Transport) -> [ScriptedSTUNServer.Answer]

      /// One answer, the same over every transport.
      init(
        _ description: String, _ code: ProbeFailure.Code, _ answer: @escaping @Sendable (Message) -> ByteBuffer
      ) {
        self.description = description
        codes = Dictionary(uniqueKeysWithValues: Transport.allCases.map { ($0, code) })
        answers = { request, _ in [.init(answer(request))] }
      }

      init(
        _ description: String, _ codes: [Transport: ProbeFailure.Code],
        _ answers: @escaping @Sendable (Message, Transport) -> [ScriptedSTUNServer.Answer]
      ) {
        self.description = description
        self.codes = codes
        self.answers = answers
      }

      func expected(_ transport: Transport) -> ProbeFailure.Code { codes[transport] ?? .stunTimeout }

      /// Silence is called by its name only if a connection, late on a busy machine, leaves time to wait for an answer.
      func deadline(_ transport: Transport) -> Duration {
        expected(transport) == .stunTimeout ? .seconds(10) : .seconds(1)
      }
    }

    /// A success with an address, in which bytes were changed.
    private static func success(to request: Message, changing: (inout ByteBuffer) -> Void) -> ByteBuffer {
      let address = TransportAddress(ip: .v4(0xC000_0201), port: 7)
      var bytes = ScriptedReply.success(to: request, [XORMappedAddress(address)])
      changing(&bytes)
      return bytes
    }

    /// Protocols that streams speak; as datagrams they are garbage like any other.
    private static let otherProtocol: [Transport: ProbeFailure.Code] = [
      .udp: .garbage, .dtls: .garbage, .tcp: .otherProtocol, .tls: .otherProtocol,
    ]

    static let lies = [
      Lie("truncated within an attribute", .garbage) { request in
        success(to: request) { $0.moveWriterIndex(to: $0.writerIndex - 3) }
      },
      Lie("truncated within the header", .garbage) { request in
        success(to: request) { $0.moveWriterIndex(to: 11) }
      },
      Lie("an attribute longer than the message", .garbage) { request in
        success(to: request) { $0.setInteger(0xFFF0 as UInt16, at: 22) }
      },
      Lie("a length that is no multiple of four", .garbage) { request in
        success(to: request) { $0.setInteger(13 as UInt16, at: 2) }
      },
      Lie("another magic cookie", .garbage) { request in
        success(to: request) { $0.setInteger(0x2112_A443 as UInt32, at: 4) }
      },
      Lie("another transaction id", .wrongTransaction) { request in
        success(to: request) { $0.setInteger(~request.transactionID.low, at: 12) }
      },
      Lie("another method", .wrongTransaction) { request in
        MessageWriter(MessageType(.allocate, .success), transactionID: request.transactionID).finish()
      },
      Lie("the request itself", .garbage) { $0.bytes },
      Lie("a wrong fingerprint", .badFingerprint) { request in
        var writer = MessageWriter(MessageType(.binding, .success), transactionID: request.transactionID)
        writer.appendFingerprint()
        var bytes = writer.finish()
        bytes.setInteger(0 as UInt32, at: 24)
        return bytes
      },
      Lie("no address at all", .malformedResponse) { ScriptedReply.success(to: $0, []) },
      Lie("an address of four bytes", .malformedResponse) { request in
        var bytes = ScriptedReply.success(to: request, [Lifetime(seconds: 1)])
        bytes.setInteger(AttributeType.xorMappedAddress.rawValue, at: 20)
        return bytes
      },
      Lie("0.0.0.0:0 for our address", .reflexiveAddressUnusable) { request in
        ScriptedReply.success(to: request, [XORMappedAddress(TransportAddress(ip: .v4(0), port: 0))])
      },
      Lie("a multicast group for our address", .reflexiveAddressUnusable) { request in
        ScriptedReply.success(to: request, [XORMappedAddress(TransportAddress(ip: .v4(0xE000_0001), port: 7))])
      },
      Lie("an error without a code", .unnumberedError) { request in
        MessageWriter(MessageType(.binding, .error), transactionID: request.transactionID).finish()
      },
      Lie("an error without a phrase", .stunRejected) { ScriptedReply.error(500, to: $0) },
      Lie("an empty datagram", [.udp: .garbage]) { _, transport in
        [.init(ByteBuffer(), isUnprotected: transport == .dtls)]
      },
      Lie("text", .garbage) { _ in ByteBuffer(string: "220 mail.example ESMTP\r\n") },
      Lie("text whose first letter could begin a channel", .garbage) { _ in
        ByteBuffer(string: "ERROR: who are you?\r\n")
      },
      Lie("SSH", otherProtocol) { _, _ in [.init(ByteBuffer(string: "SSH-2.0-OpenSSH_9.2\r\n"))] },
      Lie("HTTP", otherProtocol) { _, _ in [.init(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))] },
      Lie("a web page without a head", otherProtocol) { _, _ in
        [.init(ByteBuffer(string: "<html><head><title>400 Bad Request</title></head></html>\r\n"))]
      },
      Lie("a TLS alert", .garbage) { _ in ByteBuffer(bytes: [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28, 0x00]) },
      Lie(
        "64 KiB of it", [.udp: .garbage, .tcp: .unknownAttribute, .tls: .unknownAttribute]
      ) { request, transport in
        // Over streams a well-formed message of the largest size, of empty attributes that nobody knows; in datagrams as
        // much as one holds, which inside of DTLS is nothing that a record could say.
        var bytes = request.bytes
        bytes.moveWriterIndex(to: 20)
        bytes.setInteger(0x0101 as UInt16, at: 0)
        bytes.setInteger(0xFFFC as UInt16, at: 2)
        bytes.writeRepeatingByte(0, count: transport.isReliable ? 0xFFFC : 65_480)
        return [.init(bytes, isUnprotected: transport == .dtls)]
      },
      Lie("a kilobyte of noise that begins neither a message nor a channel", .garbage) { _ in
        var noise = SplitMix(state: 42)
        return ByteBuffer(bytes: [0x80] + (0..<1000).map { _ in UInt8.random(in: 0...255, using: &noise) })
      },
      Lie(
        "a stranger's success from another address, or past the encryption",
        [.tcp: .wrongTransaction, .tls: .tlsFailed]
      ) { request, transport in
        let fake = success(to: request) { _ in }
        switch transport {
        case .udp: return [.init(fake, fromElsewhere: true)]
        case .dtls: return [.init(fake, fromElsewhere: true), .init(fake, isUnprotected: true)]
        // Whoever is in the way of a stream cannot know our id before he has seen it; inside of TLS he never does.
        case .tcp: return [.init(ScriptedReply.success(to: request, [], id: .random()))]
        case .tls: return [.init(fake, isUnprotected: true)]
        }
      },
    ]

    @Test("is a failure with a name over every transport, and not later than the deadline", arguments: lies)
    func lying(lie: Lie) async throws {
      // Side by side, since most of them wait for their deadline.
      try await withThrowingTaskGroup { group in
        for transport in Transport.allCases {
          group.addTask {
            try await ScriptedSTUNServer.with(over: transport) { bytes, _ in
              (try? Message(decoding: bytes)).map { lie.answers($0, transport) } ?? []
            } _: { server in
              let deadline = lie.deadline(transport)
              let start = ContinuousClock.now
              let failure = await #expect(throws: ProbeFailure.self) {
                try await BindingProbe(server: server.server, requests: 1).run(deadline: deadline)
              }
              #expect(failure?.code == lie.expected(transport), "\(transport)")
              #expect(ContinuousClock.now - start < deadline + .seconds(3), "\(transport)")
            }
          }
        }
        try await group.waitForAll()
      }
    }

    /// Those that are not taken for an answer. What answers our own transaction wrongly ends it.
    static let noAnswers = lies.filter {
      ![.malformedResponse, .unnumberedError, .stunRejected, .reflexiveAddressUnusable].contains($0.expected(.udp))
    }

    @Test("does not hide the truth that follows in datagrams", arguments: noAnswers, [Transport.udp, .dtls])
    func truthBehindLies(lie: Lie, transport: Transport) async throws {
      try await ScriptedSTUNServer.with(over: transport) { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        return lie.answers(request, transport) + [.init(ScriptedReply.success(to: request, [XORMappedAddress(source)]))]
      } _: { server in
        let report = try await BindingProbe(server: server.server, requests: 2).run(deadline: .seconds(15))
        #expect(report.responses == 2)
        #expect(report.reflexiveAddress == report.localAddress)
      }
    }

    @Test("cannot make a stream wait for the rest of a message beyond the deadline", arguments: [Transport.tcp, .tls])
    func endlessDrip(transport: Transport) async throws {
      try await ScriptedSTUNServer.with(over: transport) { _, _ in
        // A message of 64 KiB is promised, and begun.
        return [.init(ByteBuffer(bytes: [0x01, 0x01, 0xFF, 0xFC, 0x21, 0x12, 0xA4, 0x42, 0, 0]))]
      } _: { server in
        let start = ContinuousClock.now
        let failure = await #expect(throws: ProbeFailure.self) {
          try await AllocateProbe(server: server.server).run(deadline: .milliseconds(700))
        }
        #expect(failure?.code == .garbage)
        #expect(ContinuousClock.now - start < .seconds(3))
      }
    }
  }
}
