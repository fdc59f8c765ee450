import Addresses
import NIOCore
import STUN
import Testing

@Suite("Attributes")
struct AttributeTests {
  static let addresses = ["192.0.2.1:32853", "[2001:db8::1]:3478", "[::ffff:192.0.2.7]:1"].compactMap(
    TransportAddress.init)
  static let samples: [any Attribute] =
    addresses.flatMap { address -> [any Attribute] in
      [
        MappedAddress(address), XORMappedAddress(address), XORPeerAddress(address), XORRelayedAddress(address),
        AlternateServer(address), ResponseOrigin(address), OtherAddress(address),
      ]
    } + [
      Username("user"), Username(""), Realm("r.example"), Origin("https://example.com"), Software("coturn"),
      AlternateDomain("b.example"),
      Nonce(Array("abc".utf8)), Nonce([0, 255]), ErrorCode(438, reason: "Stale Nonce"), ErrorCode(699),
      AddressErrorCode(family: .ipv6, error: ErrorCode(440, reason: "no")),
      UnknownAttributes([.dontFragment, AttributeType(rawValue: 0x7FFF)]), PasswordAlgorithm.sha256,
      PasswordAlgorithms([.sha256, .md5, PasswordAlgorithm(number: 9, parameters: [1, 2, 3]), .md5]),
      Userhash(username: "u", realm: "r"), Lifetime(seconds: 600), PeerData(ByteBuffer(string: "payload")),
      PeerData(ByteBuffer()), RequestedTransport.udp, RequestedTransport.tcp, DontFragment(),
      EvenPort(reservesNextPort: true), EvenPort(reservesNextPort: false), ReservationToken(.max),
      RequestedAddressFamily(.ipv6), AdditionalAddressFamily(.ipv6), ICMP(messageType: 3, code: 4, data: 1400),
      ChangeRequest(changesAddress: true, changesPort: false), ResponsePort(4711), Padding(count: 1300),
    ] + [ChannelNumber(rawValue: 0x4000), ChannelNumber(rawValue: 0x4FFF)].compactMap { $0 }

  @Test("Each attribute comes back as it was written", arguments: samples.indices)
  func roundTrip(index: Int) throws { try expectRoundTrip(Self.samples[index]) }

  private func expectRoundTrip<A: Attribute>(_ attribute: A) throws {
    var writer = MessageWriter(MessageType(.allocate, .success), transactionID: .random())
    writer.append(attribute)
    writer.append(Software("behind"))
    writer.appendFingerprint()
    let message = try Message(decoding: writer.finish())
    let read = try #require(try message.attribute(A.self))
    #expect(String(reflecting: read) == String(reflecting: attribute))
    #expect(message.attributes.map(\.type) == [A.type, .software, .fingerprint])
    #expect(try message.checkFingerprint())
  }

  @Test("A value of the wrong size is refused", arguments: samples.indices)
  func wrongSize(index: Int) throws { try expectRefusal(Self.samples[index]) }

  private func expectRefusal<A: Attribute>(_: A) throws {
    // Texts, data and paddings are of any size.
    let free: [any Attribute.Type] = [
      Username.self, Realm.self, Software.self, AlternateDomain.self, Nonce.self, PeerData.self, Padding.self,
      PasswordAlgorithm.self, Origin.self,
    ]
    if free.contains(where: { $0 == A.self }) { return }
    for size in [1, 3, 5, 7, 9, 33] where !(A.self == EvenPort.self && size == 1) {
      if [ErrorCode.self, AddressErrorCode.self].contains(where: { $0 == A.self }), size > 3 { continue }
      #expect(throws: DecodingError.malformedAttribute(A.type)) {
        try A(value: ByteBuffer(repeating: 0, count: size), transactionID: .random())
      }
    }
  }

  @Test("XOR addresses are masked with cookie and transaction id")
  func masking() throws {
    let address = try #require(TransportAddress("[2001:db8::1]:3478"))
    var plain = ByteBuffer()
    MappedAddress(address).write(into: &plain, transactionID: .random())
    var masked = ByteBuffer()
    XORMappedAddress(address).write(into: &masked, transactionID: TransactionID(high: 0x0102_0304, low: 5))
    let difference = zip(plain.readableBytesView, masked.readableBytesView).map { $0 ^ $1 }
    #expect(difference == [0, 0, 0x21, 0x12, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 5])
  }

  @Test("A nonce cookie announces the server's security features, from the most significant bit")
  func nonceCookie() {
    func features(_ text: String) -> SecurityFeatures { Nonce(Array(text.utf8)).securityFeatures }
    #expect(features("obMatJos2gAAAxyz") == .passwordAlgorithms)
    #expect(features("obMatJos2QAAAxyz") == .usernameAnonymity)
    #expect(features("obMatJos2wAAA") == [.passwordAlgorithms, .usernameAnonymity])
    #expect(features("obMatJos2AAAAxyz") == [])
    #expect(features("obMatJos2w") == [])
    #expect(features("obMatJos2w!AA") == [])
    #expect(features("f//499k954d6OL34oL9FSTvy64sA") == [])
  }

  @Test("Attributes of RFC 3489 have names, and are no unknown ones")
  func oldAttributes() {
    let types = [2, 4, 5, 6, 7, 11].map { AttributeType(rawValue: $0) }
    #expect(
      types.map(\.description) == [
        "RESPONSE-ADDRESS", "SOURCE-ADDRESS", "CHANGED-ADDRESS", "USERNAME", "PASSWORD", "REFLECTED-FROM",
      ])
    #expect(types.filter { !$0.isKnown } == [])
  }

  @Test("NULs that an old server counts as a part of its name are none of it")
  func nulsBehindSoftware() throws {
    for (text, expected) in [("Vovida.org 0.97\0", "Vovida.org 0.97"), ("\0\0", ""), ("", ""), ("a\0b", "a\0b")] {
      let software = try Software(value: ByteBuffer(string: text), transactionID: .random())
      #expect(software.text == expected)
    }
  }
}
