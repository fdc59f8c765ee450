import Addresses
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Servers that demand a certificate of their clients: coturn up to TLS 1.2, OpenSSL's own server with TLS 1.3, where
  /// the refusal comes behind the handshake.
  @Suite("Client certificates")
  struct ClientCertificateTests {
    enum Shown: CaseIterable {
      case ours
      case none
      case expired
      case strangers
    }

    private func expected(_ shown: Shown) -> ProbeFailure.Code? {
      switch shown {
      case .ours: nil
      case .none: .clientCertificateMissing
      case .expired, .strangers: .clientCertificateRefused
      }
    }

    /// Gives the body an authority and what a client shows, by it or by another.
    private func withCertificates(
      _ shown: Shown, _ body: (TestAuthority, TLSOptions.ClientCertificate?) async throws -> Void
    ) async throws {
      try await TestAuthority.with { authority in
        try await TestAuthority.with { strangers in
          let issuer = shown == .strangers ? strangers : authority
          let issued =
            shown == .none ? nil : try issuer.issue("DNS:client.example", days: shown == .expired ? -1 : 5)
          try await body(authority, issued.map { .init(chainFile: $0.chain, keyFile: $0.key) })
        }
      }
    }

    private func code(of server: ProbedServer) async -> ProbeFailure.Code? {
      do throws(ProbeFailure) {
        let report = try await AllocateProbe(server: server).run(deadline: .seconds(15))
        #expect(report.deletion.isConfirmed)
        return nil
      } catch {
        return error.code
      }
    }

    @Test(
      "coturn takes ours over TLS and DTLS; without one, or with a wrong one, the failure says so",
      arguments: Shown.allCases)
    func coturn(shown: Shown) async throws {
      try await withCertificates(shown) { authority, certificate in
        let arguments = try authority.issue().coturnArguments + ["--CA-file", authority.certificate]
        try await Coturn.with(arguments) { coturn in
          for transport in [Transport.tls, .dtls] {
            var server = coturn.server(.turns, transport == .dtls ? .udp : .tcp)
            server.tls.trustFile = authority.certificate
            server.tls.clientCertificate = certificate
            #expect(await code(of: server) == expected(shown), "\(transport)")
          }
        }
      }
    }

    @Test("So it is with TLS 1.3, where the refusal comes behind the handshake", arguments: Shown.allCases)
    func behindHandshake(shown: Shown) async throws {
      try await withCertificates(shown) { authority, certificate in
        let turn = ScriptedTURN { _, _, _ in nil }
        try await ScriptedSTUNServer.with(over: .tls, clientAuthority: authority.certificate) { bytes, source in
          turn.answer(bytes, from: source).map { .init($0) }
        } _: { scripted in
          var server = scripted.server
          server.tls.versions = .tls13 ... .tls13
          server.tls.clientCertificate = certificate
          #expect(await code(of: server) == expected(shown))
        }
      }
    }

    @Test("A server that demands none does not see ours, and another refusal is not called after it")
    func notDemanded() async throws {
      try await withCertificates(.ours) { authority, certificate in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          var server = coturn.server(.turns, .tcp)
          server.tls.trustFile = authority.certificate
          server.tls.clientCertificate = certificate
          #expect(await code(of: server) == nil)
          server.tls.cipherList = "ECDHE-ECDSA-AES256-GCM-SHA384"
          server.tls.versions = .tls12 ... .tls12
          #expect(await code(of: server) == .tlsRefused)
        }
      }
    }

    @Test("What is wrong with a key is told: another certificate's, of either kind, locked in either form, or none")
    func keys() async throws {
      try await TestAuthority.with { authority in
        let (first, second) = (try authority.issue(), try authority.issue())
        func reasons(_ key: String) -> [String] {
          var options = TLSOptions()
          options.clientCertificate = .init(chainFile: first.chain, keyFile: key)
          return options.fileProblems().map(\.reason)
        }
        #expect(reasons(first.key) == [])
        var expected = [
          (second.key, "is the key of another certificate"), (authority.key, "is the key of another certificate"),
          (first.chain, "holds no private key"), ("/nonexistent/key.pem", "holds no private key"),
        ]
        for lock in TestAuthority.Lock.allCases {
          expected.append((try authority.locked(first, as: lock), "is protected by a passphrase"))
        }
        for (key, what) in expected {
          let found = reasons(key)
          #expect(found.count == 1 && found.first?.hasPrefix("\(key) \(what)") == true, "\(found)")
        }
      }
    }

    @Test("Files that are missing, do not belong together or are locked are named, without asking at the terminal")
    func unusable() async throws {
      try await TestAuthority.with { authority in
        let (first, second) = (try authority.issue(), try authority.issue())
        let locked = try authority.locked(first)
        for (chain, key) in [
          ("/nonexistent/client.pem", first.key), (first.chain, first.chain), (first.chain, second.key),
          (first.chain, locked),
        ] {
          try await ScriptedSTUNServer.with(over: .tls) { _, _ in
            []
          } _: { scripted in
            var server = scripted.server
            server.tls.clientCertificate = .init(chainFile: chain, keyFile: key)
            #expect(await code(of: server) == .tlsConfiguration)
          }
        }
      }
    }
  }
}
