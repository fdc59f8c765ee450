import Addresses
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("Transports")
  struct TransportTests {
    /// A way to coturn, as a URI has it.
    struct Way: Sendable, CustomStringConvertible {
      let scheme: ServerURI.Scheme
      let transport: ServerURI.URITransport
      let host: String
      var description: String { "\(scheme) \(transport) \(host)" }
    }

    static let ways = ["127.0.0.1", "::1"].flatMap { host in
      [ServerURI.Scheme.turn, .turns].flatMap { scheme in
        ServerURI.URITransport.allCases.map { Way(scheme: scheme, transport: $0, host: host) }
      }
    }

    @Test("Binding, allocation and relay work over every transport, over IPv4 and IPv6", arguments: ways)
    func everyWay(way: Way) async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(host: way.host, try authority.issue().coturnArguments) { coturn in
          var server = coturn.server(way.scheme, way.transport)
          server.tls.trustFile = authority.certificate
          let binding = try await BindingProbe(server: server).run(deadline: .seconds(15))
          #expect(binding.transport == server.transport)
          #expect(binding.reflexiveAddress == binding.localAddress)
          #expect(binding.rtt?.count == 5)

          // The default relayed address is of IPv4 (RFC 8656, section 7.1).
          let family: AddressFamily? = way.host.contains(":") ? .ipv6 : nil
          var allocate = AllocateProbe(server: server)
          allocate.options.family = family
          let allocation = try await allocate.run(deadline: .seconds(15))
          #expect(allocation.relayedAddress.ip.family == family ?? .ipv4)
          #expect(allocation.deletion.isConfirmed)

          for path in RelayProbe.Path.allCases {
            var relay = RelayProbe(server: server)
            (relay.packets, relay.rate, relay.size, relay.path, relay.family) = (60, 400, 161, path, family)
            let report = try await relay.run(deadline: .seconds(8))
            #expect(report.received == 60)
            #expect(report.allocationsDeleted)
          }
          try await coturn.expectNoAllocations(of: 5)
        }
      }
    }

    @Test(
      "25. TLS and DTLS agree on ALPN, and show version, cipher and certificate", arguments: [Transport.tls, .dtls])
    func handshake(transport: Transport) async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          var server = coturn.server(.turns, transport == .dtls ? .udp : .tcp)
          server.tls.trustFile = authority.certificate
          server.tls.applicationProtocols = ["stun.turn"]
          let handshake = try await ServerConnection.withConnection(
            to: try await server.preferredAddress(by: .now + .seconds(15)), over: transport,
            options: server.connectionOptions(), by: .now + .seconds(15)
          ) { connection throws(ProbeFailure) in connection.handshake }
          let agreed = try #require(handshake)
          #expect(agreed.version == (transport == .tls ? "TLSv1.2" : "DTLSv1.2"))
          #expect(agreed.applicationProtocol == "stun.turn")
          #expect(agreed.verification == nil)
          let certificate = try #require(agreed.certificates.first)
          #expect(certificate.subject == "CN=server")
          #expect(certificate.issuer == "CN=Test CA,O=Test")
          #expect(certificate.names == ["127.0.0.1", "::1", "localhost"])
          #expect(certificate.keyType == "RSA")
          #expect(certificate.keyBits == 2048)
          #expect(certificate.notAfter - certificate.notBefore == 5 * 86_400)
          #expect(certificate.fingerprint.utf8.count == 64)
        }
      }
    }

    struct Distrust: Sendable, CustomStringConvertible {
      let description: String
      let expected: ProbeFailure.Code
      var names = "IP:127.0.0.1"
      var days = 5
      var serverName: String?
      var trustsAuthority = true
    }

    static let distrusts = [
      Distrust(description: "unknown authority", expected: .certificateUntrusted, trustsAuthority: false),
      Distrust(description: "another address", expected: .certificateNameMismatch, names: "IP:127.0.0.2"),
      Distrust(
        description: "another name", expected: .certificateNameMismatch, names: "DNS:a.example", serverName: "b.example"
      ),
      Distrust(description: "expired", expected: .certificateExpired, days: -1),
    ]

    @Test("A certificate that does not convince is named, over TLS and DTLS", arguments: distrusts)
    func distrust(distrust: Distrust) async throws {
      try await TestAuthority.with { authority in
        let issued = try authority.issue(distrust.names, days: distrust.days)
        try await Coturn.with(issued.coturnArguments) { coturn in
          for transport in ServerURI.URITransport.allCases {
            var server = coturn.server(.turns, transport)
            server.tls.trustFile = distrust.trustsAuthority ? authority.certificate : nil
            server.tls.serverName = distrust.serverName
            let failure = await #expect(throws: ProbeFailure.self) {
              try await BindingProbe(server: server).run(deadline: .seconds(15))
            }
            #expect(failure?.code == distrust.expected)
            server.tls.verifiesCertificate = false
            _ = try await BindingProbe(server: server, requests: 1).run(deadline: .seconds(15))
          }
        }
      }
    }

    @Test("A name in the certificate is accepted for SNI and name check")
    func name() async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue("DNS:turn.example").coturnArguments) { coturn in
          for transport in ServerURI.URITransport.allCases {
            var server = coturn.server(.turns, transport)
            server.tls.trustFile = authority.certificate
            server.tls.serverName = "turn.example"
            _ = try await BindingProbe(server: server, requests: 1).run(deadline: .seconds(15))
          }
        }
      }
    }

    @Test("A connection that does not come about tells how long it was waited for, and speaks of its own protocol")
    func timeouts() async throws {
      func failure(of server: ProbedServer) async throws -> ProbeFailure {
        let failure = await #expect(throws: ProbeFailure.self) {
          try await AllocateProbe(server: server).run(deadline: .seconds(1))
        }
        return try #require(failure)
      }
      try await FullListener.with { port in
        let uri = ServerURI(scheme: .turn, host: "127.0.0.1", port: port, transport: .tcp)
        let unconnected = try await failure(of: ProbedServer(uri: uri))
        #expect(unconnected.code == .connectTimedOut)
        #expect(unconnected.message.contains(/over TCP came about within (1|0\.[0-9]+)s\.$/))
      }
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          coturn.suspend()
          for (transport, name) in [(ServerURI.URITransport.tcp, "TLS"), (.udp, "DTLS")] {
            let silent = try await failure(of: coturn.server(.turns, transport))
            #expect(silent.code == .tlsTimedOut)
            #expect(silent.message.contains(/did not finish the handshake within (1|0\.[0-9]+)s\.$/))
            #expect(silent.message.contains(" over \(name) "))
            #expect(silent.advice.contains(" \(name) listener "))
            #expect("\(silent)".contains("DTLS") == (transport == .udp))
          }
        }
      }
    }

    @Test("A closed port, and a port that speaks no TLS, are named at once")
    func wrongPort() async throws {
      let closed = try freePort()
      func code(_ uri: ServerURI) async -> ProbeFailure.Code? {
        await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: ProbedServer(uri: uri)).run(deadline: .seconds(3))
        }?.code
      }
      for scheme in [ServerURI.Scheme.turn, .turns] {
        #expect(
          await code(ServerURI(scheme: scheme, host: "127.0.0.1", port: closed, transport: .tcp)) == .connectionRefused)
        #expect(
          await code(ServerURI(scheme: scheme, host: "127.0.0.1", port: closed, transport: .udp)) == .portUnreachable)
      }
      try await ScriptedSTUNServer.with(over: .tcp) { _, _ in
        [.init(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))]
      } _: { server in
        var uri = server.uri
        uri.scheme = .turns
        #expect(await code(uri) == .notTLS)
      }
      try await Coturn.with { coturn in
        let datagram = ServerURI(scheme: .turns, host: "127.0.0.1", port: coturn.port, transport: .udp)
        #expect(await code(datagram) == .tlsTimedOut)
      }
    }

    static let alerts: [UInt8: ProbeFailure.Code] = [
      40: .tlsRefused, 70: .tlsVersion, 71: .tlsRefused, 116: .tlsRefused,
      // Without a name in the library, or in any RFC.
      121: .tlsRefused, 200: .tlsRefused,
    ]

    @Test("An alert that ends the handshake is known by its number, with or without words for it", arguments: alerts)
    func alert(number: UInt8, expected: ProbeFailure.Code) async throws {
      try await ScriptedSTUNServer.with(over: .tcp) { _, _ in
        [.init(ByteBuffer(bytes: [21, 3, 3, 0, 2, 2, number]))]
      } _: { scripted in
        var server = scripted.server
        server.uri.scheme = .turns
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BindingProbe(server: server).run(deadline: .seconds(3))
        }
        #expect(failure?.code == expected)
      }
    }

    @Test("Trusted certificates are read only where something is judged by them")
    func unreadTrust() async throws {
      let turn = ScriptedTURN { _, _, _ in nil }
      try await ScriptedSTUNServer.with(over: .tls) {
        turn.answer($0, from: $1).map { .init($0) }
      } _: { scripted in
        var server = scripted.server
        server.tls.trustFile = "/nonexistent/ca.pem"
        func code() async -> ProbeFailure.Code? {
          do throws(ProbeFailure) {
            _ = try await BindingProbe(server: server, requests: 1).run(deadline: .seconds(5))
            return nil
          } catch {
            return error.code
          }
        }
        #expect(await code() == .tlsConfiguration)
        let failure = await #expect(throws: ProbeFailure.self) {
          try await CertificateProbe(server: server).run(deadline: .seconds(5))
        }
        #expect(failure?.code == .tlsConfiguration)
        server.tls.verifiesCertificate = false
        #expect(await code() == nil)
      }
    }

    @Test("Behind the deadline nothing is set up for TLS any more", arguments: [Transport.tls, .dtls])
    func noTimeLeft(transport: Transport) async throws {
      let server = ProbedServer(uri: ServerURI(scheme: .turns, host: "127.0.0.1", port: try freePort()))
      var options = server.connectionOptions()
      options.tls.trustFile = "/nonexistent/ca.pem"
      let failure = await #expect(throws: TransportFailure.self) {
        try await ServerConnection.open(
          to: try await server.preferredAddress(by: .now + .seconds(5)), over: transport, options: options, by: .now)
      }
      guard case .tls(let problem) = failure, problem.kind == .timedOut else {
        Issue.record("\(String(describing: failure))")
        return
      }
    }

    @Test(
      "A stopped process is silent over every transport: a named failure within the deadline", arguments: ways.prefix(4)
    )
    func silence(way: Way) async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          coturn.suspend()
          var server = coturn.server(way.scheme, way.transport)
          server.tls.trustFile = authority.certificate
          let probe = AllocateProbe(server: server)
          let start = ContinuousClock.now
          let failure = await #expect(throws: ProbeFailure.self) { try await probe.run(deadline: .seconds(1)) }
          #expect(failure?.code == (way.scheme.isSecure ? .tlsTimedOut : .turnTimeout))
          #expect(ContinuousClock.now - start < .seconds(4))
        }
      }
    }
  }
}
