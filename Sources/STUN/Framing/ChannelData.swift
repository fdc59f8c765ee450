package import NIOCore

/// A ChannelData message: four bytes of header before what is relayed (RFC 8656, section 12.4).
package struct ChannelData: Sendable, Hashable {
  package static let headerLength = 4
  package let channel: ChannelNumber
  package let payload: ByteBuffer

  /// Reads one datagram or frame. Padding behind the payload is allowed, over UDP too.
  ///
  /// - Throws: `DecodingError.wrongChannelNumber` outside 0x4000–0x4FFF, `.truncated` where less came than the header
  ///   says.
  package init(decoding bytes: ByteBuffer) throws(DecodingError) {
    guard let number: UInt16 = bytes.getInteger(at: bytes.readerIndex),
      let length: UInt16 = bytes.getInteger(at: bytes.readerIndex + 2)
    else { throw .truncated }
    guard let channel = ChannelNumber(rawValue: number) else { throw .wrongChannelNumber(number) }
    guard let payload = bytes.getSlice(at: bytes.readerIndex + Self.headerLength, length: Int(length)) else {
      throw .truncated
    }
    self.channel = channel
    self.payload = payload
  }

  /// Appends a ChannelData message to a buffer.
  ///
  /// - Parameter padded: whether to fill up to four bytes, as streams demand; the padding is not counted.
  package static func write(
    _ payload: ByteBuffer, to channel: ChannelNumber, padded: Bool, into buffer: inout ByteBuffer
  ) {
    buffer.writeMultipleIntegers(channel.rawValue, UInt16(truncatingIfNeeded: payload.readableBytes))
    buffer.writeImmutableBuffer(payload)
    if padded { buffer.writeRepeatingByte(0, count: -payload.readableBytes & 3) }
  }
}
