package import NIOCore

/// Cuts a byte stream into STUN and ChannelData messages (RFC 8489, section 6.2.2; RFC 8656, section 12.5).
///
/// It holds no more than one unfinished frame of at most 65,559 bytes beyond what it was given. After an error the
/// stream has lost its frame borders and cannot be read further.
package struct StreamDeframer: Sendable {
  private var buffer: ByteBuffer?

  package init() {}

  /// Adds bytes as they were received, in any pieces.
  package mutating func append(_ bytes: ByteBuffer) {
    if buffer == nil || buffer?.readableBytes == 0 {
      buffer = bytes
    } else {
      buffer?.writeImmutableBuffer(bytes)
      if let consumed = buffer?.readerIndex, consumed > 65_536 { buffer?.discardReadBytes() }
    }
  }

  /// Bytes that were received and do not make a whole frame yet.
  package var pendingByteCount: Int { buffer?.readableBytes ?? 0 }

  /// The next whole frame without stream padding, or nil when more bytes are needed.
  ///
  /// - Throws: `DecodingError.notSTUN` where the bytes begin neither a STUN nor a ChannelData message,
  ///   `.wrongMagicCookie` and `.wrongLength` where they begin a broken STUN message.
  package mutating func next() throws(DecodingError) -> ByteBuffer? {
    guard let start = buffer?.readerIndex, let first: UInt8 = buffer?.getInteger(at: start) else { return nil }
    switch first {
    case 0x00...0x3F: return try nextMessage(at: start)
    case 0x40...0x4F: return nextChannelData(at: start)
    default: throw .notSTUN
    }
  }

  private mutating func nextMessage(at start: Int) throws(DecodingError) -> ByteBuffer? {
    guard let length: UInt16 = buffer?.getInteger(at: start + 2) else { return nil }
    guard length % 4 == 0 else { throw .wrongLength }
    guard let cookie: UInt32 = buffer?.getInteger(at: start + 4) else { return nil }
    guard cookie == Message.magicCookie else { throw .wrongMagicCookie }
    return buffer?.readSlice(length: Message.headerLength + Int(length))
  }

  private mutating func nextChannelData(at start: Int) -> ByteBuffer? {
    guard let length: UInt16 = buffer?.getInteger(at: start + 2) else { return nil }
    let unpadded = ChannelData.headerLength + Int(length)
    guard pendingByteCount >= (unpadded + 3) & ~3 else { return nil }
    let frame = buffer?.readSlice(length: unpadded)
    buffer?.moveReaderIndex(forwardBy: -unpadded & 3)
    return frame
  }
}
