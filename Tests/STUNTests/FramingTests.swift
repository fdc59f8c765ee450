import NIOCore
import STUN
import Testing

@Suite("Framing")
struct FramingTests {
  private let channel = ChannelNumber(rawValue: 0x4001)

  @Test("19. ChannelData: length 0 is legal, padding over UDP is optional, over streams it is due")
  func channelData() throws {
    let channel = try #require(channel)
    for size in 0...9 {
      for padded in [false, true] {
        let payload = ByteBuffer(repeating: 0xAB, count: size)
        var bytes = ByteBuffer()
        ChannelData.write(payload, to: channel, padded: padded, into: &bytes)
        #expect(bytes.readableBytes == 4 + (padded ? (size + 3) & ~3 : size))
        let read = try ChannelData(decoding: bytes)
        #expect(read.payload == payload)
        #expect(read.channel == channel)
      }
    }
  }

  @Test(
    "18. Channels outside of 0x4000–0x4FFF are refused",
    arguments: [0x3FFF, 0x5000, 0x7FFF, 0xFFFF] as [UInt16])
  func channelRange(number: UInt16) {
    var bytes = ByteBuffer()
    bytes.writeMultipleIntegers(number, 0 as UInt16)
    #expect(throws: DecodingError.wrongChannelNumber(number)) { try ChannelData(decoding: bytes) }
    #expect(ChannelNumber(rawValue: number) == nil)
  }

  @Test("20. A stream may come in any pieces, with several messages in one", arguments: [1, 2, 3, 5, 7, 64, 4096])
  func pieces(size: Int) throws {
    let channel = try #require(channel)
    var stream = ByteBuffer()
    var expected: [ByteBuffer] = []
    for length in [0, 1, 2, 3, 4, 1200] {
      stream.writeImmutableBuffer(Vectors.request)
      expected.append(Vectors.request)
      let payload = ByteBuffer(repeating: 1, count: length)
      ChannelData.write(payload, to: channel, padded: true, into: &stream)
      var frame = ByteBuffer()
      ChannelData.write(payload, to: channel, padded: false, into: &frame)
      expected.append(frame)
    }
    var deframer = StreamDeframer()
    var frames: [ByteBuffer] = []
    while let piece = stream.readSlice(length: min(size, stream.readableBytes)), piece.readableBytes > 0 {
      deframer.append(piece)
      while let frame = try deframer.next() { frames.append(frame) }
    }
    #expect(frames == expected)
    #expect(deframer.pendingByteCount == 0)
  }

  @Test(
    "A stream that is no STUN is refused at its first bytes",
    arguments: [
      ("485454502f312e31", DecodingError?.none), ("16030100", nil), ("80", DecodingError.notSTUN),
      ("ff", .notSTUN), ("5000", .notSTUN), ("0001000400000000", .wrongMagicCookie), ("000100032112a442", .wrongLength),
    ])
  func garbage(text: String, expected: DecodingError?) throws {
    var deframer = StreamDeframer()
    deframer.append(hex(text))
    if let expected {
      #expect(throws: expected) { try deframer.next() }
    } else {
      // It could still become a frame: bounded by its 16-bit length, and by the deadline.
      _ = try? deframer.next()
      #expect(deframer.pendingByteCount <= 65_559)
    }
  }
}
