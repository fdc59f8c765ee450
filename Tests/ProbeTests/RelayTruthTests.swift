import Addresses
import NIOCore
import STUN
import Synchronization
import Testing

@testable import Probe

extension LiveServerTests {
  /// Relays that change what they relay, or make up what they should relay.
  @Suite("RelayProbe and lying relays")
  struct RelayTruthTests {
    private static func probe(_ server: ProbedServer, packets: Int = 20) -> RelayProbe {
      var probe = RelayProbe(server: server)
      (probe.packets, probe.rate) = (packets, 200)
      return probe
    }

    /// A byte is another one; from the end where the position is negative.
    private static func changed(_ payload: ByteBuffer, at position: Int) -> ByteBuffer {
      var payload = payload
      let index = payload.readerIndex + (position < 0 ? payload.readableBytes + position : position)
      payload.setInteger((payload.getInteger(at: index, as: UInt8.self) ?? 0) ^ 1, at: index)
      return payload
    }

    private static func number(of payload: ByteBuffer) -> UInt32? { payload.getInteger(at: payload.readerIndex) }

    @Test(
      "A packet of which one byte was changed did not come back, wherever the byte is",
      arguments: [0, 3, 4, 11, 12, -1], [true, false])
    func oneByte(position: Int, isThere: Bool) async throws {
      try await ScriptedRelay.with { payload, isFromFirst in
        let isMeant = isFromFirst == isThere && Self.number(of: payload) == 7
        return [.on(isMeant ? Self.changed(payload, at: position) : payload)]
      } _: { server in
        let report = try await Self.probe(server).run(deadline: .seconds(10))
        #expect(report.corrupted == 1)
        #expect(report.received == 19)
        #expect(report.lost == 1)
        #expect(report.reached == (isThere ? 19 : 20))
        #expect(report.duplicates == 0)
      }
    }

    @Test("Where every packet is changed, cut or lengthened, the relay is what fails")
    func everyPacket() async throws {
      let treatments: [@Sendable (ByteBuffer) -> ByteBuffer] = [
        { payload in
          var payload = payload
          payload.setRepeatingByte(0, count: 8, at: payload.writerIndex - 8)
          return payload
        },
        { $0.getSlice(at: $0.readerIndex, length: $0.readableBytes - 40) ?? $0 },
        { payload in
          var payload = payload
          payload.writeInteger(0 as UInt8)
          return payload
        },
        { _ in ByteBuffer(string: "hello") },
      ]
      for treatment in treatments {
        try await ScriptedRelay.with { payload, _ in
          [.on(treatment(payload))]
        } _: { server in
          let failure = await #expect(throws: ProbeFailure.self) {
            try await Self.probe(server, packets: 3).run(deadline: .seconds(10))
          }
          #expect(failure?.code == .relayCorrupts)
          #expect(failure?.evidence("reached") == "0")
          #expect(failure?.evidence("corrupted") == "3")
          #expect(failure?.message.hasSuffix("after the last, and 3 arrived changed.") == true)
        }
      }
    }

    @Test("What the server itself sends back did not come back: as it was, or with any one byte changed")
    func selfEcho() async throws {
      try await ScriptedRelay.with { payload, isFromFirst in
        guard isFromFirst else { return [] }
        return [.back(payload)] + (0..<payload.readableBytes).map { .back(Self.changed(payload, at: $0)) }
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await Self.probe(server, packets: 3).run(deadline: .seconds(10))
        }
        #expect(failure?.code == .relayCorrupts)
        #expect(failure?.evidence("reached") == "0")
        #expect(failure?.evidence("corrupted") == "\(3 * 160)")
      }
      try await ScriptedRelay.with { payload, isFromFirst in
        isFromFirst ? [.back(payload)] : []
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await Self.probe(server, packets: 3).run(deadline: .seconds(10))
        }
        #expect(failure?.code == .nothingRelayed)
        #expect(failure?.evidence("corrupted") == "0")
      }
    }

    @Test("From one answer of the echo the others cannot be made")
    func forgery() async throws {
      let seen = Mutex<ByteBuffer?>(nil)
      try await ScriptedRelay.with { payload, isFromFirst in
        if !isFromFirst {
          // The first answer goes through, the others are kept.
          return seen.withLock { seen in
            guard seen == nil else { return [] }
            seen = payload
            return [.on(payload)]
          }
        }
        guard let answer = seen.withLock({ $0 }) else { return [.on(payload)] }
        // Its noise behind the packet's own number and tag, or behind the number alone.
        let forgeries = [12, 4].map { count in
          var forged = answer
          forged.setBytes(payload.readableBytesView.prefix(count), at: forged.readerIndex)
          return forged
        }
        return [.on(payload), .back(answer)] + forgeries.map { .back($0) }
      } _: { server in
        let report = try await Self.probe(server).run(deadline: .seconds(10))
        #expect(report.received == 1)
        #expect(report.reached == 20)
        #expect(report.duplicates > 0)
        #expect(report.corrupted > 0)
        #expect(report.corrupted % 2 == 0)
      }
    }
  }
}
