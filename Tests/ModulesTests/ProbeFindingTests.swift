import Addresses
import Journal
import Lab
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules
@testable import Probe

/// What modules say of a real coturn that is not set up as it should be, and what of one that is.
@Suite(.serialized) struct ProbeFindingTests {
  private func target(_ coturn: Coturn, realm: String? = nil) -> Value.Member {
    let isIPv6 = coturn.host.contains(":")
    return .init(
      "server",
      TURNServer.record.encode(
        TURNServer(
          name: "lab", uri: "turn:\(isIPv6 ? "[\(coturn.host)]" : coturn.host):\(coturn.port)", host: coturn.host,
          username: Coturn.username, credential: Secret(Coturn.credential), realm: realm)))
  }

  private let brief: [Value.Member] = [.init("packets", .int(2))]

  @Test("turn.relay warns of a server that asks for no credentials and of another realm, as turn.allocate does")
  func authentication() async throws {
    let open = try await Coturn.start { $0.authentication = .none }
    let closed = try await Coturn.start()
    for (server, code) in [
      (target(open), "turn.anonymousAccess"), (target(closed, realm: "a.example"), "turn.realmMismatch"),
    ] {
      let relayed = try await run("turn.relay", [server] + brief)
      #expect(relayed.objection?.severity == .warn)
      #expect(relayed.objection?.finding.code == code)
      #expect(relayed.output["lost"] == .int(0))
      let allocated = try await run("turn.allocate", [server])
      #expect(relayed.objection?.finding == allocated.objection?.finding)
    }
    #expect(try await run("turn.relay", [target(closed, realm: Coturn.realm)] + brief).objection == nil)
  }

  @Test("turn.credentials calls a server that asks for none by its name: nothing is missing on our side")
  func anonymousCredentials() async throws {
    let open = try await Coturn.start { $0.authentication = .none }
    let error = try await stepError { _ = try await run("turn.credentials", [target(open)]) }
    #expect(error.kind == .failed)
    #expect(error.finding.code == "turn.anonymousAccess")
    #expect(error.finding.advice?.contains("no-auth") == true)
  }

  @Test("turn.externalAddress says in sentences what is wrong, and names the observer")
  func externalAddress() async throws {
    let coturn = try await Coturn.start { $0.directives = ["external-ip=203.0.113.9"] }
    let observer = "stun:127.0.0.1:\(coturn.port)"
    let seen = try await run("turn.externalAddress", [target(coturn), .init("observer", .string(observer))])
    #expect(seen.objection?.finding.code == "turn.externalAddressWrong")
    #expect(
      seen.objection?.finding.message
        == "turn:127.0.0.1:\(coturn.port) gives out 203.0.113.9 for its relays, a documentation address that the world "
        + "cannot reach; its name has 127.0.0.1; the observer \(observer) sees packets come from 127.0.0.1.")
    let named = try await run(
      "turn.externalAddress", [target(coturn), .init("tolerated", text("relayedAddressIsSpecial"))])
    #expect(
      named.objection?.finding.message
        == "turn:127.0.0.1:\(coturn.port) gives out 203.0.113.9 for its relays; its name has 127.0.0.1.")
  }

  @Test("An observer that does not answer fails turn.externalAddress whatever is tolerated; one that does passes")
  func silentObserver() async throws {
    let coturn = try await Coturn.start()
    let gone = try await Coturn.start()
    gone.stop()
    let all = ExternalAddressProbe.Discrepancy.allCases.map { Value.string($0.rawValue) }
    func look(_ observer: Coturn) async throws -> StepResult<Value> {
      try await run(
        "turn.externalAddress",
        [
          target(coturn), .init("observer", .string("stun:127.0.0.1:\(observer.port)")), .init("tolerated", .list(all)),
        ])
    }
    let error = try await stepError { _ = try await look(gone) }
    #expect(error.kind == .failed)
    #expect(error.finding.code == "turn.observerSilent")
    #expect(error.finding.message.contains("127.0.0.1:\(gone.port)"))
    #expect(error.finding.advice?.contains("STUN server") == true)
    #expect(try await look(coturn).objection == nil)
  }

  @Test("What turn.openRelay says to deny is denied when coturn is given it, IPv6 included, and nothing is open then")
  func remedy() async throws {
    let open = try await Coturn.start(host: "::1") { $0.directives.append("relay-ip=127.0.0.1") }
    let found = try await run("turn.openRelay", [target(open)])
    #expect(found.objection?.finding.code == "turn.relaysToForbiddenPeer")
    #expect(found.output["untested"] == .int(0))
    let advice = try #require(found.objection?.finding.advice)
    #expect(advice.contains("allow-loopback-peers"))
    let directives = advice.split(separator: " ").filter { $0.hasPrefix("denied-peer-ip=") }.map(String.init)
    #expect(directives.contains("denied-peer-ip=10.0.0.0-10.255.255.255"))
    #expect(directives.contains { $0.contains("fc00::") })

    let closed = try await Coturn.start(host: "::1") {
      $0.allowsLoopbackPeers = false
      $0.directives += ["relay-ip=127.0.0.1"] + directives
    }
    let looked = try await run("turn.openRelay", [target(closed)])
    #expect(looked.output["openings"] == .list([]))
    #expect(looked.objection == nil)
  }

  @Test("What turn.openRelay could not try is counted, and each says why; loopback is spoken of only where it is open")
  func untested() async throws {
    let coturn = try await Coturn.start { $0.allowsLoopbackPeers = false }
    let result = try await run("turn.openRelay", [target(coturn)])
    #expect(result.objection?.finding.advice?.contains("denied-peer-ip=10.0.0.0-10.255.255.255") == true)
    #expect(result.objection?.finding.advice?.contains("loopback") == false)
    #expect(result.output["untested"] == .int(9))
    guard case .list(let peers)? = result.output["peers"] else {
      Testing.Issue.record("no peers")
      return
    }
    let reasons = peers.filter { $0["permitted"] == .null }.map { $0["reason"] }
    #expect(reasons == Array(repeating: .string("the server relays no IPv6"), count: 9))
    #expect(peers.filter { $0["permitted"] != .null }.allSatisfy { $0["reason"] == .null })
  }

  @Test("turn.openRelay says what it found where a quota keeps it from the second allocation, and warns of the rest")
  func quota() async throws {
    let denied = [
      "0.0.0.0-0.255.255.255", "10.0.0.0-10.255.255.255", "100.64.0.0-100.127.255.255", "169.254.0.0-169.254.255.255",
      "172.16.0.0-172.31.255.255", "192.168.0.0-192.168.255.255", "255.255.255.255",
    ]
    let closed = try await Coturn.start(host: "::1") {
      ($0.userQuota, $0.allowsLoopbackPeers) = (1, false)
      $0.directives += ["relay-ip=127.0.0.1", "no-multicast-peers"] + denied.map { "denied-peer-ip=\($0)" }
    }
    let warned = try await run("turn.openRelay", [target(closed)])
    #expect(warned.objection?.severity == .warn)
    #expect(warned.objection?.finding.code == "turn.quotaReached")
    #expect(warned.objection?.finding.message.contains("9 of ") == true)
    #expect(warned.output["untested"] == .int(9))

    let open = try await Coturn.start(host: "::1") {
      $0.userQuota = 1
      $0.directives.append("relay-ip=127.0.0.1")
    }
    let failed = try await run("turn.openRelay", [target(open)])
    #expect(failed.objection?.severity == .fail)
    #expect(failed.objection?.finding.code == "turn.relaysToForbiddenPeer")
    #expect(failed.output["untested"] == .int(9))
  }

  @Test(
    "turn.credentials warns of another socket's nonce, and turn.openRelay names what the server that answered is told")
  func otherProgram() async throws {
    try await P1Server.with { p1 in
      let server = TURNServer(
        name: "p1", uri: "turn:127.0.0.1:\(p1.port)", host: "127.0.0.1", username: P1Server.username,
        credential: Secret(P1Server.password))
      let target = Value.Member("server", TURNServer.record.encode(server))
      let credentials = try await run("turn.credentials", [target])
      #expect(credentials.objection?.severity == .warn)
      #expect(credentials.objection?.finding.code == "turn.foreignNonceAccepted")
      #expect(credentials.objection?.finding.advice?.contains("stale-nonce") == false)
      #expect(credentials.output["violations"] == text("reusedNonce"))
      let open = try await run("turn.openRelay", [target])
      #expect(open.objection?.severity == .fail)
      let advice = try #require(open.objection?.finding.advice)
      #expect(advice.contains("turn_blacklist") && advice.contains("10.0.0.0/8") && advice.contains("127.0.0.0/8"))
      #expect(!advice.contains("coturn"))
    }
  }

  @Test("stun.binding warns of a server that takes no attributes, and names the RFC")
  func oldServer() async throws {
    let result = try await Stund.with { stund in
      let server = TURNServer(name: "old", uri: "stun:127.0.0.1:\(stund.port)", host: "127.0.0.1")
      return try await run("stun.binding", [.init("server", TURNServer.record.encode(server))])
    }
    #expect(result.objection?.severity == .warn)
    #expect(result.objection?.finding.code == "stun.attributesNotTaken")
    #expect(result.objection?.finding.advice?.contains("RFC 3489") == true)
    #expect(result.output["responses"] == .int(5))
  }

  @Test("An address that cannot be ours is a proxy's; one that may be ours, or is the server's network's, is none")
  func hiddenClient() throws {
    func finding(_ seen: String, own: String?, server: String) throws -> Finding? {
      .hiddenClient(
        seenAs: try #require(IPAddress(seen)), own: own.flatMap { IPAddress($0) },
        askedAt: TransportAddress(ip: try #require(IPAddress(server)), port: 3478))
    }
    let loopback = try finding("127.0.0.1", own: "198.18.0.2", server: "198.18.0.9")
    #expect(loopback?.code == "stun.clientAddressHidden")
    #expect(loopback?.message.contains("127.0.0.1, a loopback address: a program on the server's own host") == true)
    let docker = try finding("172.17.0.1", own: "192.168.1.5", server: "198.18.0.9")
    #expect(docker?.message.contains("172.17.0.1, a private address: something in front of the server") == true)
    #expect(docker?.advice?.contains("probe from outside") == true)
    #expect(try finding("::1", own: "2a00::5", server: "2a00::9")?.code == "stun.clientAddressHidden")
    #expect(try finding("127.0.0.1", own: "2a00::5", server: "2a00::9")?.code == "stun.clientAddressHidden")
    #expect(try finding("10.0.0.64", own: "2a00::5", server: "64:ff9b::a00:9") == nil)
    // A server on this host, one in our own network, our own address over a tunnel, and a NAT to the world.
    #expect(try finding("127.0.0.1", own: "127.0.0.1", server: "127.0.0.1") == nil)
    #expect(try finding("10.0.0.1", own: "192.168.1.5", server: "10.0.0.9") == nil)
    #expect(try finding("10.8.0.2", own: "10.8.0.2", server: "198.18.0.9") == nil)
    #expect(try finding("198.18.0.3", own: "192.168.1.5", server: "198.18.0.9") == nil)
  }

  @Test("turn.expiry says when a lifetime that has not passed is no fault by itself")
  func earlyExpiry() async throws {
    let coturn = try await Coturn.start { $0.directives = ["permission-lifetime=300"] }
    let result = try await run("turn.expiry", [target(coturn), .init("after", .duration(.seconds(1)))])
    #expect(result.objection?.finding.code == "turn.notExpired")
    #expect(
      result.objection?.finding.message.hasSuffix(
        "By RFC 8656 it lasts 5m: this is a fault only if the server was told to forget it within 1s.") == true)
    #expect(result.objection?.finding.advice?.contains("permission-lifetime") == true)
  }

  @Test("A lifetime that has passed is a fault, whatever the server was told")
  func lateExpiry() {
    for (subject, seconds) in [(ExpiryProbe.Subject.permission, 300), (.channel, 600)] {
      for (after, isEarly) in [(seconds - 1, true), (seconds, false)] {
        let server = ProbedServer(uri: .init(scheme: .turn, host: "turn.example.com"))
        let finding = TURNExpiry.notExpired(ExpiryProbe(server: server, subject: subject, after: .seconds(after)))
        #expect(finding.message.contains("RFC 8656") == isEarly)
        #expect(finding.advice?.contains("\(subject)-lifetime") == true)
      }
    }
  }

  @Test("stun.behaviour says why nothing could be told, and does not where it could")
  func behaviour() async throws {
    let single = try await Coturn.start()
    let untold = try await run("stun.behaviour", [target(single)])
    #expect(untold.output["mapping"] == .null)
    #expect(untold.output["untold"] == .string("The server announces no second address and port (OTHER-ADDRESS)."))
    let double = try await Coturn.start { $0.directives = ["listening-ip=127.0.0.2", "relay-ip=127.0.0.2"] }
    let told = try await run("stun.behaviour", [target(double)])
    #expect(told.output["mapping"] == .string("endpointIndependent"))
    #expect(told.output["untold"] == .null)
  }
}
