import Addresses
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Lines 17, 18, 19 and 22 of the list of corner cases that naive clients get wrong: permissions, channels and data.
  @Suite("Checklist: data")
  struct ChecklistDataTests {
    private let peer = TransportAddress(ip: .v4(0xC000_0209), port: 9)

    @Test("17. A permission is for an address: any of its ports is reached, and heard")
    func anyPort() async throws {
      try await Coturn.with { coturn in
        let request = AllocationRequest(server: coturn.server())
        let (heard, _) = try await Allocation.withAllocation(request, by: .now + .seconds(15)) {
          allocation throws(ProbeFailure) in
          try await DatagramListener.withListener(.ipv4, in: .ofHost) { first throws(ProbeFailure) in
            try await DatagramListener.withListener(.ipv4, in: .ofHost) { second throws(ProbeFailure) in
              let loopback = IPAddress.v4(0x7F00_0001)
              try await allocation.permit([loopback], by: .now + .seconds(10))
              var heard: [String] = []
              for listener in [first, second] {
                allocation.send(
                  ByteBuffer(string: "to \(listener.port)"), to: TransportAddress(ip: loopback, port: listener.port))
                heard += await listener.collect(for: .seconds(5), upTo: 1).map { String(buffer: $0.bytes) }
                let back = await allocation.collect(for: .seconds(5), upTo: 1) {
                  listener.send("from \(listener.port)", to: allocation.relayedAddress)
                }
                let expected = RelayedData.indication(
                  from: TransportAddress(ip: loopback, port: listener.port),
                  ByteBuffer(string: "from \(listener.port)"))
                heard += back.map { $0 == expected ? "back" : "\($0)" }
              }
              return (heard, [first.port, second.port])
            }
          }
        }
        #expect(heard.0 == heard.1.flatMap { ["to \($0)", "back"] })
      }
    }

    @Test("17. A permission is renewed a minute before its 300 s end, whatever traffic there was")
    func permissionRenewal() async throws {
      try await Coturn.with { coturn in
        let request = AllocationRequest(server: coturn.server())
        let (counts, _) = try await Allocation.withAllocation(request, by: .now + .seconds(15)) {
          allocation throws(ProbeFailure) in
          try await DatagramListener.withListener(.ipv4, in: .ofHost) { listener throws(ProbeFailure) in
            let target = TransportAddress(ip: .v4(0x7F00_0001), port: listener.port)
            try await allocation.permit([target.ip], by: .now + .seconds(10))
            let before = await allocation.state.nextMaintenance
            allocation.send(ByteBuffer(string: "traffic"), to: target)
            let heard = await listener.collect(for: .seconds(5), upTo: 1).count
            let after = await allocation.state.nextMaintenance
            await allocation.renewWhatIsDue(at: before - .milliseconds(1))
            let early = await allocation.state.nextMaintenance
            await allocation.renewWhatIsDue(at: before)
            let renewed = await allocation.state.nextMaintenance
            return (heard: heard, isUnmoved: after == before && early == before, isRenewed: renewed > before)
          }
        }
        #expect(counts == (1, true, true))
      }
    }

    @Test("17. What is due is renewed and nothing else: a permission after 240 s, a channel after 540 s")
    func renewal() async throws {
      try await ScriptedTURN.with { request, _, _ in
        guard request.type.method == .refresh else { return nil }
        let asked = try? request.attribute(Lifetime.self)
        return [ScriptedReply.success(to: request, [asked ?? Lifetime(seconds: 0)], key: ScriptedTURN.key)]
      } _: { server, turn in
        let counts = try await Allocation.withAllocation(AllocationRequest(server: server), by: .now + .seconds(15)) {
          allocation throws(ProbeFailure) in
          let other = IPAddress.v4(0xC000_0201)
          try await allocation.permit([other], by: .now + .seconds(10))
          _ = try await allocation.bindChannel(to: peer, by: .now + .seconds(10))
          func sent() -> [Int] {
            [Method.createPermission, .channelBind, .refresh].map { turn.signedRequests($0).count }
          }
          let start = Instant.now
          await allocation.renewWhatIsDue(at: start + .seconds(230))
          let early = sent()
          await allocation.renewWhatIsDue(at: start + .seconds(241))
          let permissions = sent()
          await allocation.renewWhatIsDue(at: start + .seconds(541))
          return (early, permissions, sent())
        }.value
        #expect(counts == ([1, 1, 0], [2, 1, 0], [3, 2, 1]))
        let channels = try turn.signedRequests(.channelBind).map { try $0.attribute(ChannelNumber.self) }
        #expect(channels == [ChannelNumber(rawValue: 0x4000), ChannelNumber(rawValue: 0x4000)])
      }
    }

    @Test("18. One peer has one channel, and two peers have two, from 0x4000 on")
    func channels() async throws {
      try await Coturn.with { coturn in
        let request = AllocationRequest(server: coturn.server())
        let (channels, _) = try await Allocation.withAllocation(request, by: .now + .seconds(15)) {
          allocation throws(ProbeFailure) in
          var channels: [UInt16] = []
          for port in [1, 2, 1] as [UInt16] {
            let peer = TransportAddress(ip: peer.ip, port: port)
            channels.append(try await allocation.bindChannel(to: peer, by: .now + .seconds(10)).rawValue)
          }
          return channels
        }
        #expect(channels == [0x4000, 0x4001, 0x4000])
      }
    }

    @Test("18. An unexpected 400 to ChannelBind is named, and gone with a new allocation")
    func badRequest() async throws {
      try await ScriptedTURN.with { request, _, count in
        request.type.method == .channelBind && count == 0
          ? [ScriptedReply.error(400, to: request, key: ScriptedTURN.key)] : nil
      } _: { server, turn in
        func bind() async throws(ProbeFailure) -> Deletion {
          try await Allocation.withAllocation(AllocationRequest(server: server), by: .now + .seconds(15)) {
            allocation throws(ProbeFailure) in try await allocation.bindChannel(to: peer, by: .now + .seconds(10))
          }.deletion
        }
        let failure = await #expect(throws: ProbeFailure.self) { try await bind() }
        #expect(failure?.code == .badRequest)
        #expect(failure?.advice.contains("new allocation") == true)
        #expect(failure?.evidence("allocationDeleted") == "yes")
        let second = try await bind()
        #expect(second.isConfirmed)
        #expect(turn.signedRequests(.allocate).count == 2)
      }
    }

    @Test(
      "19. ChannelData before the response to ChannelBind is delivered, empty payloads too",
      arguments: Transport.allCases)
    func earlyData(transport: Transport) async throws {
      try await ScriptedTURN.with(over: transport) { request, _, _ in
        guard request.type.method == .channelBind else { return nil }
        // Five bytes, padded to eight over streams; then none at all, in one piece with the response.
        let padding: [UInt8] = transport.isReliable ? [0, 0, 0] : []
        let early = ByteBuffer(bytes: [0x40, 0x00, 0, 5] + Array("early".utf8) + padding)
        let empty = ByteBuffer(bytes: [0x40, 0x00, 0, 0])
        let response = ScriptedReply.success(to: request, [], key: ScriptedTURN.key)
        guard transport.isReliable else { return [early, empty, response] }
        return [ByteBuffer(bytes: [early, empty, response].flatMap { Array($0.readableBytesView) })]
      } _: { server, _ in
        let (arrived, _) = try await Allocation.withAllocation(
          AllocationRequest(server: server), by: .now + .seconds(15)
        ) { allocation throws(ProbeFailure) in
          let (ready, starting) = AsyncStream.makeStream(of: Void.self)
          async let arrived = allocation.collect(for: .seconds(5), upTo: 2) { starting.finish() }
          for await _ in ready {}
          _ = try await allocation.bindChannel(to: peer, by: .now + .seconds(10))
          return await arrived
        }
        let channel = try #require(ChannelNumber(rawValue: 0x4000))
        #expect(arrived == [.channel(channel, ByteBuffer(string: "early")), .channel(channel, ByteBuffer())])
      }
    }

    @Test("19. Over UDP, ChannelData is taken with padding and without", arguments: [0, 1, 3])
    func padding(byteCount: Int) async throws {
      try await ScriptedRelay.with(padding: byteCount) { server in
        var probe = RelayProbe(server: server)
        (probe.packets, probe.rate, probe.size) = (20, 500, 161)
        let report = try await probe.run(deadline: .seconds(15))
        #expect(report.received == 20)
        #expect(report.duplicates == 0)
      }
    }

    @Test(
      "19. Over TCP and TLS, coturn's ChannelData is padded: no size shifts the frames behind it",
      arguments: [Transport.tcp, .tls])
    func streamPadding(transport: Transport) async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          var server = coturn.server(transport == .tls ? .turns : .turn, .tcp)
          server.tls.trustFile = authority.certificate
          for size in 29...32 {
            var probe = RelayProbe(server: server)
            (probe.packets, probe.rate, probe.size) = (20, 1000, size)
            let report = try await probe.run(deadline: .seconds(15))
            #expect(report.received == 20)
          }
        }
      }
    }

    @Test("22. A Data indication with ICMP in place of data is no data, and shows as what it is")
    func icmp() async throws {
      let turn = ScriptedTURN { _, _, _ in nil }
      try await ScriptedSTUNServer.with { bytes, source in
        guard let message = try? Message(decoding: bytes), message.type.method == .send,
          let peer = try? message.attribute(XORPeerAddress.self)
        else { return turn.answer(bytes, from: source).map { .init($0) } }
        var writer = MessageWriter(MessageType(.data, .indication), transactionID: .random())
        writer.append(peer)
        writer.append(ICMP(messageType: 3, code: 13))
        return [.init(writer.finish())]
      } _: { server in
        var probe = RelayProbe(server: server.server)
        (probe.packets, probe.rate, probe.path) = (5, 100, .send)
        let failure = await #expect(throws: ProbeFailure.self) { try await probe.run(deadline: .seconds(15)) }
        #expect(failure?.code == .nothingRelayed)
        #expect(failure?.evidence("reached") == "0")
        #expect(failure?.evidence("icmp") == "type 3, code 13")
      }
    }
  }
}
