import Addresses
import Foundation
import NIOCore
import STUN
import TestSupport
import Testing

/// Random changes of valid input: nothing crashes, hangs or contradicts itself. `RUNBOOK_FUZZ_SECONDS` makes it go on with
/// seeds of chance; without it the sequence is fixed and short.
@Suite("Decoding fuzz")
struct DecodingFuzzTests {
  private static let seconds = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"].flatMap(Double.init)

  private func rounds(_ fixed: Int, _ body: (inout SplitMix) throws -> Void) rethrows {
    guard let seconds = Self.seconds else {
      var generator = SplitMix(state: 0x5EED)
      for _ in 0..<fixed { try body(&generator) }
      return
    }
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SplitMix(state: seed)
      try body(&generator)
    }
  }

  /// One of the published messages with up to eight bytes changed, sometimes cut off or doubled.
  private func mutant(_ generator: inout SplitMix) -> ByteBuffer {
    let seeds = [
      Vectors.request, Vectors.responseIPv4, Vectors.responseIPv6, Vectors.longTermRequest,
      Vectors.longTermSHA256Request,
    ]
    var bytes = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
    for _ in 0..<Int.random(in: 1...8, using: &generator) {
      let position = Int.random(in: 0..<bytes.readableBytes, using: &generator)
      bytes.setInteger(UInt8.random(in: 0...255, using: &generator), at: position)
    }
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: return bytes.getSlice(at: 0, length: Int.random(in: 0...bytes.readableBytes, using: &generator)) ?? bytes
    case 1:
      bytes.writeImmutableBuffer(bytes)
      return bytes
    default: return bytes
    }
  }

  @Test("Messages: what decodes is consistent, and no change keeps the integrity")
  func messages() {
    let key = IntegrityKey(shortTermPassword: "x")
    rounds(6000) { generator in
      guard let message = try? Message(decoding: mutant(&generator)) else { return }
      for span in message.attributes { #expect(span.end <= message.bytes.readableBytes) }
      for sample in AttributeTests.samples { touch(sample, in: message) }
      #expect(message.integrity(with: key) != .valid)
      _ = try? message.checkFingerprint()
      _ = try? AllocationState(allocated: message, now: .now)
    }
  }

  private func touch<A: Attribute>(_: A, in message: Message) { _ = try? message.attribute(A.self) }

  @Test("Streams: any cut of any bytes gives frames or an error, and holds no more than came")
  func streams() {
    rounds(2000) { generator in
      var deframer = StreamDeframer()
      var fed = 0
      for _ in 0..<4 {
        var bytes = mutant(&generator)
        while let piece = bytes.readSlice(
          length: min(bytes.readableBytes, 1 + Int.random(in: 0..<40, using: &generator))),
          piece.readableBytes > 0
        {
          fed += piece.readableBytes
          deframer.append(piece)
          do {
            while let frame = try deframer.next() { #expect(frame.readableBytes <= fed) }
          } catch { return }
          #expect(deframer.pendingByteCount <= fed)
        }
      }
    }
  }

  @Test("The client takes anything for an answer to nothing it asked, and goes on")
  func client() throws {
    var client = STUNClient(
      STUNClient.Configuration(
        server: nil, schedule: .unreliable(), credentials: LongTermCredentials(username: "u", password: "p")))
    let start = Instant.now
    _ = try client.begin(.binding(), deadline: start + .seconds(9), now: start)
    rounds(4000) { generator in
      _ = client.receive(mutant(&generator), from: nil, now: start)
      #expect(client.nextTimer == start + .milliseconds(500))
    }
  }
}
