import Addresses
import NIOCore
import STUN
import Testing

@Suite("Published vectors")
struct VectorTests {
  private let shortTermKey = IntegrityKey(shortTermPassword: "VOkJxbRl1RmTxUk/WvJxBt")

  @Test(
    "RFC 5769's short-term messages hold, and change by one bit breaks them",
    arguments: [Vectors.request, Vectors.responseIPv4, Vectors.responseIPv6])
  func shortTerm(bytes: ByteBuffer) throws {
    let message = try Message(decoding: bytes)
    #expect(message.integrity(with: shortTermKey) == .valid)
    #expect(try message.checkFingerprint())
    #expect(message.integrity(with: IntegrityKey(shortTermPassword: "another")) == .invalid)

    var changed = bytes
    changed.setInteger(UInt8(0x54), at: 24)
    changed.setInteger(UInt8(0x00), at: 25)
    let forged = try Message(decoding: changed)
    #expect(forged.integrity(with: shortTermKey) == .invalid)
    #expect(throws: DecodingError.wrongFingerprint) { try forged.checkFingerprint() }
  }

  @Test("RFC 5769's responses give the reflexive addresses")
  func addresses() throws {
    let ipv4: XORMappedAddress? = try Message(decoding: Vectors.responseIPv4).attribute()
    #expect(ipv4?.address.description == "192.0.2.1:32853")
    let ipv6: XORMappedAddress? = try Message(decoding: Vectors.responseIPv6).attribute()
    #expect(ipv6?.address.description == "[2001:db8:1234:5678:11:2233:4455:6677]:32853")
    let software: Software? = try Message(decoding: Vectors.responseIPv4).attribute()
    #expect(software?.text == "test vector")
  }

  @Test("RFC 5769's long-term request holds, and is what we write")
  func longTerm() throws {
    let key = try #require(
      IntegrityKey(username: Vectors.username, realm: Vectors.realm, password: Vectors.password))
    let message = try Message(decoding: Vectors.longTermRequest)
    #expect(message.integrity(with: key) == .valid)
    #expect(try message.attribute(Username.self)?.text == Vectors.username)

    var writer = MessageWriter(MessageType(.binding, .request), transactionID: message.transactionID)
    writer.append(Username(Vectors.username))
    writer.append(Nonce(Array("f//499k954d6OL34oL9FSTvy64sA".utf8)))
    writer.append(Realm(Vectors.realm))
    writer.appendIntegrity(key: key)
    #expect(writer.finish() == Vectors.longTermRequest)
  }

  @Test("RFC 8489's request of appendix B.1, with erratum 6268, holds and is what we write")
  func longTermSHA256() throws {
    let key = try #require(
      IntegrityKey(
        username: Vectors.username, realm: Vectors.realm, password: Vectors.password, algorithm: .sha256))
    let message = try Message(decoding: Vectors.longTermSHA256Request)
    #expect(message.integrity(with: key) == .valid)
    #expect(try message.attribute(PasswordAlgorithm.self) == .sha256)

    var writer = MessageWriter(MessageType(.binding, .request), transactionID: message.transactionID)
    writer.append(Userhash(username: Vectors.username, realm: Vectors.realm))
    writer.append(Nonce(Array("obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA".utf8)))
    writer.append(Realm(Vectors.realm))
    writer.append(PasswordAlgorithm.sha256)
    writer.appendIntegritySHA256(key: key)
    #expect(writer.finish() == Vectors.longTermSHA256Request)
  }
}
