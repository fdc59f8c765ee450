import Addresses
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("TLSHandshakeProbe")
  struct TLSHandshakeProbeTests {
    @Test("coturn's TLS versions and ciphers are told apart; what OpenSSL cannot offer is untestable")
    func tls() async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments + ["--no-tlsv1", "--no-tlsv1_1"]) { coturn in
          let report = try await TLSHandshakeProbe(server: coturn.server(.turns, .tcp)).run(deadline: .seconds(60))
          let versions = Dictionary(uniqueKeysWithValues: report.versions.map { ($0.version, $0.verdict) })
          #expect(versions[.tls12] == .accepted)
          for legacy in [TLSVersion.tls10, .tls11] {
            guard case .refused = versions[legacy] else {
              Issue.record("\(legacy) is \(String(describing: versions[legacy]))")
              continue
            }
          }
          #expect(report.legacyVersions == [])
          let ciphers = Dictionary(
            try #require(report.ciphers).filter { $0.version == .tls12 }.map { ($0.cipher, $0.verdict) }
          ) { first, _ in first }
          #expect(ciphers["ECDHE-RSA-AES256-GCM-SHA384"] == .accepted)
          guard case .untestable = ciphers["RC4-SHA"] else {
            Issue.record("RC4 is \(String(describing: ciphers["RC4-SHA"]))")
            return
          }
          // The server's key is of RSA.
          guard case .refused = ciphers["ECDHE-ECDSA-AES256-GCM-SHA384"] else {
            Issue.record("ECDSA is \(String(describing: ciphers["ECDHE-ECDSA-AES256-GCM-SHA384"]))")
            return
          }
          #expect(report.handshake.verification?.kind == .untrusted)
        }
      }
    }

    @Test("A cipher list that allows weak ciphers is found out")
    func weak() async throws {
      try await TestAuthority.with { authority in
        let arguments =
          try authority.issue().coturnArguments + ["--cipher-list", "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256"]
        try await Coturn.with(arguments) { coturn in
          let report = try await TLSHandshakeProbe(server: coturn.server(.turns, .tcp)).run(deadline: .seconds(60))
          #expect(report.legacyCiphers == ["AES128-SHA"])
        }
      }
    }

    @Test("DTLS is told apart, too")
    func dtls() async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          let probe = TLSHandshakeProbe(server: coturn.server(.turns, .udp), triesCiphers: false)
          let report = try await probe.run(deadline: .seconds(20))
          #expect(report.versions.map(\.version) == [.dtls10, .dtls12])
          #expect(report.versions.last?.verdict == .accepted)
          #expect(report.handshake.certificates.first?.subject == "CN=server")
          #expect(report.ciphers == nil)
          #expect(report.legacyCiphers == nil)
        }
      }
    }

    @Test(
      "A server of the past alone fails a modern client; what it accepts is told all the same",
      arguments: [(Transport.tls, TLSVersion.tls10), (.dtls, .dtls10)])
    func pastOnly(transport: Transport, version: TLSVersion) async throws {
      try await ScriptedSTUNServer.with(over: transport, version: version) { _, _ in
        []
      } _: { server in
        let report = try await TLSHandshakeProbe(server: server.server, triesCiphers: false).run(deadline: .seconds(20))
        #expect(report.objection.map { [.tlsFailed, .tlsVersion].contains($0.code) } == true)
        #expect(report.handshake.version == version.rawValue)
        #expect(report.legacyVersions == [version])
        #expect(report.versions.count == (transport == .dtls ? 2 : 4))
        #expect(report.versions.filter { $0.verdict == .accepted }.map(\.version) == [version])
        #expect(report.unanswered == 0)
      }
    }

    @Test(
      "A server that closes what a modern client says, and nothing else, fails it; one that has done so once does not",
      arguments: [(Set([0, 2, 3, 4]), ProbeFailure.Code.connectionClosed), (Set([0]), nil)])
    func closing(connections: Set<Int>, objection: ProbeFailure.Code?) async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          var server = coturn.server(.turns, .tcp)
          // The second is the client that offers all there is, the third a modern one once more; then each offer more by itself.
          try await SwallowingProxy.with(to: try #require(coturn.tlsPort), closing: true) { number, _ in
            connections.contains(number)
          } _: { port in
            server.uri.port = port
            let report = try await TLSHandshakeProbe(server: server, triesCiphers: false).run(deadline: .seconds(20))
            #expect(report.objection?.code == objection)
            #expect(report.versions.contains { $0.version == .tls12 && $0.verdict == .accepted })
          }
        }
      }
    }

    @Test("Silence of a path that swallows every second connection for a while is no refusal")
    func swallowing() async throws {
      try await TestAuthority.with { authority in
        let accepted = ["AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256"]
        let arguments =
          try authority.issue().coturnArguments + ["--cipher-list", accepted.joined(separator: ":")]
        try await Coturn.with(arguments) { coturn in
          var server = coturn.server(.turns, .tcp)
          try await SwallowingProxy.with(to: try #require(coturn.tlsPort)) { number, _ in
            number < 60 && !number.isMultiple(of: 2)
          } _: { port in
            server.uri.port = port
            let report = try await TLSHandshakeProbe(server: server).run(deadline: .seconds(60))
            // coturn itself refuses ciphers by an alert.
            let ciphers = try #require(report.ciphers)
            #expect(ciphers.filter { $0.verdict == .accepted }.map(\.cipher).sorted() == accepted)
            #expect(ciphers.filter { $0.verdict == .refused("silence") || $0.verdict == .unanswered } == [])
          }
        }
      }
    }

    @Test("Silence to one kind of offer alone is a refusal")
    func silentRefusal() async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          var server = coturn.server(.turns, .tcp)
          try await SwallowingProxy.with(to: try #require(coturn.tlsPort)) { _, hello in
            // The version that a ClientHello names, behind the headers of record and handshake (RFC 5246, section 7.4.1.2).
            hello.getInteger(at: hello.readerIndex + 9, as: UInt16.self).map { $0 < 0x0303 } ?? false
          } _: { port in
            server.uri.port = port
            let report = try await TLSHandshakeProbe(server: server, triesCiphers: false).run(deadline: .seconds(30))
            let verdicts = Dictionary(uniqueKeysWithValues: report.versions.map { ($0.version, $0.verdict) })
            #expect(verdicts[.tls10] == .refused("silence"))
            #expect(verdicts[.tls11] == .refused("silence"))
            #expect(verdicts[.tls12] == .accepted)
            #expect(report.unanswered == 0)
          }
        }
      }
    }

    @Test("Where nothing is answered any more, silence says nothing of what was offered")
    func silent() async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          let probe = TLSHandshakeProbe(server: coturn.server(.turns, .tcp), triesCiphers: false)
          let report = try await probe.run(deadline: .seconds(30)) {
            if $0 == TLSVersion.tls10.rawValue { coturn.suspend() }
          }
          for result in report.versions {
            let isAgreed = result.version.rawValue == report.handshake.version
            #expect(result.verdict == (isAgreed ? .accepted : .unanswered))
          }
          #expect(report.unanswered == 3)
        }
      }
    }
  }
}
