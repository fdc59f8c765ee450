import Foundation
import Journal
import Lab
import Probe
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// Both ends of one call through a real coturn.
@Suite("Both ends of a call", .serialized)
struct CorrelationTests {
  private func members(
    _ coturn: Coturn, tie: String = "origin", user: String = Coturn.username, password: String = Coturn.credential,
    secret: String? = nil, realm: String? = nil, packets: Int64 = 5
  ) -> [Value.Member] {
    let server = TURNServer(
      name: "lab", uri: "turn:127.0.0.1:\(coturn.port)", host: "127.0.0.1", username: secret == nil ? user : nil,
      credential: secret == nil ? Secret(password) : nil, secret: secret.map { Secret($0) }, realm: realm)
    return [
      .init("server", TURNServer.record.encode(server)), .init("packets", .int(packets)),
      .init("correlate", .members([.init("log", .string(coturn.logFile)), .init("tie", .string(tie))])),
    ]
  }

  private func sessions(_ serverSide: Value?) throws -> [Value] {
    guard case .list(let sessions)? = serverSide?["sessions"] else { throw NothingThrown() }
    return sessions
  }

  /// What a failed call says the server logged.
  private func failure(_ members: [Value.Member]) async throws -> (finding: Finding, serverSide: Value) {
    let error = try await stepError { _ = try await run("turn.relay", members) }
    return (error.finding, try #require(error.learnt.first { $0.name == "serverSide" }?.value))
  }

  private func check(good result: StepResult<Value>) throws {
    #expect(result.objection == nil, "\(String(describing: result.objection))")
    let serverSide = try #require(result.output["serverSide"])
    #expect(serverSide["cause"] == .null && serverSide["whole"] == .bool(true))
    guard case .list(let losses)? = serverSide["losses"] else { throw NothingThrown() }
    #expect(losses.count == 6 && losses.allSatisfy { $0["lost"] == .int(0) })
    let sessions = try sessions(serverSide)
    #expect(sessions.map { $0["role"] } == [.string("sender"), .string("echo")])
    for session in sessions {
      #expect(session["packetsFromPeer"] == .int(5) && session["packetsToPeer"] == .int(5))
      #expect(session["bytesToPeer"] == .int(800))
      guard case .string(let client)? = session["client"] else { throw NothingThrown() }
      #expect(client.hasPrefix("127.0.0.1:"))
    }
  }

  @Test("agree on a call that went well, tied by ORIGIN, while others call")
  func good() async throws {
    let coturn = try await Coturn.start()
    let (ours, others) = (members(coturn), Array(members(coturn).prefix(2)))
    async let other = run("turn.relay", others)
    let result = try await run("turn.relay", ours)
    _ = try await other
    try check(good: result)
  }

  @Test("agree on a call that went well, tied by the user's name")
  func userName() async throws {
    let coturn = try await Coturn.start { $0.authentication = .sharedSecret("a-shared-secret") }
    try check(good: try await run("turn.relay", members(coturn, tie: "userName", secret: "a-shared-secret")))
  }

  @Test("tell a wrong password, an unknown user and a foreign realm apart")
  func credentials() async throws {
    let coturn = try await Coturn.start()
    let wrong = try await failure(members(coturn, password: "hush-hush-hush"))
    #expect(wrong.serverSide["cause"] == .string("credentials"))
    #expect(try sessions(wrong.serverSide).first?["credentials"] == .string("wrongPassword"))
    #expect(wrong.finding.message.contains("the password is wrong"))
    let unknown = try await failure(members(coturn, user: "nobody"))
    #expect(try sessions(unknown.serverSide).first?["credentials"] == .string("unknownOrExpired"))
    let realm = try await failure(members(coturn, password: "hush-hush-hush", realm: "s.example"))
    #expect(realm.serverSide["cause"] == .string("realm"))
    #expect(realm.finding.code == "turn.realmMismatch")
    for found in [wrong, unknown, realm] {
      #expect(!found.serverSide.json.text().contains("hush-hush-hush"))
    }
  }

  @Test("tell quota, exhausted ports and a denied peer apart")
  func refusals() async throws {
    let quota = try await Coturn.start { $0.userQuota = 1 }
    let refused = try await failure(members(quota))
    #expect(refused.serverSide["cause"] == .string("quota"))
    #expect(refused.finding.code == "turn.quotaReached")
    let exhausted = try await Coturn.start { $0.directives = ["min-port=49500", "max-port=49500"] }
    #expect(try await failure(members(exhausted)).serverSide["cause"] == .string("portsExhausted"))
    let denied = try await Coturn.start { $0.directives = ["denied-peer-ip=127.0.0.0-127.255.255.255"] }
    let peer = try await failure(members(denied))
    #expect(peer.serverSide["cause"] == .string("deniedPeer"))
    #expect(peer.finding.message.contains("denied by the range 127.0.0.0-127.255.255.255"))
  }

  @Test("show an external address that is not the server's, which packets on its own host do not")
  func externalAddress() async throws {
    let coturn = try await Coturn.start { $0.directives = ["external-ip=203.0.113.9/127.0.0.1"] }
    let result = try await run("turn.relay", members(coturn))
    #expect(result.output["lost"] == .int(0))
    #expect(result.output["serverSide"]?["cause"] == .string("externalAddress"))
  }

  @Test("tell that nothing arrived, and that the log is not of this server")
  func elsewhere() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGSTOP)
    defer { coturn.signal(SIGCONT) }
    let error = try await stepError { _ = try await run("turn.relay", members(coturn), deadline: .seconds(3)) }
    let serverSide = try #require(error.learnt.first { $0.name == "serverSide" }?.value)
    #expect(serverSide["cause"] == .string("requestsLost"))
    #expect(error.finding.message.contains("our packets do not reach this server"))
  }

  @Test("warn of a call that went well and does not stand in the log", arguments: [false, true])
  func foreignLog(othersCall: Bool) async throws {
    let (coturn, foreign) = (try await Coturn.start(), try await Coturn.start())
    var input = members(coturn)
    input[2] = .init(
      "correlate", .members([.init("log", .string(foreign.logFile)), .init("tie", .string("origin"))]))
    // A second long, so that it ends while ours waits for its records.
    let others = Array(members(othersCall ? foreign : coturn, packets: 50).prefix(2))
    async let other = run("turn.relay", others)
    let result = try await run("turn.relay", input)
    _ = try await other
    #expect(result.objection?.severity == .warn)
    let finding = try #require(result.objection?.finding)
    #expect(finding.code == "turn.callNotInLog")
    #expect(finding.message.contains("\(foreign.logFile) tells of \(othersCall ? "other sessions" : "no session")"))
    #expect(result.output["serverSide"]?["verbose"] == .bool(othersCall))
    #expect(coturn.log.contains(".runbook.invalid"))
    #expect(result.output["lost"] == .int(0))
  }

  @Test("need a log that can be read, and a secret for the user's name")
  func objections() async throws {
    let coturn = try await Coturn.start()
    var input = members(coturn)
    input[2] = .init("correlate", .members([.init("log", .string("/nonexistent")), .init("tie", .string("origin"))]))
    let error = try await stepError { _ = try await run("turn.relay", input) }
    #expect(error.kind == .notStarted && error.finding.code == "log.unreadable")
    let server = TURNServer(
      name: "lab", uri: "turn:127.0.0.1", host: "127.0.0.1", username: "alice", credential: Secret("x"))
    let tied = TURNRelay.Input(
      server: server, packets: 1, size: 160, rate: 1, path: .channel, maxLoss: 1,
      correlate: Correlation(log: coturn.logFile, tie: .userName, wait: .seconds(1)))
    #expect(TURNRelay.objection(to: tied, within: .seconds(30))?.code == "turn.noSecretToTie")
  }
}
