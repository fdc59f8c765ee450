import Addresses
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Lines 1, 2, 20, 21 and 23 of the list of corner cases that naive clients get wrong: one request and its answer.
  @Suite("Checklist: transactions")
  struct ChecklistTransactionTests {
    private struct Arrival: Sendable {
      let bytes: ByteBuffer
      let time = ContinuousClock.now
    }

    @Test(
      "1. Over UDP and DTLS a request goes out at 0, 500 and 1500 ms with the same bytes, up to the declared deadline",
      arguments: [Transport.udp, .dtls])
    func retransmissions(transport: Transport) async throws {
      let seen = Recorder<Arrival>()
      try await ScriptedSTUNServer.with(over: transport) { bytes, _ in
        seen.append(Arrival(bytes: bytes))
        return []
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: server.server).run(deadline: .seconds(2))
        }
        #expect(failure?.code == .stunTimeout)
        #expect(failure?.evidence("sends") == "3")
        #expect(failure?.advice.contains("stopped") == true)
        // The handshake takes its part of the two seconds.
        let waited = try #require(failure?.evidence("waited"))
        #expect(waited.hasPrefix("1.") || (waited.hasPrefix("2") && transport == .udp))
        #expect(Set(seen.all.map(\.bytes)).count == 1)
        let gaps = zip(seen.all.dropFirst(), seen.all).map { $0.time - $1.time }
        #expect(gaps.count == 2)
        #expect(gaps.first.map { $0 > .milliseconds(400) && $0 < .milliseconds(900) } == true)
        #expect(gaps.last.map { $0 > .milliseconds(900) && $0 < .milliseconds(1400) } == true)
      }
    }

    @Test(
      "1. Over TCP and TLS nothing is sent again, and the deadline ends the wait", arguments: [Transport.tcp, .tls])
    func reliable(transport: Transport) async throws {
      let seen = Recorder<ByteBuffer>()
      try await ScriptedSTUNServer.with(over: transport) { bytes, _ in
        seen.append(bytes)
        return []
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: server.server).run(deadline: .milliseconds(1200))
        }
        #expect(failure?.code == .stunTimeout)
        #expect(failure?.evidence("sends") == "1")
        #expect(seen.all.count == 1)
      }
    }

    @Test("1. A lost request is sent again with the same bytes, and gives no round-trip time (Karn's rule)")
    func karn() async throws {
      let seen = Recorder<ByteBuffer>()
      try await ScriptedSTUNServer.with { bytes, source in
        seen.append(bytes)
        guard seen.all.count > 1, let request = try? Message(decoding: bytes) else { return [] }
        return [.init(ScriptedReply.success(to: request, [XORMappedAddress(source)]))]
      } _: { server in
        let report = try await BindingProbe(server: server.server, requests: 1).run(deadline: .seconds(15))
        #expect(report.retransmissions == 1)
        #expect(report.rtt == nil)
        #expect(seen.all.count == 2)
        #expect(seen.all.first == seen.all.last)
      }
    }

    @Test("1. A hard ICMP error ends the wait at once, long before the deadline")
    func portUnreachable() async throws {
      let port = try freePort()
      let start = ContinuousClock.now
      let failure = await #expect(throws: ProbeFailure.self) {
        try await BindingProbe(server: ProbedServer(uri: ServerURI(scheme: .stun, host: "127.0.0.1", port: port))).run(
          deadline: .seconds(20))
      }
      #expect(failure?.code == .portUnreachable)
      #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("2. A stranger's success response is not taken for the server's: it waits for the true one")
    func stranger() async throws {
      try await ScriptedSTUNServer.with { bytes, source in
        guard let request = try? Message(decoding: bytes), let lie = TransportAddress("203.0.113.1:1") else {
          return []
        }
        return [
          .init(ScriptedReply.success(to: request, [XORMappedAddress(lie)]), fromElsewhere: true),
          .init(ScriptedReply.success(to: request, [XORMappedAddress(lie)], id: .random())),
          .init(ScriptedReply.success(to: request, [XORMappedAddress(source)])),
        ]
      } _: { server in
        let report = try await BindingProbe(server: server.server, requests: 3).run(deadline: .seconds(15))
        #expect(report.reflexiveAddress == report.localAddress)
        #expect(report.ignored.wrongTransaction >= 2)
      }
    }

    @Test(
      "2. After 401 and after 438 the request has a new transaction id, over every transport",
      arguments: Transport.allCases)
    func newIDs(transport: Transport) async throws {
      try await ScriptedTURN.with(over: transport) { request, _, count in
        guard request.type.method == .allocate, count == 0 else { return nil }
        return [ScriptedReply.error(438, to: request, [Realm("r.example"), Nonce(Array("n-2".utf8))])]
      } _: { server, turn in
        let report = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(report.effort.transactions == 3)
        #expect(report.effort.challenges == 1)
        #expect(report.effort.staleNonces == 1)
        let ids = turn.requests.all.filter { $0.type.method == .allocate }.map(\.transactionID)
        #expect(Set(ids).count == 3)
      }
    }

    @Test("20. Answers over TCP and TLS may drip in byte by byte", arguments: [Transport.tcp, .tls])
    func drip(transport: Transport) async throws {
      try await ScriptedSTUNServer.with(over: transport) { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        return ScriptedReply.success(to: request, [XORMappedAddress(source)]).readableBytesView.map {
          .init(ByteBuffer(integer: $0))
        }
      } _: { server in
        let report = try await BindingProbe(server: server.server).run(deadline: .seconds(15))
        #expect(report.responses == 5)
        #expect(report.reflexiveAddress == report.localAddress)
      }
    }

    @Test("20. Several messages may come in one piece, the last of them in two", arguments: [Transport.tcp, .tls])
    func coalesced(transport: Transport) async throws {
      let rest = Recorder<ByteBuffer>()
      try await ScriptedSTUNServer.with(over: transport) { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        // A late answer to nobody, the true answer, and the beginning of a third that follows with the next answer.
        var piece = rest.all.last ?? ByteBuffer()
        piece.writeImmutableBuffer(ScriptedReply.success(to: request, [XORMappedAddress(source)]))
        var third = ScriptedReply.success(to: request, [Software("a third message")], id: .random())
        if let head = third.readSlice(length: 13) { piece.writeImmutableBuffer(head) }
        rest.append(third)
        return [.init(piece)]
      } _: { server in
        let report = try await BindingProbe(server: server.server, requests: 4).run(deadline: .seconds(15))
        #expect(report.responses == 4)
        #expect(report.ignored.wrongTransaction == 3)
        #expect(report.ignored.total == 3)
      }
    }

    @Test("21. An address of IPv6 is unmasked with cookie and transaction id")
    func masked() async throws {
      let seen = Recorder<TransportAddress>()
      try await ScriptedSTUNServer.with(host: "::1") { bytes, source in
        seen.append(source)
        // By hand: type 0x0101, and XOR-MAPPED-ADDRESS masked with bytes 4 to 19 of the header.
        let header = Array(bytes.readableBytesView.prefix(20))
        let port = [UInt8(source.port >> 8) ^ 0x21, UInt8(source.port & 0xFF) ^ 0x12]
        let address = zip(source.ip.octets, header[4...]).map { $0 ^ $1 }
        let attribute: [UInt8] = [0x00, 0x20, 0, 20, 0, 0x02] + port + address
        return [.init(ByteBuffer(bytes: [0x01, 0x01, 0, UInt8(attribute.count)] + header[4...] + attribute))]
      } _: { server in
        let report = try await BindingProbe(server: server.server, requests: 2).run(deadline: .seconds(15))
        #expect(report.reflexiveAddress == seen.all.first)
        #expect(report.reflexiveAddress.ip == IPAddress("::1"))
        #expect(report.localAddress == seen.all.first)
      }
    }

    @Test("21. A server reached by an IPv4-mapped address is the same server, and our address the same address")
    func mapped() async throws {
      try await Coturn.with { coturn in
        var server = coturn.server()
        server.uri.host = "::ffff:127.0.0.1"
        let binding = try await BindingProbe(server: server).run(deadline: .seconds(15))
        #expect(binding.responses == 5)
        #expect(binding.ignored.wrongSource == 0)
        #expect(binding.reflexiveAddress == binding.localAddress)
        let allocation = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(allocation.deletion.isConfirmed)
      }
    }

    @Test("23. An unknown attribute that must be understood fails the transaction", arguments: Transport.allCases)
    func unknownAttribute(transport: Transport) async throws {
      try await ScriptedSTUNServer.with(over: transport) { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        return [.init(Self.withUnknownAttribute(ScriptedReply.success(to: request, [XORMappedAddress(source)])))]
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: server.server, requests: 1).run(deadline: .seconds(15))
        }
        #expect(failure?.code == .unknownAttribute)
        #expect(failure?.evidence("attributes") == "0x7ffe")
      }
    }

    @Test("23. An allocation whose response is not understood is deleted all the same")
    func unknownAttributeInGrant() async throws {
      let key = WireMessage.longTermKey("MD5", username: "u", realm: "r.example", password: "p")
      try await ScriptedTURN.with { request, source, _ in
        guard request.type.method == .allocate else { return nil }
        var answer = WireMessage(
          Self.withUnknownAttribute(
            ScriptedReply.success(to: request, [XORRelayedAddress(source), Lifetime(seconds: 600)])))
        answer.sign(.messageIntegrity, key: key, byteCount: 20)
        return [answer.buffer]
      } _: { server, turn in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await AllocateProbe(server: server).run(deadline: .seconds(15))
        }
        #expect(failure?.code == .unknownAttribute)
        try await turn.waitUntil { $0.signedRequests(.refresh).count == 1 }
        #expect(try turn.signedRequests(.refresh).last?.attribute(Lifetime.self)?.seconds == 0)
      }
    }

    /// The message with attribute 0x7FFE at its end, empty.
    private static func withUnknownAttribute(_ message: ByteBuffer) -> ByteBuffer {
      var bytes = message
      bytes.writeMultipleIntegers(0x7FFE as UInt16, 0 as UInt16)
      bytes.setInteger(UInt16(bytes.readableBytes - 20), at: bytes.readerIndex + 2)
      return bytes
    }
  }
}
