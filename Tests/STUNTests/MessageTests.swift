import Crypto
import NIOCore
import STUN
import Testing

@Suite("Message")
struct MessageTests {
  @Test("Type bits of methods and classes interleave as RFC 8489 draws them")
  func types() throws {
    for number in UInt16(0)...0xFFF {
      let method = try #require(Method(rawValue: number))
      for messageClass in MessageClass.allCases {
        let bytes = MessageWriter(MessageType(method, messageClass), transactionID: .random()).finish()
        #expect(try Message(decoding: bytes).type == MessageType(method, messageClass))
      }
    }
    let error = MessageWriter(MessageType(.allocate, .error), transactionID: .random()).finish()
    #expect(error.getInteger(at: 0) == 0x0113 as UInt16)
  }

  @Test(
    "What is not exactly one message is refused by name",
    arguments: [
      ("", DecodingError.truncated), ("00", .truncated), ("8001 0000 2112a442", .notSTUN),
      ("0001 0000 2112a442 0000", .truncated), ("0001 0000 2112a443 000000000000000000000000", .wrongMagicCookie),
      ("0001 0004 2112a442 000000000000000000000000", .wrongLength),
      ("0001 0000 2112a442 000000000000000000000000 00", .wrongLength),
      ("0001 0003 2112a442 000000000000000000000000 000000", .wrongLength),
      ("0001 0004 2112a442 000000000000000000000000 0006ffff", .attributeOverrun(.username)),
      ("0001 0004 2112a442 000000000000000000000000 00060001", .attributeOverrun(.username)),
    ])
  func refusal(text: String, expected: DecodingError) {
    #expect(throws: expected) { try Message(decoding: hex(text)) }
  }

  @Test("A hostile datagram of 64 KiB is read or refused, in either case at once")
  func hostile() throws {
    // 16,379 attributes without a value.
    var crowd = hex("0001 ffec 2112a442 000000000000000000000000")
    crowd.writeRepeatingByte(0, count: 0xFFEC)
    let message = try Message(decoding: crowd)
    #expect(message.attributes.reduce(0) { count, _ in count + 1 } == 0xFFEC / 4)
    #expect(try message.attribute(Realm.self) == nil)
    // One attribute that claims everything.
    var claim = hex("0001 ffec 2112a442 000000000000000000000000 0013 ffff")
    claim.writeRepeatingByte(0, count: 0xFFEC - 4)
    #expect(throws: DecodingError.attributeOverrun(.data)) { try Message(decoding: claim) }
    // Values are views into the datagram.
    var data = hex("0001 ffec 2112a442 000000000000000000000000 0013 ffe8")
    data.writeRepeatingByte(7, count: 0xFFE8)
    let payload = try #require(try Message(decoding: data).attribute(PeerData.self))
    #expect(payload.bytes.readableBytes == 0xFFE8)
  }

  @Test("Of several attributes of one type the first counts")
  func firstCounts() throws {
    var writer = MessageWriter(MessageType(.binding, .success), transactionID: .random())
    writer.append(Software("first"))
    writer.append(Software("second"))
    #expect(try Message(decoding: writer.finish()).attribute(Software.self)?.text == "first")
  }

  @Test("3. The integrity's length ends with itself; the fingerprint comes last and covers the whole length")
  func lengths() throws {
    let key = IntegrityKey(shortTermPassword: "secret")
    var writer = MessageWriter(MessageType(.binding, .request), transactionID: .random())
    writer.append(Software("x"))
    writer.appendIntegrity(key: key)
    writer.appendIntegritySHA256(key: key)
    writer.appendFingerprint()
    let bytes = writer.finish()
    let message = try Message(decoding: bytes)
    #expect(message.attributes.map(\.type) == [.software, .messageIntegrity, .messageIntegritySHA256, .fingerprint])
    #expect(message.integrity(with: key) == .valid)
    #expect(try message.checkFingerprint())

    // With a fingerprint that is followed by something else.
    var second = MessageWriter(MessageType(.binding, .request), transactionID: .random())
    second.appendFingerprint()
    second.append(Software("behind"))
    let late = try Message(decoding: second.finish())
    #expect(throws: DecodingError.wrongFingerprint) { try late.checkFingerprint() }
  }

  @Test("4. What follows the integrity is ignored, but for the SHA-256 integrity and the fingerprint")
  func behindIntegrity() throws {
    let key = IntegrityKey(shortTermPassword: "secret")
    var writer = MessageWriter(MessageType(.allocate, .success), transactionID: .random())
    writer.append(Lifetime(seconds: 600))
    writer.appendIntegrity(key: key)
    writer.append(Realm("forged"))
    writer.appendIntegritySHA256(key: key)
    writer.append(Software("forged"))
    let message = try Message(decoding: writer.finish())
    #expect(message.attributes.map(\.type) == [.lifetime, .messageIntegrity, .messageIntegritySHA256])
    #expect(try message.attribute(Realm.self) == nil)
    #expect(try message.attribute(Software.self) == nil)
  }

  @Test("5. A SHA-256 integrity may be cut to 16 bytes or more, by fours", arguments: [16, 20, 24, 28, 32, 12, 18])
  func truncatedIntegrity(length: Int) throws {
    let key = IntegrityKey(shortTermPassword: "secret")
    let bytes = message(withIntegrityOf: length)
    let verdict = try Message(decoding: bytes).integrity(with: key)
    #expect(verdict == ((16...32).contains(length) && length % 4 == 0 ? .valid : .invalid))
  }

  /// A message whose only attribute is a SHA-256 integrity of the given length, cut from the whole code.
  private func message(withIntegrityOf length: Int) -> ByteBuffer {
    let padded = (length + 3) & ~3
    var bytes = hex("0101 0000 2112a442 000102030405060708090a0b")
    bytes.setInteger(UInt16(4 + padded), at: 2)
    let code = HMAC<SHA256>.authenticationCode(
      for: Array(bytes.readableBytesView), using: SymmetricKey(data: Array("secret".utf8)))
    bytes.writeMultipleIntegers(AttributeType.messageIntegritySHA256.rawValue, UInt16(length))
    bytes.writeBytes(Array(code).prefix(length))
    bytes.writeRepeatingByte(0, count: padded - length)
    return bytes
  }
}
