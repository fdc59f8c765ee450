import Addresses
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Each explanation with what provokes it, and with a near cause for which it must not appear.
  @Suite("Explanations")
  struct ExplanationTests {
    /// Swallows what it receives.
    private static let silent: ScriptedSTUNServer.Script = { _, _ in [] }

    @Test("UDP blocked, TCP open; not where the whole server is silent")
    func udpBlocked() async throws {
      // Somebody swallows UDP, coturn listens on TCP of the same port.
      try await ScriptedSTUNServer.with(Self.silent) { swallower in
        try await Coturn.with(port: swallower.address.port, ["--no-udp"]) { coturn in
          let failure = try await explanation(of: coturn.server(), allocate)
          #expect(failure.code == .udpBlocked)
          #expect(failure.advice.contains("transport=tcp"))
        }
      }
      try await Coturn.with { coturn in
        coturn.suspend()
        let explained = try await explanation(of: coturn.server(), allocate)
        #expect(explained.code == .turnTimeout)
      }
    }

    @Test("Answers from another address than was asked; not where strangers send, nor where all is silent")
    func answersFromElsewhere() async throws {
      func explained(isAnswer: Bool) async throws -> ProbeFailure {
        let turn = ScriptedTURN { _, _, _ in nil }
        return try await ScriptedSTUNServer.with { datagram, source in
          turn.answer(datagram, from: source).map { answer in
            ScriptedSTUNServer.Answer(isAnswer ? answer : ByteBuffer(string: "news"), fromElsewhere: true)
          }
        } _: {
          try await explanation(of: $0.server, allocate)
        }
      }
      let failure = try await explained(isAnswer: true)
      #expect(failure.code == .wrongSource)
      #expect(failure.evidence("answersFrom")?.hasPrefix("127.0.0.1:") == true)
      #expect(failure.evidence("answersFrom") != failure.evidence("server"))
      #expect(failure.message.contains("clients drop such answers"))
      #expect(try await explained(isAnswer: false).code == .turnTimeout)
    }

    @Test("A server that has answered over UDP and falls silent is no path that blocks UDP, though TCP answers")
    func silentAfterAnswers() async throws {
      for silentMethod in [Method.allocate, .channelBind] {
        let turn = ScriptedTURN { request, _, _ in request.type.method == silentMethod ? [] : nil }
        try await ScriptedSTUNServer.with {
          turn.answer($0, from: $1).map { ScriptedSTUNServer.Answer($0) }
        } _: { fallingSilent in
          try await Coturn.with(port: fallingSilent.address.port, ["--no-udp"]) { _ in
            let failure = try await explanation(of: fallingSilent.server) { (server) async throws(ProbeFailure) in
              var probe = RelayProbe(server: server)
              probe.packets = 1
              _ = try await probe.run(deadline: .milliseconds(1200))
            }
            #expect(failure.code == .turnTimeout)
            #expect(failure.evidence("answeredBefore") == "yes")
            #expect(failure.message.contains("fell silent"))
          }
        }
      }
    }

    @Test("A deadline that is spent is no silence of the server's; one that leaves time to answer is")
    func outOfTime() async throws {
      try await ScriptedSTUNServer.with(Self.silent) { server in
        for (deadline, code) in [
          (Duration.milliseconds(400), ProbeFailure.Code.outOfTime), (.milliseconds(700), .turnTimeout),
        ] {
          let failure = try await explanation(of: server.server) { (server) async throws(ProbeFailure) in
            _ = try await AllocateProbe(server: server).run(deadline: deadline)
          }
          #expect(failure.code == code)
        }
      }
    }

    @Test("REST user expired; not where the secret is another one")
    func expired() async throws {
      try await Coturn.with(authentication: .sharedSecret) { coturn in
        func server(_ secret: String, _ lifetime: Duration) -> ProbedServer {
          ProbedServer(
            uri: coturn.uri(),
            credentials: .sharedSecret(secret, user: "x", lifetime: lifetime, order: .expiryFirst))
        }
        let expired = try await explanation(of: server(Coturn.secret, .seconds(-90)), allocate)
        #expect(expired.code == .credentialsExpired)
        #expect(expired.evidence("expiredFor")?.hasSuffix(" seconds") == true)
        #expect(expired.message.contains(/expired 9[0-9] seconds ago/))
        let wrong = try await explanation(of: server("another", .seconds(90)), allocate)
        #expect(wrong.code == .unauthorized)
      }
    }

    /// The MD5 of `bob:REALM:sesame`: what a server keeps that knows no passwords (RFC 8489, section 9.2.2).
    private static let keys = [
      "a.example": "0xf2b503a03a6fde7d3a0385c4e43f7b16", "r.example": "0xcac32f7c185468be42b5e9fb23ca86b2",
    ]

    private func allocateAsBob(knownIn realm: String, expecting expected: String?) async throws -> ProbeFailure {
      try await Coturn.with(["--user", "bob:\(Self.keys[realm] ?? "")"]) { coturn in
        var server = coturn.server(username: "bob", password: "sesame")
        server.expectedRealm = expected
        return try await explanation(of: server, allocate)
      }
    }

    @Test("Wrong realm: the user's key was made for the declared one, and the server announces another")
    func wrongRealm() async throws {
      let failure = try await allocateAsBob(knownIn: "a.example", expecting: "a.example")
      #expect(failure.code == .realmMismatch)
      #expect(failure.evidence("realm") == "r.example")
      #expect(failure.evidence("expectedRealm") == "a.example")
      #expect(failure.message.contains("\"r.example\", not \"a.example\""))
      #expect(failure.advice.contains("realm="))
    }

    @Test("Wrong realm does not appear for a wrong password, nor for an expired REST user, in the declared realm")
    func nearWrongRealm() async throws {
      try await Coturn.with { coturn in
        var server = coturn.server(password: "wrong")
        server.expectedRealm = Coturn.realm
        let failure = try await explanation(of: server, allocate)
        #expect(failure.code == .unauthorized)
        #expect(failure.advice.contains("\"r.example\" is the expected one"))
      }
      try await Coturn.with(authentication: .sharedSecret) { coturn in
        var server = ProbedServer(
          uri: coturn.uri(),
          credentials: .sharedSecret(Coturn.secret, user: "x", lifetime: .seconds(-90), order: .expiryFirst))
        server.expectedRealm = Coturn.realm
        let failure = try await explanation(of: server, allocate)
        #expect(failure.code == .credentialsExpired)
      }
    }

    @Test(
      "Where no realm is declared, the advice names the one that was seen, first of all for a user of another domain")
    func undeclaredRealm() async throws {
      let failure = try await allocateAsBob(knownIn: "a.example", expecting: nil)
      #expect(failure.code == .unauthorized)
      #expect(failure.advice.contains("The server's realm is \"r.example\""))
      try await Coturn.with { coturn in
        let domain = try await explanation(of: coturn.server(username: "bob@a.example", password: "sesame"), allocate)
        #expect(domain.code == .unauthorized)
        #expect(domain.advice.contains("one of \"a.example\", the server's realm is \"r.example\": look there first"))
      }
    }

    @Test("A key made for the announced realm works, whatever realm is declared: the server's is used")
    func rightRealm() async throws {
      try await Coturn.with(["--user", "bob:\(Self.keys[Coturn.realm] ?? "")"]) { coturn in
        var server = coturn.server(username: "bob", password: "sesame")
        server.expectedRealm = "a.example"
        let report = try await AllocateProbe(server: server).run(deadline: .seconds(5))
        #expect(report.realm == Coturn.realm)
      }
    }

    @Test("Draining; not where a peer is denied")
    func draining() async throws {
      try await ScriptedTURN.with { request, _, _ in
        request.type.method == .allocate ? [ScriptedReply.error(403, to: request, key: ScriptedTURN.key)] : nil
      } _: { server, _ in
        let explained = try await explanation(of: server, allocate)
        #expect(explained.code == .draining)
      }
      try await Coturn.with(["--denied-peer-ip=127.0.0.1"]) { coturn in
        let denied = try await explanation(of: coturn.server()) { server throws(ProbeFailure) in
          _ = try await RelayProbe(server: server).run(deadline: .seconds(5))
        }
        #expect(denied.code == .forbidden)
      }
    }

    @Test("External address set wrong; not where relays are merely silent")
    func externalAddress() async throws {
      func relay(_ server: ProbedServer) async throws(ProbeFailure) {
        var probe = RelayProbe(server: server)
        (probe.packets, probe.rate) = (5, 50)
        _ = try await probe.run(deadline: .seconds(5))
      }
      try await Coturn.with(["--external-ip", "127.0.0.9"]) { coturn in
        let failure = try await explanation(of: coturn.server(), relay)
        #expect(failure.code == .externalAddressWrong)
        #expect(failure.evidence("givenAddress") == "127.0.0.9")
        #expect(failure.evidence("observedAddress") == "127.0.0.1")
      }
      try await ScriptedTURN.with { _, _, _ in
        nil
      } _: { server, _ in
        let explained = try await explanation(of: server, relay)
        #expect(explained.code == .nothingRelayed)
      }
    }

    @Test("A certificate not trusted is told from one for another name")
    func certificate() async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue("DNS:a.example").coturnArguments) { coturn in
          var server = coturn.server(.turns, .tcp)
          let untrusted = try await explanation(of: server, allocate)
          #expect(untrusted.code == .certificateUntrusted)
          server.tls.trustFile = authority.certificate
          let misnamed = try await explanation(of: server, allocate)
          #expect(misnamed.code == .certificateNameMismatch)
        }
      }
    }
  }
}
