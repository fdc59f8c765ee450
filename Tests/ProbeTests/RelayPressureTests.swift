import Addresses
import FoundationEssentials
import NIOCore
import STUN
import Synchronization
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Servers that do not take what is sent to them.
  @Suite("RelayProbe under pressure")
  struct RelayPressureTests {
    /// The memory of this process.
    private final class Memory: Sendable {
      /// Before any of these tests: what one of them has taken and freed is taken again by the next without any growth.
      private static let start = resident()
      private let peak = Mutex(0)

      init() throws { try #require(Self.start > 0) }

      /// How many bytes it has grown at most; nil if nobody looked.
      var growth: Int? {
        let peak = peak.withLock { $0 }
        return peak > 0 ? peak - Self.start : nil
      }

      func look() { peak.withLock { $0 = max($0, Self.resident()) } }

      private static func resident() -> Int {
        let fields = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return (fields.flatMap { Int($0[1]) } ?? 0) * 4096
      }
    }

    /// 320 MB.
    private static let offer = (packets: 40_000, size: 8000)
    private static let most = 64 << 20

    @Test(
      "A server that stops reading is named at the deadline, and what it does not take does not pile up",
      arguments: [Transport.tcp, .tls])
    func stopsReading(transport: Transport) async throws {
      let turn = ScriptedTURN { _, _, _ in nil }
      try await ScriptedSTUNServer.with(over: transport) { bytes, source in
        let isBinding = (try? Message(decoding: bytes))?.type.method == .channelBind
        return turn.answer(bytes, from: source).map { .init($0, stopsReading: isBinding) }
      } _: { scripted in
        var probe = RelayProbe(server: scripted.server)
        (probe.packets, probe.size, probe.rate) = (Self.offer.packets, Self.offer.size, 20_000)
        let memory = try Memory()
        let failure = await #expect(throws: ProbeFailure.self) {
          try await probe.run(deadline: .seconds(4)) { _ in memory.look() }
        }
        #expect(failure?.code == .transportStalled)
        let sent = try #require(failure?.evidence("sent").flatMap { Int($0) })
        // What the buffers of the kernel hold.
        #expect((1...Self.offer.packets / 4).contains(sent), "\(sent)")
        #expect(try #require(memory.growth) < Self.most)
      }
    }

    @Test("A server that does not read the echo's answers is named, and they do not pile up")
    func stopsReadingEcho() async throws {
      let flood = Flood(count: Self.offer.packets)
      try await ScriptedSTUNServer.with(over: .tcp) {
        flood.answer($0, from: $1)
      } _: { scripted in
        var probe = RelayProbe(server: scripted.server)
        (probe.packets, probe.size, probe.rate) = (200, Self.offer.size, 50)
        let memory = try Memory()
        let failure = await #expect(throws: ProbeFailure.self) {
          try await probe.run(deadline: .seconds(20)) { _ in memory.look() }
        }
        #expect(failure?.code == .transportStalled)
        #expect(try #require(memory.growth) < Self.most)
      }
    }

    /// A TURN server that passes on the sender's first packet again and again, and stops reading where the echo is.
    private final class Flood: Sendable {
      private let turn = ScriptedTURN { _, _, _ in nil }
      private let channels = Mutex<[(TransportAddress, ChannelNumber)]>([])
      private let firstFrame = Mutex<ByteBuffer?>(ByteBuffer())
      private let count: Int

      init(count: Int) { self.count = count }

      func answer(_ bytes: ByteBuffer, from source: TransportAddress) -> [ScriptedSTUNServer.Answer] {
        if let request = try? Message(decoding: bytes) {
          let channel = request.type.method == .channelBind ? try? request.attribute(ChannelNumber.self) : nil
          let isEcho = channels.withLock { channels in
            if let channel { channels.append((source, channel)) }
            return channels.last.map { channels.count > 1 && $0.0 == source } ?? false
          }
          return turn.answer(bytes, from: source).map { .init($0, stopsReading: isEcho) }
        }
        guard let data = firstPacket(bytes), let echo = channels.withLock({ $0.last }) else { return [] }
        var frame = ByteBuffer()
        ChannelData.write(data.payload, to: echo.1, padded: true, into: &frame)
        return Array(repeating: .init(frame, recipient: echo.0), count: count)
      }

      /// The first ChannelData message, once its last bytes are there.
      private func firstPacket(_ bytes: ByteBuffer) -> ChannelData? {
        firstFrame.withLock { frame in
          frame?.writeImmutableBuffer(bytes)
          guard let length: UInt16 = frame?.getInteger(at: 2),
            let whole = frame?.getSlice(at: 0, length: 4 + Int(length))
          else { return nil }
          frame = nil
          return try? ChannelData(decoding: whole)
        }
      }
    }

    @Test("A server that reads again after a while gets all packets")
    func readsAgain() async throws {
      try await Coturn.with { coturn in
        var probe = RelayProbe(server: coturn.server(.turn, .tcp))
        // More than the buffers of the kernel hold.
        (probe.packets, probe.size, probe.rate) = (20_000, 1000, 40_000)
        let said = Mutex<[String]>([])
        let report = try await probe.run(deadline: .seconds(30)) { text in
          guard text.contains("packets sent") else { return }
          let (isFirst, isStuck) = said.withLock { said in
            defer { said.append(text) }
            return (said.isEmpty, said.last == text)
          }
          if isFirst { coturn.suspend() }
          if isStuck { coturn.resume() }
        }
        #expect(report.sent == 20_000)
        #expect(report.received > 0)
        let all = said.withLock { $0 }
        #expect(zip(all, all.dropFirst()).contains { $0 == $1 }, "it was never stuck: \(all)")
        try await coturn.expectNoAllocations(of: 2)
      }
    }
  }
}
