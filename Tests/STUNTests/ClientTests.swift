import Addresses
import NIOCore
import STUN
import Testing

@Suite("STUNClient")
struct ClientTests {
  private let server = TransportAddress("192.0.2.1:3478")
  private let start = Instant.now

  private func client(_ schedule: RetransmissionSchedule = .unreliable()) -> STUNClient {
    STUNClient(
      STUNClient.Configuration(
        server: server, schedule: schedule, credentials: LongTermCredentials(username: "u", password: "p")))
  }

  @Test("1. Sends at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms, fails at 39500 ms, always the same bytes")
  func timers() throws {
    var client = client()
    let (id, first) = try client.begin(.binding(), deadline: start + .seconds(100), now: start)
    var sends = [0]
    while true {
      let next = try #require(client.nextTimer)
      let offset = Int((next - start) / .milliseconds(1))
      switch client.timerFired(now: next) {
      case .send(let bytes):
        #expect(bytes == first)
        sends.append(offset)
        #expect(client.timerFired(now: next).isNothing)
        continue
      case .finish(let finished, .failure(.timedOut(let timeout))):
        #expect(finished == id)
        #expect(offset == 39_500)
        #expect(timeout.waited == .milliseconds(39_500))
        #expect(timeout.effort.sends == 7)
      case let other:
        Issue.record("unexpected \(other)")
      }
      break
    }
    #expect(sends == [0, 500, 1500, 3500, 7500, 15_500, 31_500])
    #expect(client.nextTimer == nil)
  }

  @Test("1. Over reliable transports it is sent once and given up after 39.5 s")
  func reliable() throws {
    var client = client(.reliable)
    _ = try client.begin(.binding(), deadline: start + .seconds(100), now: start)
    #expect(client.nextTimer == start + .milliseconds(39_500))
    #expect(client.timerFired(now: start + .seconds(39)).isNothing)
    guard case .finish(_, .failure(.timedOut)) = client.timerFired(now: start + .milliseconds(39_500)) else {
      Issue.record("no time-out")
      return
    }
  }

  @Test("1. A declared deadline that is shorter ends the wait")
  func deadline() throws {
    var client = client()
    _ = try client.begin(.binding(), deadline: start + .milliseconds(700), now: start)
    guard case .send = client.timerFired(now: start + .milliseconds(500)) else {
      Issue.record("no retransmission")
      return
    }
    #expect(client.nextTimer == start + .milliseconds(700))
    guard case .finish(_, .failure(.timedOut(let timeout))) = client.timerFired(now: start + .milliseconds(700)) else {
      Issue.record("no time-out")
      return
    }
    #expect(timeout.waited == .milliseconds(700))
  }

  @Test("1. A hard transport error ends every request at once")
  func transportError() throws {
    var client = client()
    let ids = try (0..<3).map { _ in try client.begin(.binding(), deadline: start + .seconds(9), now: start).id }
    #expect(Set(client.transportFailed(.portUnreachable).map(\.0)) == Set(ids))
    #expect(client.nextTimer == nil)
  }

  @Test("2. Only the right id from the right address is an answer; an IPv4-mapped source is the same address")
  func matching() throws {
    var client = client()
    let (_, bytes) = try client.begin(.binding(), deadline: start + .seconds(9), now: start)
    let request = try Message(decoding: bytes)
    let address = try #require(TransportAddress("203.0.113.5:4000"))
    let answer = success(to: request, [XORMappedAddress(address)])
    #expect(client.receive(answer, from: TransportAddress("192.0.2.2:3478"), now: start).isNothing)
    #expect(client.receive(answer, from: TransportAddress("192.0.2.1:3479"), now: start).isNothing)
    #expect(client.receive(success(to: request, [], id: .random()), from: server, now: start).isNothing)
    #expect(client.receive(ByteBuffer(string: "garbage"), from: server, now: start).isNothing)
    let mapped = TransportAddress("[::ffff:192.0.2.1]:3478")
    guard case .finish(_, .success(let response)) = client.receive(answer, from: mapped, now: start + .milliseconds(7))
    else {
      Issue.record("no answer")
      return
    }
    #expect(response.rtt == .milliseconds(7))
    var ignored = IgnoredDatagrams()
    #expect(response.effort.ignored != ignored)
    ignored = response.effort.ignored
    #expect([ignored.wrongSource, ignored.wrongTransaction, ignored.garbage] == [2, 1, 1])
    // The same answer again, late: nobody waits for it.
    #expect(client.receive(answer, from: server, now: start).isNothing)
  }

  @Test("2. After 401 and 438 the request goes out under a new transaction id, once each")
  func newIDs() throws {
    var client = client()
    let (_, bytes) = try client.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
    let first = try Message(decoding: bytes)
    #expect(first.span(of: .username) == nil)
    let second = try next(&client, after: error(401, to: first, [Realm("r"), Nonce(Array("a".utf8))]))
    #expect(second.transactionID != first.transactionID)
    #expect(try second.attribute(Username.self)?.text == "u")
    #expect(try second.attribute(Realm.self)?.text == "r")
    let third = try next(&client, after: error(438, to: second, [Realm("r"), Nonce(Array("b".utf8))]))
    #expect(third.transactionID != second.transactionID)
    #expect(try third.attribute(Nonce.self)?.bytes == Array("b".utf8))
    let key = try #require(IntegrityKey(username: "u", realm: "r", password: "p"))
    #expect(third.integrity(with: key) == .valid)
    #expect(try third.checkFingerprint())
  }

  @Test("6. A nonce cookie with password algorithms brings SHA-256 and the echoed list, with anonymity USERHASH")
  func passwordAlgorithms() throws {
    var client = client()
    let (_, bytes) = try client.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
    let offered = PasswordAlgorithms([PasswordAlgorithm(number: 99), .sha256, .md5])
    let signed = try next(
      &client,
      after: error(
        401, to: try Message(decoding: bytes), [Realm("r"), Nonce(Array("obMatJos2wAAAabc".utf8)), offered]))
    #expect(try signed.attribute(PasswordAlgorithms.self) == offered)
    #expect(try signed.attribute(PasswordAlgorithm.self) == .sha256)
    #expect(try signed.attribute(Userhash.self) == Userhash(username: "u", realm: "r"))
    #expect(signed.span(of: .username) == nil)
    #expect(signed.span(of: .messageIntegrity) == nil)
    let key = try #require(IntegrityKey(username: "u", realm: "r", password: "p", algorithm: .sha256))
    #expect(signed.integrity(with: key) == .valid)
  }

  @Test(
    "6. A challenge that announces algorithms and offers none is a bid-down; a list without announcement is ignored")
  func bidDown() throws {
    var client = client()
    let (_, bytes) = try client.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
    let stripped = error(
      401, to: try Message(decoding: bytes), [Realm("r"), Nonce(Array("obMatJos2gAAAabc".utf8))])
    guard case .finish(_, .failure(.bidDown)) = client.receive(stripped, from: server, now: start) else {
      Issue.record("taken over")
      return
    }
    let (_, again) = try client.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
    let signed = try next(
      &client,
      after: error(
        401, to: try Message(decoding: again),
        [Realm("r"), Nonce(Array("plain".utf8)), PasswordAlgorithms([.sha256])]))
    #expect(signed.span(of: .passwordAlgorithm) == nil)
    #expect(signed.span(of: .messageIntegrity) != nil)
  }

  @Test("6. Behind SHA-256 no challenge is followed that offers none, or MD5 alone")
  func bidDownInBetween() throws {
    let cookie = Nonce(Array("obMatJos2gAAAabc".utf8))
    let weaker: [[any Attribute]] = [
      [Realm("r"), Nonce(Array("plain".utf8))],
      [Realm("r"), Nonce(Array("plain".utf8)), PasswordAlgorithms([.sha256, .md5])],
      [Realm("r"), cookie, PasswordAlgorithms([.md5])],
    ]
    for (number, attributes) in weaker.flatMap({ [(401, $0), (438, $0)] }) {
      var client = client()
      let (_, bytes) = try client.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
      let signed = try next(
        &client,
        after: error(
          401, to: try Message(decoding: bytes), [Realm("r"), cookie, PasswordAlgorithms([.sha256, .md5])]))
      // A second 401 is followed only if it names another realm.
      let realm = number == 401 ? [Realm("other")] + attributes.dropFirst() : attributes
      let challenge = error(number, to: signed, realm)
      guard case .finish(_, .failure(.bidDown)) = client.receive(challenge, from: server, now: start) else {
        Issue.record("taken over: \(number) \(attributes)")
        continue
      }
    }
  }

  @Test("A request that its length fields cannot hold is refused, and names what does not fit")
  func overlong() throws {
    var named = STUNClient(
      STUNClient.Configuration(
        server: server, schedule: .reliable,
        credentials: LongTermCredentials(username: String(repeating: "u", count: 509), password: "p")))
    let (_, bytes) = try named.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
    let challenge = error(401, to: try Message(decoding: bytes), [Realm("r"), Nonce(Array("n".utf8))])
    guard case .finish(_, .failure(.overlongRequest(.username))) = named.receive(challenge, from: server, now: start)
    else {
      Issue.record("sent")
      return
    }
    #expect(throws: RequestFailure.self) {
      try named.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
    }
    // A list that must be echoed, and leaves no room for what must stand beside it.
    var client = client()
    let (_, first) = try client.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
    let long = PasswordAlgorithm(number: 9, parameters: [UInt8](repeating: 0, count: 65_440))
    let list = PasswordAlgorithms([.sha256, long])
    let demand = error(
      401, to: try Message(decoding: first), [Realm("r"), Nonce(Array("obMatJos2gAAAabc".utf8)), list])
    guard case .finish(_, .failure(.overlongRequest)) = client.receive(demand, from: server, now: start) else {
      Issue.record("sent")
      return
    }
  }

  @Test("7. A second 401 is final, but for one that names another realm")
  func secondChallenge() throws {
    var client = client()
    let (_, bytes) = try client.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
    let nonce = Nonce(Array("n".utf8))
    let second = try next(&client, after: error(401, to: try Message(decoding: bytes), [Realm("r"), nonce]))
    let third = try next(&client, after: error(401, to: second, [Realm("other"), nonce]))
    #expect(try third.attribute(Realm.self)?.text == "other")
    guard
      case .finish(_, .failure(.rejected(let rejection))) = client.receive(
        error(401, to: third, [Realm("third"), nonce]), from: server, now: start)
    else {
      Issue.record("not refused")
      return
    }
    #expect(rejection.hadCredentials)
    #expect(rejection.effort.challenges == 2)
  }

  @Test("8. A server that calls every nonce stale is given up after three more attempts")
  func staleForEver() throws {
    var client = client()
    let (_, bytes) = try client.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
    var message = try next(
      &client, after: error(401, to: try Message(decoding: bytes), [Realm("r"), Nonce(Array("n".utf8))]))
    for round in 0..<3 {
      message = try next(&client, after: error(438, to: message, [Realm("r"), Nonce(Array("n\(round)".utf8))]))
    }
    guard
      case .finish(_, .failure(.rejected(let rejection))) = client.receive(
        error(438, to: message, [Realm("r"), Nonce(Array("z".utf8))]), from: server, now: start)
    else {
      Issue.record("still trying")
      return
    }
    #expect(rejection.error.number == 438)
  }

  @Test("19. ChannelData may come before the response to ChannelBind")
  func earlyChannelData() throws {
    var client = client()
    let channel = try #require(ChannelNumber(rawValue: 0x4000))
    let peer = try #require(TransportAddress("192.0.2.9:9"))
    _ = try client.begin(.channelBind(channel, to: peer), deadline: start + .seconds(9), now: start)
    var frame = ByteBuffer()
    ChannelData.write(ByteBuffer(), to: channel, padded: false, into: &frame)
    guard case .deliver(.channel(channel, ByteBuffer())) = client.receive(frame, from: server, now: start) else {
      Issue.record("not delivered")
      return
    }
  }

  @Test("22. A Data indication may carry ICMP in place of data")
  func icmp() throws {
    var client = client()
    let peer = try #require(TransportAddress("192.0.2.9:9"))
    var writer = MessageWriter(MessageType(.data, .indication), transactionID: .random())
    writer.append(XORPeerAddress(peer))
    writer.append(ICMP(messageType: 3, code: 3))
    guard case .deliver(.icmp(let icmp, peer)) = client.receive(writer.finish(), from: server, now: start) else {
      Issue.record("not delivered")
      return
    }
    #expect(icmp.code == 3)
  }

  @Test("24. A success response without valid integrity is no answer")
  func integrity() throws {
    var client = client()
    let (_, bytes) = try client.begin(.refresh(lifetimeSeconds: 600), deadline: start + .seconds(9), now: start)
    let signed = try next(
      &client, after: error(401, to: try Message(decoding: bytes), [Realm("r"), Nonce(Array("n".utf8))]))
    let wrong = try #require(IntegrityKey(username: "u", realm: "r", password: "another"))
    let right = try #require(IntegrityKey(username: "u", realm: "r", password: "p"))
    #expect(client.receive(success(to: signed, [Lifetime(seconds: 1)]), from: server, now: start).isNothing)
    #expect(client.receive(success(to: signed, [Lifetime(seconds: 1)], key: wrong), from: server, now: start).isNothing)
    guard
      case .finish(_, .success(let response)) = client.receive(
        success(to: signed, [Lifetime(seconds: 600)], key: right), from: server, now: start)
    else {
      Issue.record("no answer")
      return
    }
    #expect(response.effort.ignored.badIntegrity == 1)
    #expect(response.effort.ignored.missingIntegrity == 1)
    #expect(try response.message.attribute(Lifetime.self)?.seconds == 600)
  }

  // MARK: A server's side

  private func success(
    to request: Message, _ attributes: [any Attribute], key: IntegrityKey? = nil, id: TransactionID? = nil
  ) -> ByteBuffer {
    var writer = MessageWriter(
      MessageType(request.type.method, .success), transactionID: id ?? request.transactionID)
    for attribute in attributes { writer.append(attribute) }
    if let key { writer.appendIntegrity(key: key) }
    return writer.finish()
  }

  private func error(_ number: Int, to request: Message, _ attributes: [any Attribute]) -> ByteBuffer {
    var writer = MessageWriter(MessageType(request.type.method, .error), transactionID: request.transactionID)
    writer.append(ErrorCode(number))
    for attribute in attributes { writer.append(attribute) }
    return writer.finish()
  }

  /// What the client sends after an answer.
  private func next(_ client: inout STUNClient, after answer: ByteBuffer) throws -> Message {
    guard case .send(let bytes) = client.receive(answer, from: server, now: start) else { throw NothingSent() }
    return try Message(decoding: bytes)
  }

  private struct NothingSent: Error {}
}

extension STUNClient.Action {
  var isNothing: Bool { if case .nothing = self { true } else { false } }
}
