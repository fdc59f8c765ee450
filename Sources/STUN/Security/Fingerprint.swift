import NIOCore

/// The checksum by which STUN is told from other protocols on the same port (RFC 8489, section 14.7).
enum Fingerprint {
  /// CRC-32 of a message up to its FINGERPRINT attribute, XORed with `STUN` in ASCII.
  ///
  /// - Parameter length: what the header's length field is taken to say.
  static func value(over message: ByteBuffer, upTo end: Int, length: Int) -> UInt32 {
    message.withUnsafeReadableBytes { bytes in
      var crc = CRC32()
      unsafe crc.update(bytes[0..<2])
      withUnsafeBytes(of: UInt16(truncatingIfNeeded: length).bigEndian) { unsafe crc.update($0[...]) }
      unsafe crc.update(bytes[4..<end])
      return crc.value ^ 0x5354_554E
    }
  }
}

/// The CRC of ITU V.42, as zlib computes it.
private struct CRC32 {
  private var state: UInt32 = 0xFFFF_FFFF

  var value: UInt32 { ~state }

  mutating func update(_ bytes: Slice<UnsafeRawBufferPointer>) {
    let table = Self.table
    for byte in unsafe bytes {
      state = table[Int(truncatingIfNeeded: (state ^ UInt32(byte)) & 0xFF)] ^ state >> 8
    }
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
  }
}

extension Message {
  /// Checks FINGERPRINT, where it is there; says whether it is.
  ///
  /// - Throws: `DecodingError.wrongFingerprint` where it is not the last attribute or does not agree.
  package func checkFingerprint() throws(DecodingError) -> Bool {
    guard let span = span(of: .fingerprint) else { return false }
    guard span.length == 4, span.end == bytes.readableBytes,
      let claimed: UInt32 = bytes.getInteger(at: bytes.readerIndex + span.valueOffset),
      claimed == Fingerprint.value(over: bytes, upTo: span.offset, length: span.end - Self.headerLength)
    else { throw .wrongFingerprint }
    return true
  }
}
