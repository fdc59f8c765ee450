import Addresses
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Lines 3 to 9 and 24 of the list of corner cases that naive clients get wrong: who is who.
  @Suite("Checklist: authentication")
  struct ChecklistAuthenticationTests {
    private static let key = WireMessage.longTermKey("MD5", username: "u", realm: "r.example", password: "p")
    private static let keySHA256 = WireMessage.longTermKey("SHA256", username: "u", realm: "r.example", password: "p")
    /// A nonce that announces password algorithms: bit 0 of the 24 behind the prefix.
    private static let cookie = Array("obMatJos2gAAAn-1".utf8)
    /// One that announces user-name anonymity besides: bits 0 and 1.
    private static let anonymousCookie = Array("obMatJos2wAAAn-1".utf8)

    private func failure(of server: ProbedServer, deadline: Duration = .seconds(15)) async -> ProbeFailure? {
      await #expect(throws: ProbeFailure.self) { try await AllocateProbe(server: server).run(deadline: deadline) }
    }

    @Test("3. On the wire, integrity covers a length that ends with itself, and FINGERPRINT comes last")
    func wire() async throws {
      try await ScriptedTURN.with { _, _, _ in
        nil
      } _: { server, turn in
        let report = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(report.deletion.isConfirmed)
        let requests = turn.requests.all.map { (message: $0, wire: WireMessage($0.bytes)) }
        #expect(requests.count == 3)
        for (message, wire) in requests {
          #expect(wire.endsWithFingerprint)
          #expect(
            wire.hasIntegrity(.messageIntegrity, key: Self.key) == (message.span(of: .messageIntegrity) != nil))
        }
        #expect(turn.signedRequests(.allocate).count == 1)
        #expect(turn.signedRequests(.refresh).count == 1)
      }
    }

    @Test("4. What follows MESSAGE-INTEGRITY in a response is ignored, whatever it says")
    func behindIntegrity() async throws {
      let (genuine, forged) = try (
        #require(TransportAddress("192.0.2.1:50000")), #require(TransportAddress("203.0.113.66:666"))
      )
      try await ScriptedTURN.with { request, source, _ in
        guard request.type.method == .allocate else { return nil }
        var writer = MessageWriter(MessageType(.allocate, .success), transactionID: request.transactionID)
        writer.append(XORRelayedAddress(genuine))
        writer.append(Lifetime(seconds: 600))
        if let key = ScriptedTURN.key { writer.appendIntegrity(key: key) }
        writer.append(XORRelayedAddress(forged))
        writer.append(XORMappedAddress(forged))
        writer.append(Lifetime(seconds: 7))
        writer.append(UnknownAttributes([.lifetime]))
        writer.appendFingerprint()
        return [writer.finish()]
      } _: { server, _ in
        let report = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(report.relayedAddresses == [genuine])
        #expect(report.reflexiveAddress == nil)
        #expect(report.lifetime == .seconds(600))
      }
    }

    /// Demands SHA-256 in its challenge and answers what is signed so with `answer`.
    private func withModernServer(
      nonce: [UInt8] = cookie, algorithms: PasswordAlgorithms? = PasswordAlgorithms([.sha256, .md5]),
      _ answer: @escaping @Sendable (Message, TransportAddress) -> [ByteBuffer],
      _ body: (ProbedServer, Recorder<Message>) async throws -> Void
    ) async throws {
      let requests = Recorder<Message>()
      try await ScriptedSTUNServer.with { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        requests.append(request)
        guard request.span(of: .nonce) == nil else { return answer(request, source).map { .init($0) } }
        var attributes: [any Attribute] = [Realm("r.example"), Nonce(nonce)]
        if let algorithms { attributes.append(algorithms) }
        return [.init(ScriptedReply.error(401, to: request, attributes))]
      } _: { server in
        try await body(server.server, requests)
      }
    }

    /// A success response with a code of MESSAGE-INTEGRITY-SHA256 that is cut.
    private static func success(to request: Message, from source: TransportAddress, byteCount: Int) -> ByteBuffer {
      let attributes: [any Attribute] =
        request.type.method == .allocate
        ? [XORRelayedAddress(source), Lifetime(seconds: 600)] : [Lifetime(seconds: 0)]
      var answer = WireMessage(ScriptedReply.success(to: request, attributes))
      answer.sign(.messageIntegritySHA256, key: keySHA256, byteCount: byteCount)
      return answer.buffer
    }

    @Test("5. MESSAGE-INTEGRITY-SHA256 is accepted cut to 16 bytes and more", arguments: [16, 20, 28, 32])
    func cutIntegrity(byteCount: Int) async throws {
      try await withModernServer { request, source in
        WireMessage(request.bytes).hasIntegrity(.messageIntegritySHA256, key: Self.keySHA256)
          ? [Self.success(to: request, from: source, byteCount: byteCount)] : []
      } _: { server, requests in
        let report = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(report.deletion.isConfirmed)
        #expect(requests.all.allSatisfy { WireMessage($0.bytes).endsWithFingerprint })
      }
    }

    @Test("5. It is refused below 16 bytes and at no multiple of four", arguments: [4, 12, 18, 31])
    func cutTooFar(byteCount: Int) async throws {
      try await withModernServer { request, source in
        [Self.success(to: request, from: source, byteCount: byteCount)]
      } _: { server, _ in
        #expect(await failure(of: server, deadline: .milliseconds(600))?.code == .badIntegrity)
      }
    }

    @Test("5. A server that knows no SHA-256 and says so with 420 is named, and not asked again in a weaker way")
    func unknownIntegrity() async throws {
      try await withModernServer { request, _ in
        [ScriptedReply.error(420, to: request, [UnknownAttributes([.messageIntegritySHA256])])]
      } _: { server, requests in
        let failure = await failure(of: server)
        #expect(failure?.code == .notUnderstood)
        #expect(failure?.evidence("unknownAttributes") == "MESSAGE-INTEGRITY-SHA256")
        #expect(requests.all.filter { $0.span(of: .nonce) != nil }.count == 1)
        #expect(requests.all.allSatisfy { $0.span(of: .messageIntegrity) == nil })
      }
    }

    @Test("6. PASSWORD-ALGORITHMS is echoed as it came, with the first that is known")
    func echo() async throws {
      let offered = PasswordAlgorithms([PasswordAlgorithm(number: 77, parameters: [1, 2, 3]), .sha256, .md5])
      try await withModernServer(algorithms: offered) { request, source in
        [Self.success(to: request, from: source, byteCount: 32)]
      } _: { server, requests in
        _ = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        let signed = requests.all.filter { $0.span(of: .nonce) != nil }
        #expect(signed.count == 2)
        for request in signed {
          #expect(try request.attribute(PasswordAlgorithms.self) == offered)
          #expect(try request.attribute(PasswordAlgorithm.self) == .sha256)
          #expect(try request.attribute(Nonce.self)?.bytes == Self.cookie)
          #expect(try request.attribute(Username.self)?.text == "u")
        }
      }
    }

    @Test("6. A server that promises anonymity gets a hash in place of the user's name")
    func anonymity() async throws {
      try await withModernServer(nonce: Self.anonymousCookie) { request, source in
        [Self.success(to: request, from: source, byteCount: 32)]
      } _: { server, requests in
        _ = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(requests.all.allSatisfy { $0.span(of: .username) == nil })
        #expect(try requests.all[1].attribute(Userhash.self) == Userhash(username: "u", realm: "r.example"))
      }
    }

    @Test("6. A nonce that announces password algorithms beside none of them is a bid-down, and nothing is signed")
    func bidDown() async throws {
      try await withModernServer(algorithms: nil) { _, _ in
        []
      } _: { server, requests in
        #expect(await failure(of: server)?.code == .bidDown)
        #expect(requests.all.count == 1)
      }
    }

    @Test("6. A stale nonce behind SHA-256 that asks for less is a bid-down, and nothing weaker is signed")
    func bidDownInBetween() async throws {
      try await withModernServer { request, _ in
        [ScriptedReply.error(438, to: request, [Realm("r.example"), Nonce(Array("plain".utf8))])]
      } _: { server, requests in
        let failure = await failure(of: server)
        #expect(failure?.code == .bidDown)
        #expect(requests.all.count == 2)
        #expect(requests.all.allSatisfy { $0.span(of: .messageIntegrity) == nil })
      }
    }

    @Test("6. A response authenticates with either code over the key that the request was signed with")
    func weakerResponse() async throws {
      try await withModernServer { request, source in
        var answer = WireMessage(
          ScriptedReply.success(
            to: request,
            request.type.method == .allocate
              ? [XORRelayedAddress(source), Lifetime(seconds: 600)] : [Lifetime(seconds: 0)]))
        answer.sign(.messageIntegrity, key: Self.keySHA256, byteCount: 20)
        return [answer.buffer]
      } _: { server, _ in
        let report = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(report.deletion.isConfirmed)
      }
    }

    @Test("A user name that is too long is refused by name, and nothing is sent with it", arguments: [509, 70_000])
    func overlongName(count: Int) async throws {
      for transport in [Transport.udp, .tcp] {
        try await ScriptedTURN.with(over: transport) { _, _, _ in
          nil
        } _: { server, turn in
          var server = server
          server.credentials = .longTerm(
            LongTermCredentials(username: String(repeating: "u", count: count), password: "p"))
          let failure = await failure(of: server)
          #expect(failure?.code == .invalidInput)
          #expect(failure?.message.contains("longer than the 508 bytes") == true)
          #expect(turn.requests.all.count == 1)
        }
      }
    }

    @Test("6. Algorithms of which none is known are named; a list that the nonce does not vouch for does not count")
    func algorithms() async throws {
      try await withModernServer(algorithms: PasswordAlgorithms([PasswordAlgorithm(number: 9)])) { _, _ in
        []
      } _: { server, requests in
        let failure = await failure(of: server)
        #expect(failure?.code == .noKnownPasswordAlgorithm)
        #expect(failure?.evidence("offered") == "9")
        #expect(requests.all.count == 1)
      }
      try await withModernServer(nonce: Array("plain".utf8)) { _, _ in
        []
      } _: { server, requests in
        #expect(await failure(of: server, deadline: .milliseconds(700))?.code == .turnTimeout)
        let signed = try #require(requests.all.last)
        #expect(signed.span(of: .passwordAlgorithms) == nil)
        #expect(WireMessage(signed.bytes).hasIntegrity(.messageIntegrity, key: Self.key))
      }
    }

    @Test("7. The first 401 is how it begins, a second means bad credentials: one valid try and no more")
    func secondChallenge() async throws {
      try await ScriptedTURN.with { request, _, _ in
        [ScriptedReply.challenge(to: request, nonce: "another")]
      } _: { server, turn in
        let failure = await failure(of: server)
        #expect(failure?.code == .unauthorized)
        #expect(failure?.advice.contains("password") == true)
        #expect(turn.signedRequests(.allocate).count == 1)
      }
    }

    @Test("7. The realm that came back is taken over, once where it changes")
    func realm() async throws {
      try await ScriptedTURN.with { request, _, count in
        [ScriptedReply.challenge(to: request, realm: "realm-\(count)")]
      } _: { server, turn in
        let failure = await failure(of: server)
        #expect(failure?.code == .unauthorized)
        let realms = try turn.signedRequests(.allocate).map { try $0.attribute(Realm.self)?.text }
        #expect(realms == ["r.example", "realm-0"])
      }
    }

    @Test("7. A nonce is opaque: 128 characters come back byte by byte, quotes and foreign letters included")
    func nonce() async throws {
      let nonce = Array((String(repeating: "\\\"é\u{0}😀", count: 25) + "end").utf8)
      try await ScriptedTURN.with { request, _, count in
        count == 0 ? [ScriptedReply.error(438, to: request, [Realm("r.example"), Nonce(nonce)])] : nil
      } _: { server, turn in
        _ = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(try turn.signedRequests(.allocate).last?.attribute(Nonce.self)?.bytes == nonce)
      }
    }

    @Test("8. A 438 to ChannelBind, CreatePermission and Refresh is followed by another try with the new nonce")
    func staleNonceAnywhere() async throws {
      let fresh = Array("n-2".utf8)
      try await ScriptedTURN.with { request, _, count in
        guard request.type.method != .allocate, count == 0 else { return nil }
        return [ScriptedReply.error(438, to: request, [Realm("r.example"), Nonce(fresh)])]
      } _: { server, turn in
        let peer = try #require(TransportAddress("192.0.2.9:9"))
        let (_, deletion) = try await Allocation.withAllocation(
          AllocationRequest(server: server), by: .now + .seconds(15)
        ) { allocation throws(ProbeFailure) in
          try await allocation.permit([peer.ip], by: .now + .seconds(10))
          _ = try await allocation.bindChannel(to: peer, by: .now + .seconds(10))
        }
        #expect(deletion.isConfirmed)
        for method in [Method.createPermission, .channelBind, .refresh] {
          let sent = turn.signedRequests(method)
          // Under load a request may be sent again; its id stays.
          #expect(Set(sent.map(\.transactionID)).count == 2)
          #expect(try sent.last?.attribute(Nonce.self)?.bytes == fresh)
        }
      }
    }

    @Test("8. A server that calls every nonce stale is named, after a bounded number of tries")
    func staleForEver() async throws {
      try await ScriptedTURN.with { request, _, count in
        [ScriptedReply.error(438, to: request, [Realm("r.example"), Nonce(Array("n-\(count)".utf8))])]
      } _: { server, turn in
        #expect(await failure(of: server)?.code == .staleNonceLoop)
        #expect(Set(turn.signedRequests(.allocate).map(\.transactionID)).count == 4)
      }
    }

    @Test("9. A wrong password is a 401 of coturn's; a 441 means another user's allocation, and is not repeated")
    func wrongCredentials() async throws {
      try await Coturn.with { coturn in
        let failure = await failure(of: coturn.server(password: "wrong"))
        #expect(failure?.code == .unauthorized)
        #expect(failure?.evidence("errorCode") == "401")
      }
      try await ScriptedTURN.with { request, _, _ in
        [ScriptedReply.error(441, to: request, key: ScriptedTURN.key)]
      } _: { server, turn in
        let failure = await failure(of: server)
        #expect(failure?.code == .wrongCredentials)
        #expect(failure?.evidence("signed") == "yes")
        #expect(Set(turn.signedRequests(.allocate).map(\.transactionID)).count == 1)
      }
    }

    @Test(
      "24. A grant whose integrity is wrong or missing is not believed, over every transport",
      arguments: Transport.allCases)
    func forgedSuccess(transport: Transport) async throws {
      let wrong = IntegrityKey(username: "u", realm: "r.example", password: "another")
      for key in [wrong, nil] {
        try await ScriptedTURN.with(over: transport) { request, source, _ in
          [ScriptedReply.success(to: request, [XORRelayedAddress(source), Lifetime(seconds: 600)], key: key)]
        } _: { server, _ in
          let failure = await failure(of: server, deadline: .milliseconds(500))
          #expect(failure?.code == (key == nil ? .integrityMissing : .badIntegrity))
          #expect(failure?.message.contains("password") == (key != nil))
        }
      }
    }
  }
}
