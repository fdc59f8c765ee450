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
    private func serverAt(_ uri: String) throws -> Server {
      Server(uri: try ServerURI(parsing: uri), credentials: .longTerm(LongTermCredentials(username: "u", password: "p")))
    }

    private func cause(_ server: Server) async throws -> ProbeFailure { try await explanation(of: server, allocate) }

    /// What `probe tls` says.
    private func tlsCause(_ server: Server) async throws -> ProbeFailure {
      let objection: ProbeFailure?
      do throws(ProbeFailure) {
        objection = try await TLSHandshakeProbe(server: server, triesCiphers: false).run(deadline: .seconds(20)).objection
      } catch {
        return await error.explained(on: server, deadline: .seconds(4))
      }
      return try #require(objection)
    }

    private func withOpenSSL(
      _ arguments: [String], mayBeWithoutCertificate: Bool = false, _ body: (UInt16) async throws -> Void
    ) async throws {
      try await TestAuthority.with { authority in
        let issued = try authority.issue()
        let certificate = ["-cert", issued.chain, "-key", issued.key]
        let server = try OpenSSLServer(
          (mayBeWithoutCertificate ? [] : certificate) + arguments, in: authority.directory.path)
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
        if transport == "tcp" { #expect(try await tlsCause(server).message == turn.message) }
      }
    }

    @Test("turns: on a port that answers nothing at all is no plain port")
    func silentPort() async throws {
      try await ScriptedServer.with(over: .tcp) { _, _ in
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

    @Test("A web server is named, over TLS and without, by probe turn and probe tls alike")
    func webServer() async throws {
      try await withOpenSSL(["-www"]) { port in
        for uri in ["turns:127.0.0.1:\(port)", "turn:127.0.0.1:\(port)?transport=tcp"] {
          let failure = try await cause(try serverAt(uri))
          #expect(failure.code == .otherProtocol || uri.hasPrefix("turns") && failure.code == .certificateUntrusted)
        }
        var trusting = try serverAt("turns:127.0.0.1:\(port)")
        trusting.tls.verifiesCertificate = false
        let turn = try await cause(trusting)
        #expect(turn.code == .otherProtocol)
        #expect(turn.message.contains("HTTP"))
        let tls = try await tlsCause(trusting)
        #expect(tls.code == turn.code)
        #expect(tls.message == turn.message)
      }
      let answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
      try await ScriptedServer.with(over: .tcp) { _, _ in
        [ScriptedServer.Answer(ByteBuffer(string: answer))]
      } _: { web in
        let port = web.address.port
        let failure = try await cause(try serverAt("turn:127.0.0.1:\(port)?transport=tcp"))
        #expect(failure.code == .otherProtocol)
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

    @Test("A server with groups only that no browser offers is told, by probe turn and probe tls alike")
    func groups() async throws {
      try await withOpenSSL(["-groups", "P-521"]) { port in
        let server = try serverAt("turns:127.0.0.1:\(port)")
        let tls = try await tlsCause(server)
        #expect(tls.code == .noCommonGroup)
        #expect(tls.message.contains("secp521r1"))
        let turn = try await cause(server)
        #expect(turn.code == tls.code)
        #expect(turn.message == tls.message)
      }
      try await withOpenSSL(["-groups", "P-384"]) { port in
        let report = try await TLSHandshakeProbe(server: try serverAt("turns:127.0.0.1:\(port)"), triesCiphers: false)
          .run(deadline: .seconds(20))
        #expect(report.objection == nil)
        #expect(report.handshake.group == "secp384r1")
      }
    }

    @Test("handshake_failure on every cipher speaks of certificate and key first")
    func refusesAll() async throws {
      try await withOpenSSL(["-nocert"], mayBeWithoutCertificate: true) { port in
        let server = try serverAt("turns:127.0.0.1:\(port)")
        let turn = try await cause(server)
        #expect(turn.code == .tlsRefused)
        #expect(turn.advice.hasPrefix("Look at the server's certificate and key first"))
        #expect(try await tlsCause(server).advice == turn.advice)
      }
    }
  }
}
