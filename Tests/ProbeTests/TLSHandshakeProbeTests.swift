import Addresses
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
            report.ciphers.filter { $0.version == .tls12 }.map { ($0.cipher, $0.verdict) }
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
        }
      }
    }
  }
}
