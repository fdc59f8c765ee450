import Addresses
import Foundation
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Clients and ports that speak different protocols.
  @Suite("Ports that speak otherwise")
  struct PortExplanationTests {
    private func serverAt(_ uri: String) throws -> ProbedServer {
      ProbedServer(
        uri: try ServerURI(parsing: uri), credentials: .longTerm(LongTermCredentials(username: "u", password: "p")))
    }

    private func cause(_ server: ProbedServer) async throws -> ProbeFailure {
      try await explanation(of: server, allocate)
    }

    /// What `probe tls` says.
    private func tlsCause(_ server: ProbedServer, within limit: Duration = .seconds(20)) async throws -> ProbeFailure {
      let objection: ProbeFailure?
      do throws(ProbeFailure) {
        objection = try await TLSHandshakeProbe(server: server, triesCiphers: false).run(deadline: limit).objection
      } catch {
        return await error.explained(on: server, deadline: .seconds(4))
      }
      return try #require(objection)
    }

    /// With a certificate that nobody trusts here, unless the arguments say that there is none.
    private func withOpenSSL(
      _ arguments: [String], curve: String? = nil, _ body: (UInt16) async throws -> Void
    ) async throws {
      try await TestAuthority.with { authority in
        let issued = try authority.issue(curve: curve)
        let certificate = arguments.contains("-nocert") ? [] : ["-cert", issued.chain, "-key", issued.key]
        let server = try OpenSSLServer(certificate + arguments, in: authority.directory.path)
        try await body(server.port)
        withExtendedLifetime(server) {}
      }
    }

    @Test("turns: on a port of plain STUN is told so, by probe turn and probe tls alike", arguments: ["tcp", "udp"])
    func plainPort(transport: String) async throws {
      try await Coturn.with(["--no-tls", "--no-dtls"]) { coturn in
        let server = try serverAt("turns:127.0.0.1:\(coturn.port)?transport=\(transport)")
        let turn = try await cause(server)
        #expect(turn.code == .plainPort)
        #expect(turn.advice.contains("turn:127.0.0.1:\(coturn.port)?transport=\(transport)"))
        let tls = try await tlsCause(server, within: .milliseconds(1200))
        #expect(tls.code == turn.code)
        #expect(tls.message == turn.message)
      }
    }

    @Test("A handshake that got lost makes no plain port of one that speaks DTLS and answers plain STUN as well")
    func lostHandshake() async throws {
      let coturn = try await TestSupport.Coturn.start()
      let impairment = ImpairingRelay.Impairment(losesFirstHandshake: true)
      try await ImpairingRelay.with(to: try #require(coturn.tlsPort), impairment) { relay in
        let failure = try await cause(try serverAt("turns:127.0.0.1:\(relay.address.port)?transport=udp"))
        #expect(failure.code == .tlsTimedOut)
        #expect(failure.message.contains("The next handshake, from another port, took "))
        #expect(failure.evidence("nextHandshake") != nil)
      }
    }

    @Test("turns: on a port that answers nothing at all is no plain port")
    func silentPort() async throws {
      try await ScriptedSTUNServer.with(over: .tcp) { _, _ in
        []
      } _: { silent in
        let failure = try await cause(try serverAt("turns:127.0.0.1:\(silent.address.port)"))
        #expect(failure.code == .tlsTimedOut)
      }
    }

    @Test("turn:?transport=tcp on a TLS port is told to write turns:")
    func encryptedPort() async throws {
      try await withOpenSSL([]) { port in
        let failure = try await cause(try serverAt("turn:127.0.0.1:\(port)?transport=tcp"))
        #expect(failure.code == .encryptedPort)
        #expect(failure.advice.contains("turns:127.0.0.1:\(port)?transport=tcp"))
      }
    }

    @Test(
      "A web server behind TLS is named, by probe turn and probe tls alike, whether its certificate is trusted or not")
    func webServer() async throws {
      try await withOpenSSL(["-www"]) { port in
        var server = try serverAt("turns:127.0.0.1:\(port)")
        for verifies in [true, false] {
          server.tls.verifiesCertificate = verifies
          let turn = try await cause(server)
          #expect(turn.code == .otherProtocol)
          #expect(turn.message == "127.0.0.1:\(port) over TLS answers with HTTP, not with STUN.")
          let tls = try await tlsCause(server)
          #expect(tls.code == turn.code)
          #expect(tls.message == turn.message)
        }
        let plain = try await cause(try serverAt("turn:127.0.0.1:\(port)?transport=tcp"))
        #expect(plain.code == .otherProtocol)
        #expect(plain.message == "127.0.0.1:\(port) over TLS answers with HTTP, not with STUN.")
      }
    }

    @Test(
      "What answers at once in another protocol is named",
      arguments: [
        ("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "HTTP"), ("SSH-2.0-OpenSSH_9.2p1\r\n", "SSH"),
      ])
    func otherProtocol(answer: String, name: String) async throws {
      try await ScriptedSTUNServer.with(over: .tcp) { _, _ in
        [ScriptedSTUNServer.Answer(ByteBuffer(string: answer))]
      } _: { server in
        let port = server.address.port
        let failure = try await cause(try serverAt("turn:127.0.0.1:\(port)?transport=tcp"))
        #expect(failure.code == .otherProtocol)
        #expect(failure.message == "127.0.0.1:\(port) over TCP answers with \(name), not with STUN.")
      }
    }

    @Test("A TURN server that answers web clients too, as coturn does, and no Binding, is no web server")
    func answersWebClients() async throws {
      let turn = ScriptedTURN { request, _, _ in request.type.method == .binding ? [] : nil }
      try await ScriptedSTUNServer.with(over: .tls) { bytes, source in
        if bytes.readableBytesView.starts(with: "GET".utf8) {
          return [.init(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"))]
        }
        return turn.answer(bytes, from: source).map { .init($0) }
      } _: { server in
        let report = try await TLSHandshakeProbe(server: server.server, triesCiphers: false).run(deadline: .seconds(20))
        #expect(report.objection == nil)
        var untrusting = server.server
        untrusting.tls.trustFile = nil
        #expect(try await cause(untrusting).code == .certificateUntrusted)
      }
    }

    @Test("STUN behind TLS is no web server's")
    func stunInside() async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          let report = try await TLSHandshakeProbe(server: coturn.server(.turns, .tcp), triesCiphers: false)
            .run(deadline: .seconds(20))
          #expect(report.objection == nil)
          #expect(report.applicationProtocol == .selected)
          #expect(report.handshake.applicationProtocol == nil)
        }
      }
    }

    @Test(
      "ALPN: without it decides; a server that knows other protocols only refuses stun.turn, and one without ALPN ignores it",
      arguments: ["http/1.1", ""])
    func alpn(protocols: String) async throws {
      try await withOpenSSL(protocols.isEmpty ? [] : ["-alpn", protocols]) { port in
        let report = try await TLSHandshakeProbe(server: try serverAt("turns:127.0.0.1:\(port)"), triesCiphers: false)
          .run(deadline: .seconds(20))
        #expect(report.versions.contains { $0.version == .tls13 && $0.verdict == .accepted })
        if protocols.isEmpty {
          #expect(report.applicationProtocol == .ignored)
        } else {
          guard case .refused(let reason) = report.applicationProtocol else {
            Issue.record("ALPN is \(report.applicationProtocol)")
            return
          }
          #expect(reason.contains("another protocol"))
        }
      }
    }

    @Test("A server or proxy that takes no client without ALPN is told, by probe turn and probe tls alike")
    func alpnRequired() async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          var server = coturn.server(.turns, .tcp)
          try await SwallowingProxy.with(to: try #require(coturn.tlsPort), closing: true) { _, hello in
            !hello.readableBytesView.contains("stun.turn".utf8)
          } _: { port in
            server.uri.port = port
            let tls = try await tlsCause(server)
            #expect(tls.code == .applicationProtocolRequired)
            let turn = try await cause(server)
            #expect(turn.code == tls.code)
            #expect(turn.message == tls.message)
          }
        }
      }
    }

    @Test(
      "A server with groups only that no browser offers is told, by probe turn and probe tls alike",
      arguments: [Transport.tls, .dtls])
    func groups(transport: Transport) async throws {
      let name = transport == .tls ? "tcp" : "udp"
      try await withOpenSSL(["-groups", "P-521"] + (transport == .tls ? [] : ["-dtls", "-cipher", "ECDHE"])) { port in
        let server = try serverAt("turns:127.0.0.1:\(port)?transport=\(name)")
        let tls = try await tlsCause(server)
        #expect(tls.code == .noCommonGroup)
        #expect(tls.message.contains("agrees on keys with secp521r1 only"))
        let turn = try await cause(server)
        #expect(turn.code == tls.code)
        #expect(turn.message == tls.message)
      }
    }

    @Test("A certificate on a curve that no browser offers is told, where it decides (TLS 1.2)")
    func certificateCurve() async throws {
      try await withOpenSSL(["-tls1_2"], curve: "P-521") { port in
        let tls = try await tlsCause(try serverAt("turns:127.0.0.1:\(port)"))
        #expect(tls.code == .noCommonGroup)
        #expect(tls.message.hasPrefix("The certificate of turns:127.0.0.1:\(port) has a key on a curve"))
      }
    }

    @Test("A server with one of the groups that browsers offer passes, and the group is told")
    func browserGroup() async throws {
      try await withOpenSSL(["-groups", "P-384"]) { port in
        let report = try await TLSHandshakeProbe(server: try serverAt("turns:127.0.0.1:\(port)"), triesCiphers: false)
          .run(deadline: .seconds(20))
        #expect(report.objection == nil)
        #expect(report.handshake.group == "secp384r1")
      }
    }

    @Test("handshake_failure on every cipher speaks of certificate and key first")
    func refusesAll() async throws {
      try await withOpenSSL(["-nocert"]) { port in
        let server = try serverAt("turns:127.0.0.1:\(port)")
        let turn = try await cause(server)
        #expect(turn.code == .tlsRefused)
        #expect(turn.advice.hasPrefix("Look at the server's certificate and key first"))
        #expect(try await tlsCause(server).advice == turn.advice)
      }
    }
  }
}
