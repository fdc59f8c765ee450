import COpenSSL
import NIOCore
import STUN

/// A STUN message read, checked and signed byte by byte, by nothing of this project: what goes over the wire is held
/// against the RFC and not against our own codec.
struct WireMessage {
  private(set) var bytes: [UInt8]

  init(_ buffer: ByteBuffer) { bytes = Array(buffer.readableBytesView) }

  var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }

  /// The attributes in order, by number, with the position of their header.
  var attributes: [(type: Int, offset: Int, value: ArraySlice<UInt8>)] {
    var found: [(type: Int, offset: Int, value: ArraySlice<UInt8>)] = []
    var offset = 20
    while offset + 4 <= bytes.count {
      let length = number(at: offset + 2)
      found.append((number(at: offset), offset, bytes[(offset + 4)..<(offset + 4 + length)]))
      offset += 4 + (length + 3) / 4 * 4
    }
    return found
  }

  private func number(at offset: Int) -> Int { Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) }

  /// Whether the integrity attribute of this number holds the HMAC over what precedes it, with a header whose length
  /// ends with it (RFC 8489, sections 14.5 and 14.6).
  func hasIntegrity(_ type: AttributeType, key: [UInt8]) -> Bool {
    guard let attribute = attributes.first(where: { $0.type == Int(type.rawValue) }) else { return false }
    let code = code(upTo: attribute.offset, byteCount: attribute.value.count, type, key: key)
    return !attribute.value.isEmpty && Array(attribute.value) == code
  }

  /// Whether FINGERPRINT is the last attribute and holds the checksum (RFC 8489, section 14.7).
  var endsWithFingerprint: Bool {
    guard let last = attributes.last, last.type == 0x8028, last.offset + 8 == bytes.count else { return false }
    let checksum = Self.crc32(bytes[..<last.offset]) ^ 0x5354_554E
    return last.value.reduce(0 as UInt32) { $0 << 8 | UInt32($1) } == checksum
  }

  /// Appends an integrity attribute, cut to some bytes.
  mutating func sign(_ type: AttributeType, key: [UInt8], byteCount: Int) {
    let code = code(upTo: bytes.count, byteCount: byteCount, type, key: key)
    bytes += [UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xFF), 0, UInt8(byteCount)] + code
    bytes += [UInt8](repeating: 0, count: -byteCount & 3)
    setLength(bytes.count - 20)
  }

  private mutating func setLength(_ length: Int) {
    (bytes[2], bytes[3]) = (UInt8(length >> 8), UInt8(length & 0xFF))
  }

  private func code(upTo end: Int, byteCount: Int, _ type: AttributeType, key: [UInt8]) -> [UInt8] {
    var message = self
    message.setLength(end + 4 + (byteCount + 3) / 4 * 4 - 20)
    return Array(
      Self.hmac(type == .messageIntegrity ? "SHA1" : "SHA256", key: key, message.bytes[..<end]).prefix(byteCount))
  }

  /// A long-term key (RFC 8489, section 18.5).
  static func longTermKey(_ hash: String, username: String, realm: String, password: String) -> [UInt8] {
    let text = Array("\(username):\(realm):\(password)".utf8)
    var digest = [UInt8](repeating: 0, count: 64)
    var count = 0
    guard EVP_Q_digest(nil, hash, nil, text, text.count, &digest, &count) == 1 else { return [] }
    return Array(digest.prefix(count))
  }

  private static func hmac(_ hash: String, key: [UInt8], _ message: ArraySlice<UInt8>) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 64)
    var count = 0
    guard
      EVP_Q_mac(
        nil, "HMAC", nil, hash, nil, key, key.count, Array(message), message.count, &code, code.count, &count) != nil
    else { return [] }
    return Array(code.prefix(count))
  }

  /// Bit by bit, as ITU V.42 defines it.
  private static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    ~bytes.reduce(0xFFFF_FFFF as UInt32) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
  }
}
