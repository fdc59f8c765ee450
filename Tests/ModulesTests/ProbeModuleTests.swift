import Journal
import Lab
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules
@testable import Probe

/// The modules over the STUN, TURN and TLS probes, each against a real coturn.
@Suite(.serialized) struct ProbeModuleTests {
  private func server(
    _ coturn: Coturn, uri: String? = nil, credential: String = Coturn.credential, ca: String? = nil
  ) -> Value {
    TURNServer.record.encode(
      TURNServer(
        name: "lab", uri: uri ?? "turn:127.0.0.1:\(coturn.port)", host: "127.0.0.1", username: Coturn.username,
        credential: Secret(credential), ca: ca))
  }

  private func secureURI(_ coturn: Coturn, _ transport: String) throws -> String {
    "turns:127.0.0.1:\(try #require(coturn.tlsPort))?transport=\(transport)"
  }

  /// Runs a step, and once more if its handshake was lost and the next one was not, as `retry` of a runbook would: coturn 4.6.1
  /// leaves a DTLS client unanswered now and then.
  private func runWithRetry(_ name: String, _ members: [Value.Member]) async throws -> StepResult<Value> {
    do {
      return try await run(name, members)
    } catch let error as StepError where error.learnt.contains(where: { $0.name == "nextHandshake" }) {
      return try await run(name, members)
    }
  }

  @Test("stun.binding, turn.allocate and turn.relay tell what they found, over every transport")
  func basics() async throws {
    let coturn = try await Coturn.start()
    for uri in [
      "turn:127.0.0.1:\(coturn.port)", "turn:127.0.0.1:\(coturn.port)?transport=tcp", try secureURI(coturn, "tcp"),
      try secureURI(coturn, "udp"),
    ] {
      let target = Value.Member("server", server(coturn, uri: uri, ca: coturn.authority))
      let binding = try await runWithRetry("stun.binding", [target, .init("requests", .int(3))])
      #expect(binding.output["responses"] == .int(3))
      #expect(binding.output["reflexiveAddress"] == .string("127.0.0.1"))
      let allocation = try await runWithRetry("turn.allocate", [target])
      #expect(allocation.output["lifetime"] == .duration(.seconds(600)))
      #expect(allocation.output["deleted"] == .bool(true))
      let relay = try await runWithRetry("turn.relay", [target, .init("packets", .int(20)), .init("rate", .int(200))])
      #expect(relay.output["lost"] == .int(0))
      #expect(relay.output["loss"] == .double(0))
      #expect(relay.objection == nil)
    }
  }

  @Test("A wrong password fails the step with a code, advice and what was learnt, and no secret in it")
  func wrongPassword() async throws {
    let coturn = try await Coturn.start()
    let error = try await stepError {
      _ = try await run("turn.relay", [.init("server", server(coturn, credential: "wrong-horse"))])
    }
    #expect(error.kind == .failed)
    #expect(error.finding.code == "turn.unauthorized")
    #expect(error.finding.advice?.contains("password") == true)
    #expect(error.learnt.contains(Value.Member("realm", .string("r.example"))))
    #expect(!"\(error)".contains("wrong-horse"))
  }

  @Test("A password that the server says itself is masked in what is learnt")
  func echoedSecret() async throws {
    let coturn = try await Coturn.start()
    let error = try await stepError {
      _ = try await run("turn.allocate", [.init("server", server(coturn, credential: "r.example"))])
    }
    #expect(error.learnt.contains(Value.Member("realm", .string(Secret.mask))))
    #expect(error.finding.advice?.contains(Secret.mask) == true)
    #expect(!"\(error)".contains("r.example"))
  }

  @Test(
    "A password that is a word of ours leaves our words alone, and does not show",
    arguments: ["refused", "password", "server", "Allocate", "coturn", "realm:", "in the environment"])
  func ownWords(credential: String) async throws {
    let coturn = try await Coturn.start()
    let error = try await stepError {
      _ = try await run("turn.allocate", [.init("server", server(coturn, credential: credential))])
    }
    #expect(error.finding.code == "turn.unauthorized")
    let plain = try await stepError {
      _ = try await run("turn.allocate", [.init("server", server(coturn, credential: "none of our words"))])
    }
    // Method names are values to a sentence; they are masked as before.
    let expected = { (text: String) in
      text.replacing("Allocate", with: credential == "Allocate" ? Secret.mask : "Allocate")
    }
    #expect(error.finding.message == expected(plain.finding.message))
    #expect(error.finding.advice == plain.finding.advice)
    #expect(error.finding.message.contains("it does not accept the user name and password."))
  }

  @Test("Credentials that a server does not ask for are worth a warning; that it asks nobody for any is not, by itself")
  func anonymous() async throws {
    let open = try await Coturn.start { $0.authentication = .none }
    let warned = try await run("turn.allocate", [.init("server", server(open))])
    #expect(warned.objection?.severity == .warn)
    #expect(warned.objection?.finding.code == "turn.anonymousAccess")
    #expect(warned.output["deleted"] == .bool(true))
    let target = TURNServer(name: "lab", uri: "turn:127.0.0.1:\(open.port)", host: "127.0.0.1")
    let quiet = try await run("turn.allocate", [.init("server", TURNServer.record.encode(target))])
    #expect(quiet.objection == nil)
    let closed = try await Coturn.start()
    #expect(try await run("turn.allocate", [.init("server", server(closed))]).objection == nil)
  }

  @Test("What is learnt of a refused peer names the peer, and names nothing twice")
  func refusedPeer() async throws {
    let coturn = try await Coturn.start { $0.directives = ["denied-peer-ip=127.0.0.1"] }
    let error = try await stepError { _ = try await run("turn.relay", [.init("server", server(coturn))]) }
    #expect(error.finding.code == "turn.forbidden")
    #expect(error.learnt.contains { $0.name == "peer" && "\($0.value)".contains("127.0.0.1") })
    #expect(error.learnt.map(\.name).sorted() == Set(error.learnt.map(\.name)).sorted())
  }

  @Test("A stopped probe has no advice")
  func stopped() {
    let error = StepError(ProbeFailure(.cancelled, "The probe was stopped before it was done."))
    #expect(error.kind == .interrupted)
    #expect(error.finding.advice == nil)
  }

  @Test("A silent server fails the step within its deadline, a stopped one at once")
  func silence() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(19)
    let start = ContinuousClock.now
    let silent = try await stepError {
      _ = try await run("turn.allocate", [.init("server", server(coturn))], deadline: .seconds(2))
    }
    #expect(silent.finding.code == "turn.timeout")
    #expect(ContinuousClock.now - start < .seconds(4))
    coturn.signal(18)
    coturn.signal(9)
  }

  @Test("A URI that is none never starts the step")
  func invalidURI() async throws {
    let error = try await stepError {
      _ = try await STUNBinding().run(
        STUNBinding.Input(
          server: TURNServer(name: "x", uri: "turn:exa mple", host: "x"), requests: 1), in: context())
    }
    #expect(error.kind == .notStarted)
    #expect(error.finding.code == "turn.invalidURI")
  }

  @Test("turn.credentials finds nothing to object to in coturn")
  func credentials() async throws {
    let coturn = try await Coturn.start()
    let result = try await run("turn.credentials", [.init("server", server(coturn))])
    #expect(result.objection == nil)
    #expect(result.output["violations"] == .list([]))
  }

  @Test("turn.openRelay objects to what coturn relays to by default, and keeps quiet about what is allowed")
  func openRelay() async throws {
    let coturn = try await Coturn.start()
    let result = try await run("turn.openRelay", [.init("server", server(coturn))])
    #expect(result.objection?.severity == .fail)
    #expect(result.objection?.finding.code == "turn.relaysToForbiddenPeer")
    let openings = try #require(result.output["openings"])
    #expect("\(openings)".contains("loopback"))
    let all = OpenRelayProbe.PeerKind.allCases.map { Value.string($0.rawValue) }
    let tolerant = try await run("turn.openRelay", [.init("server", server(coturn)), .init("allowed", .list(all))])
    #expect(tolerant.objection == nil)
  }

  @Test("turn.capacity, turn.ports, turn.drain, turn.amplification and stun.behaviour describe coturn")
  func audits() async throws {
    let coturn = try await Coturn.start()
    let target = Value.Member("server", server(coturn))
    let capacity = try await run("turn.capacity", [target, .init("allocations", .int(4))])
    #expect(capacity.output["granted"] == .int(4))
    let ports = try await run("turn.ports", [target, .init("allocations", .int(2))])
    #expect(ports.objection == nil)
    #expect(ports.output["unreachable"] == .list([]))
    let drain = try await run("turn.drain", [target])
    #expect(drain.output["draining"] == .bool(false))
    let amplification = try await run("turn.amplification", [target])
    guard case .double(let factor)? = amplification.output["factor"] else {
      Testing.Issue.record("no factor")
      return
    }
    #expect(factor > 1)
    let behaviour = try await run("stun.behaviour", [target])
    #expect(behaviour.output["behindNAT"] == .bool(false))
  }

  @Test("turn.capacity warns where it was stopped early, and fails where nothing was granted")
  func limitedCapacity() async throws {
    let coturn = try await Coturn.start { $0.userQuota = 2 }
    let target = Value.Member("server", server(coturn))
    let some = try await run("turn.capacity", [target, .init("allocations", .int(3))])
    #expect(some.objection?.severity == .warn)
    #expect(some.objection?.finding.code == "turn.quotaReached")
    #expect(some.objection?.finding.message.contains("granted 2 of 3 allocations") == true)
    #expect(some.output["granted"] == .int(2))

    let full = try await Coturn.start { $0.userQuota = 1 }
    let fullTarget = Value.Member("server", server(full))
    let request = AllocationRequest(server: try ProbedServer(TURNServer.record.decode(fullTarget.value)))
    let (none, _) = try await Allocation.withAllocation(request, by: .now + .seconds(20)) {
      _ async throws(ProbeFailure) in
      try? await run("turn.capacity", [fullTarget, .init("allocations", .int(3))])
    }
    #expect(none?.objection?.severity == .fail)
    #expect(none?.objection?.finding.code == "turn.quotaReached")
    #expect(none?.output["granted"] == .int(0))
  }

  @Test("turn.ports tells what it tried before the server gave no more")
  func limitedPorts() async throws {
    // coturn counts a deleted allocation for some seconds more.
    let coturn = try await Coturn.start { $0.userQuota = 1 }
    let result = try await run("turn.ports", [.init("server", server(coturn)), .init("allocations", .int(3))])
    #expect(result.objection?.severity == .warn)
    #expect(result.objection?.finding.code == "turn.quotaReached")
    #expect(result.objection?.finding.message.hasPrefix("1 of 3 relay ports") == true)
    #expect(result.output["stoppedBy"] == .string("turn.quotaReached"))
    guard case .list(let reachable)? = result.output["reachable"] else {
      Testing.Issue.record("no ports")
      return
    }
    #expect(reachable.count == 1)
  }

  @Test("turn.expiry objects to a channel that outlives its time, and keeps quiet about one that ends")
  func expiry() async throws {
    for (lifetime, code) in [(2, nil), (600, "turn.notExpired")] {
      let coturn = try await Coturn.start { $0.directives = ["channel-lifetime=\(lifetime)"] }
      let result = try await run(
        "turn.expiry",
        [
          .init("server", server(coturn)), .init("subject", .string("channel")), .init("after", .duration(.seconds(3))),
        ])
      #expect(result.objection?.finding.code == code)
      #expect(result.output["expired"] == .bool(code == nil))
    }
  }

  @Test("turn.externalAddress has nothing against a loopback relay of a server that is asked on loopback")
  func externalAddress() async throws {
    let coturn = try await Coturn.start()
    let target = Value.Member("server", server(coturn))
    let found = try await run(
      "turn.externalAddress", [target, .init("observer", .string("stun:127.0.0.1:\(coturn.port)"))])
    #expect(found.objection == nil)
    #expect(found.output["observedAddress"] == .string("127.0.0.1"))
    #expect(found.output["relayedAddresses"] == text("127.0.0.1"))
  }

  @Test("turn.pool counts who works")
  func pool() async throws {
    let coturn = try await Coturn.start()
    let good = server(coturn)
    let bad = server(coturn, credential: "wrong")
    let enough = try await run("turn.pool", [.init("servers", .list([bad, good]))])
    #expect(enough.objection == nil)
    #expect(enough.output["working"] == .int(1))
    let few = try await run("turn.pool", [.init("servers", .list([bad, good])), .init("working", .int(2))])
    #expect(few.objection?.finding.code == "turn.poolTooSmall")
    #expect(few.objection?.finding.message.hasSuffix("These do not: lab (turn.unauthorized).") == true)
  }

  @Test("Two servers that give a probe nothing are not called the same, and a version must be one")
  func nothingCompared() async throws {
    let coturn = try await Coturn.start()
    let wrong = server(coturn, credential: "wrong")
    let nothing = try await stepError {
      _ = try await run("drill.differences", [.init("before", wrong), .init("after", wrong)], deadline: .seconds(60))
    }
    #expect(nothing.kind == .broken && nothing.finding.code == "drill.notCompared", "\(nothing)")
    let unread = try await stepError {
      _ = try await run(
        "drill.differences", [.init("before", wrong), .init("after", wrong), .init("beforeVersion", .string("old"))])
    }
    #expect(unread.finding.code == "drill.noVersion", "\(unread)")
  }

  @Test("tls.certificate reads the certificate over TLS and DTLS, and objects where it is not trusted")
  func certificate() async throws {
    let coturn = try await Coturn.start()
    for transport in ["tcp", "udp"] {
      let uri = try secureURI(coturn, transport)
      let trusted = try await run(
        "tls.certificate", [.init("server", server(coturn, uri: uri, ca: coturn.authority))])
      #expect(trusted.objection == nil)
      #expect(trusted.output["trusted"] == .bool(true))
      let distrusted = try await run("tls.certificate", [.init("server", server(coturn, uri: uri))])
      #expect(distrusted.objection?.finding.code == "tls.untrusted")
      #expect(distrusted.output["fingerprint"] == trusted.output["fingerprint"])
    }
  }

  @Test("tls.handshake lists versions")
  func handshake() async throws {
    let coturn = try await Coturn.start()
    let result = try await run(
      "tls.handshake",
      [.init("server", server(coturn, uri: try secureURI(coturn, "tcp"))), .init("ciphers", .bool(false))])
    guard case .list(let versions)? = result.output["versions"] else {
      Testing.Issue.record("no versions")
      return
    }
    #expect(versions.map { $0["version"] } == ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"].map(Value.string))
    #expect(versions.contains { $0["verdict"] == .string("accepted") })
    #expect(result.output["ciphers"] == .null)
    #expect(result.output["legacyCiphers"] == .null)
    #expect(result.objection == nil)
  }

  @Test("tls.handshake fails where the server falls silent altogether: nothing is refused then")
  func inconclusiveHandshake() async throws {
    let coturn = try await Coturn.start()
    let result = try await run(
      "tls.handshake",
      [.init("server", server(coturn, uri: try secureURI(coturn, "tcp"))), .init("ciphers", .bool(false))]
    ) {
      if $0 == "TLSv1" { coturn.signal(19) }
    }
    #expect(result.objection?.severity == .fail)
    #expect(result.objection?.finding.code == "tls.inconclusive")
    guard case .list(let versions)? = result.output["versions"] else {
      Testing.Issue.record("no versions")
      return
    }
    #expect(versions.contains { $0["verdict"] == .string("untestable") })
    #expect(!versions.contains { $0["verdict"] == .string("refused") })
  }
}
