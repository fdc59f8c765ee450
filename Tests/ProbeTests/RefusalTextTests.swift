import Addresses
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// What is said of refusals and silence fits what was given and what is seen; each text with what provokes it, and with
  /// a near cause for which it must not appear.
  @Suite("Texts of refusals")
  struct RefusalTextTests {
    private func relay(_ server: ProbedServer) async throws(ProbeFailure) {
      _ = try await RelayProbe(server: server).run(deadline: .seconds(5))
    }

    private func ports(_ server: ProbedServer) async throws(ProbeFailure) {
      _ = try await PortsProbe(server: server, allocations: 1).run(deadline: .seconds(5))
    }

    private func secretServer(_ coturn: Coturn) -> ProbedServer {
      ProbedServer(
        uri: coturn.uri(),
        credentials: .sharedSecret("another", user: "x", lifetime: .seconds(90), order: .expiryFirst))
    }

    // MARK: 401

    @Test("A refused secret is compared with static-auth-secret, and users are offered; no password is spoken of")
    func refusedSecret() async throws {
      for authentication in [Coturn.Authentication.sharedSecret, .longTerm] {
        try await Coturn.with(authentication: authentication) { coturn in
          let failure = try await explanation(of: secretServer(coturn), allocate)
          #expect(failure.code == .unauthorized)
          #expect(failure.message.hasSuffix("it does not accept the credentials made from the secret."))
          #expect(failure.advice.contains("static-auth-secret"))
          #expect(failure.advice.contains("TURN_USERNAME and TURN_CREDENTIAL"))
          #expect(!failure.advice.contains("password"))
        }
      }
    }

    @Test("A refused password speaks of no clocks, and of the secret that a server without users needs")
    func refusedPassword() async throws {
      for authentication in [Coturn.Authentication.sharedSecret, .longTerm] {
        try await Coturn.with(authentication: authentication) { coturn in
          let failure = try await explanation(of: coturn.server(password: "wrong"), allocate)
          #expect(failure.code == .unauthorized)
          #expect(failure.message.hasSuffix("it does not accept the user name and password."))
          #expect(failure.advice.contains("TURN_SECRET"))
          #expect(!failure.advice.contains("clock"))
        }
      }
    }

    @Test("Clocks are spoken of where the user name holds a time")
    func refusedTimedName() async throws {
      try await Coturn.with(authentication: .sharedSecret) { coturn in
        let failure = try await explanation(of: coturn.server(username: "4000000000:bob", password: "wrong"), allocate)
        #expect(failure.code == .unauthorized)
        #expect(failure.advice.contains("both clocks"))
      }
    }

    @Test("How long ago a user name expired is told in days where it is years")
    func longExpired() async throws {
      try await Coturn.with(authentication: .sharedSecret) { coturn in
        let failure = try await explanation(of: coturn.server(username: "1600000000:bob"), allocate)
        #expect(failure.code == .credentialsExpired)
        #expect(failure.message.contains(/expired [0-9]+ days ago/))
      }
    }

    @Test(
      "A span of the past is told in units of which there are two or more",
      arguments: [
        (0, "0 seconds"), (1, "1 second"), (119, "119 seconds"), (120, "2 minutes"), (7199, "119 minutes"),
        (7200, "2 hours"), (172_799, "47 hours"), (172_800, "2 days"), (195_280_174, "2260 days"),
      ])
    func spans(seconds: Int, words: String) {
      #expect(Duration.seconds(seconds).inWords == words)
    }

    // MARK: 403

    @Test("coturn refuses loopback peers whatever is allowed, and is told so with the one option that helps")
    func loopbackPeer() async throws {
      for arguments in [[], ["--allowed-peer-ip=127.0.0.1"]] {
        try await Coturn.with(allowsLoopbackPeers: false, arguments) { coturn in
          let own = try await explanation(of: coturn.server(), ports)
          #expect(own.code == .forbidden)
          #expect(own.message.hasSuffix("it does not relay to 127.0.0.1, this host as the server sees it."))
          #expect(own.advice.contains("unless allow-loopback-peers is set"))
          #expect(own.evidence("peer") == "127.0.0.1")
          let relayed = try await explanation(of: coturn.server(), relay)
          #expect(relayed.code == .forbidden)
          #expect(relayed.message.hasSuffix("That is the server's own relayed address."))
          #expect(relayed.advice.contains("unless allow-loopback-peers is set"))
          // Our own address is refused, too.
          #expect(relayed.advice.contains("turn.allocate works"))
          #expect(!relayed.advice.contains("turn.ports"))
        }
      }
      try await Coturn.with { coturn in try await ports(coturn.server()) }
    }

    @Test("So it is where an external address stands for a loopback one: allowing that does not help")
    func mappedLoopbackPeer() async throws {
      let arguments = ["--external-ip=203.0.113.9/127.0.0.1", "--allowed-peer-ip=203.0.113.9"]
      try await Coturn.with(allowsLoopbackPeers: false, arguments) { coturn in
        let failure = try await explanation(of: coturn.server(), relay)
        #expect(failure.code == .forbidden)
        #expect(failure.message.contains("does not relay to 203.0.113.9:"))
        #expect(failure.advice.contains("203.0.113.9 stands for one, too (external-ip), allowing it does not help"))
        #expect(failure.advice.contains("unless allow-loopback-peers is set"))
      }
      try await Coturn.with(arguments) { coturn in try await relay(coturn.server()) }
    }

    @Test("Of a denied address that is no loopback one nothing is said of loopback")
    func deniedPeer() async throws {
      let server = try #require(TransportAddress("192.0.2.1:3478"))
      let peer = try #require(TransportAddress("10.0.0.1:0"))
      let refusal = RequestFailure.rejected(Rejection(method: .createPermission, error: ErrorCode(403)))
      let failure = ProbeFailure(refusal, of: .createPermission, peers: [peer], server: server, transport: .udp)
      #expect(failure.message.hasSuffix("it does not relay to 10.0.0.1."))
      #expect(failure.advice.contains("denied-peer-ip"))
      #expect(!failure.advice.contains("loopback"))
    }

    @Test("turn.expiry says that it is our own address that is refused")
    func expiryOfDeniedPeer() async throws {
      try await Coturn.with(["--denied-peer-ip=127.0.0.1"]) { coturn in
        for subject in ExpiryProbe.Subject.allCases {
          let failure = await #expect(throws: ProbeFailure.self) {
            try await ExpiryProbe(server: coturn.server(), subject: subject, after: .seconds(1)).run(
              deadline: .seconds(15))
          }
          #expect(failure?.code == .forbidden)
          #expect(failure?.message.contains(/127\.0\.0\.1(:[0-9]+)?, this host as the server sees it\.$/) == true)
        }
      }
    }

    // MARK: 440, 486

    @Test("A reached quota names what counts besides, and what helps")
    func quota() async throws {
      try await Coturn.with(["--user-quota", "1"]) { coturn in
        let failure = try await explanation(of: coturn.server(), relay)
        #expect(failure.code == .quotaReached)
        #expect(failure.advice.contains("only after some seconds"))
        #expect(failure.advice.contains("a user of its own"))
      }
    }

    @Test("NULs behind coturn's phrases are left out")
    func paddedPhrase() async throws {
      try await Coturn.with { coturn in
        var options = AllocateOptions()
        options.family = .ipv6
        let failure = await #expect(throws: ProbeFailure.self) {
          try await AllocateProbe(server: coturn.server(), options: options).run(deadline: .seconds(5))
        }
        #expect(failure?.evidence("errorReason") == "Unsupported address family")
      }
    }

    // MARK: Silence

    @Test("Where nobody listens on UDP and TCP answers, no-udp is named; not where nobody listens at all")
    func noUDPListener() async throws {
      try await Coturn.with(["--no-udp"]) { coturn in
        let failure = try await explanation(of: coturn.server(), allocate)
        #expect(failure.code == .portUnreachable)
        #expect(failure.message.contains("but TCP answers there"))
        #expect(failure.advice.contains("no-udp"))
        #expect(failure.advice.contains("?transport=tcp"))
        #expect(failure.evidence("answersOverTCP") == "127.0.0.1:\(coturn.port)")
      }
      let closed = ProbedServer(uri: ServerURI(scheme: .turn, host: "127.0.0.1", port: try freePort()))
      let failure = try await explanation(of: closed, allocate)
      #expect(failure.code == .portUnreachable)
      #expect(!failure.description.contains("TCP"))
      #expect(failure.evidence("answersOverTCP") == nil)
    }

    @Test("Silence behind an accepted connection is no firewall's; over UDP it may be", arguments: Transport.allCases)
    func silence(transport: Transport) async throws {
      try await ScriptedSTUNServer.with(over: transport) { _, _ in
        []
      } _: { server in
        let failure = try await explanation(of: server.server, allocate)
        #expect(failure.code == .turnTimeout)
        #expect(failure.advice.contains("and then nothing was answered") == (transport != .udp))
        #expect(failure.advice.contains("the path blocks UDP") == (transport == .udp))
        #expect(failure.advice.contains("stopped"))
      }
    }

    @Test("A stopped coturn, whose connections the system accepts, is called stopped or overloaded")
    func suspended() async throws {
      try await Coturn.with { coturn in
        coturn.suspend()
        let failure = try await explanation(of: coturn.server(.turn, .tcp), allocate)
        #expect(failure.code == .turnTimeout)
        #expect(failure.advice.hasPrefix("The connection was accepted, and then nothing was answered"))
      }
    }

    // MARK: Certificates

    @Test("A certificate for another name names both, and few of many or long ones")
    func otherNames() async throws {
      let long = String(repeating: "a", count: 63) + ".example"
      for (names, text) in [
        ("DNS:other.example", "it is for other.example, not for 127.0.0.1."),
        (
          (1...5).map { "DNS:n\($0).example" }.joined(separator: ","),
          "it is for n1.example, n2.example, n3.example and 2 more, not for 127.0.0.1."
        ), ("DNS:\(long)", "it is for \(long.prefix(64))…, not for 127.0.0.1."),
      ] {
        try await TestAuthority.with { authority in
          try await Coturn.with(try authority.issue(names).coturnArguments) { coturn in
            var server = coturn.server(.turns, .tcp)
            server.tls.trustFile = authority.certificate
            let failure = try await explanation(of: server, allocate)
            #expect(failure.code == .certificateNameMismatch)
            #expect(failure.message.hasSuffix(text), "\(failure.message)")
          }
        }
      }
    }

    @Test("Where a certificate is not trusted, it is said how to give its authority")
    func untrusted() async throws {
      try await TestAuthority.with { authority in
        try await Coturn.with(try authority.issue().coturnArguments) { coturn in
          let failure = try await explanation(of: coturn.server(.turns, .tcp), allocate)
          #expect(failure.code == .certificateUntrusted)
          #expect(failure.advice.contains("TURN_CA"))
        }
      }
    }
  }
}
