import Foundation
import Journal
import Lab
import Schema
import Steps
import TestSupport
import Testing

@testable import Coturn
@testable import Modules

@Suite("coturn.statistics")
struct CoturnStatisticsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func look(_ setting: String, listen: Duration = .zero) async throws -> StepResult<Value> {
    let name = UUID().uuidString
    try folder.write("redis-statsdb=\"\(setting)\"\n", to: name)
    return try await run(
      "coturn.statistics", [.init("config", .string("\(folder.path)/\(name)")), .init("listen", .duration(listen))])
  }

  @Test("Sessions of a real coturn are read from a real Redis while they last, and their traffic as it is published")
  func sessions() async throws {
    let redis = try DatabaseServer.redis()
    let setting = "ip=127.0.0.1 dbname=2 port=\(redis.port) password=\(DatabaseServer.password)"
    let coturn = try await Coturn.start { $0.directives = ["redis-statsdb=\"\(setting)\""] }
    let server = TURNServer(
      name: "lab", uri: "turn:127.0.0.1:\(coturn.port)", host: "127.0.0.1", username: Coturn.username,
      credential: Secret(Coturn.credential))
    let members: [Value.Member] = [
      .init("server", TURNServer.record.encode(server)), .init("packets", .int(50)), .init("rate", .int(50)),
    ]
    async let listened = look(setting, listen: .seconds(8))
    async let call = run("turn.relay", members)
    var found: StepResult<Value>?
    let end = ContinuousClock.now + .seconds(15)
    while found?.output["count"] != .int(2), .now < end { found = try await look(setting) }
    let result = try #require(found)
    #expect(result.output["count"] == .int(2) && result.output["byTransport"]?["UDP"] == .int(2))
    guard case .list(let sessions)? = result.output["sessions"], let session = sessions.first else {
      throw NothingThrown()
    }
    #expect(session["user"] == .string(Coturn.username) && session["realm"] == .string(Coturn.realm))
    #expect(session["state"] == .string("new") && session["lifetime"] == .duration(.seconds(600)))
    guard case .string(let client)? = session["client"] else { throw NothingThrown() }
    #expect(client.hasPrefix("127.0.0.1:") && session["server"] == .string("127.0.0.1:\(coturn.port)"))
    #expect(!result.output.json.text().contains(DatabaseServer.password))
    #expect(try await call.objection == nil)
    let heard = try await listened.output
    #expect(heard["deleted"] == .int(2) && heard["unreadable"] == .int(0))
    guard case .int(let messages)? = heard["messages"] else { throw NothingThrown() }
    #expect(messages >= 4)
    let last = ContinuousClock.now + .seconds(15)
    while try await look(setting).output["count"] != .int(0), .now < last {}
    #expect(try await look(setting).output["count"] == .int(0))
  }

  @Test("To listen for longer than the step has is refused before it runs")
  func listensTooLong() {
    func objection(_ listen: Duration) -> String? {
      CoturnStatistics.objection(to: .init(config: "c", listen: listen, limit: 1), within: .seconds(20))?.code
    }
    #expect(objection(.seconds(20)) == "coturn.listenTooLong")
    #expect(objection(.seconds(19)) == nil && objection(.zero) == nil)
  }

  @Test("A Redis that refuses, drops the connection or is none is an error by name, without the password")
  func broken() async throws {
    let redis = try DatabaseServer.redis()
    let dropping = try ListeningPort(answer: [])
    let babbling = try ListeningPort(answer: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    let half = try ListeningPort(answer: Array("+OK\r\n+PONG\r\n*2\r\n$1\r\n0\r\n*1\r\n$9".utf8))
    let endless = try ListeningPort(answer: Array("+OK\r\n+PONG\r\n*2\r\n$1\r\n0\r\n*99999999\r\n".utf8))
    for (setting, reason) in [
      ("port=\(redis.port) password=hush-hush-hush", "password"), ("port=\(redis.port)", "NOAUTH"),
      ("port=\(dropping.port) password=hush-hush-hush", "closed the connection"),
      ("port=\(babbling.port)", "does not speak Redis"),
      ("port=\(half.port) password=hush-hush-hush", "closed the connection"),
      ("port=\(endless.port) password=hush-hush-hush", "does not speak Redis"), ("port=1", "refused"),
    ] {
      let error = try await stepError { _ = try await look(setting) }
      #expect(error.kind == .broken && error.finding.code == "coturn.statisticsUnreadable", "\(setting)")
      #expect(error.finding.message.contains(reason), "\(error.finding.message)")
      #expect(!error.finding.message.contains("hush-hush-hush"))
    }
    try folder.write("realm=r\n", to: "turnserver.conf")
    let none = try await stepError {
      _ = try await run("coturn.statistics", [.init("config", .string(folder.path + "/turnserver.conf"))])
    }
    #expect(none.finding.code == "coturn.noStatistics")
  }
}

@Suite("Keys of coturn in Redis")
struct StatisticsKeyTests {
  @Test(
    "are read by their ends",
    arguments: [
      (
        "turn/realm/r.example/user/alice/allocation/001000000000000003/status",
        "r.example|alice|1000000000000003|status"
      ),
      ("turn/user/alice/allocation/000000000000000001/total_traffic/peer", "-|alice|1|total_traffic/peer"),
      ("turn/realm/r/user/a/allocation/9/b/allocation/000000000000000001/traffic", "r|a/allocation/9/b|1|traffic"),
      ("turn/realm/r/user//allocation/000000000000000001/status", "r||1|status"),
    ])
  func read(_ key: String, _ parts: String) throws {
    let key = try #require(StatisticsKey(key))
    #expect("\(key.realm ?? "-")|\(key.user)|\(key.session)|\(key.kind.rawValue)" == parts)
  }

  @Test(
    "that are none are refused",
    arguments: [
      "", "turn", "turn/realm/r/user/a/allocation/x/status", "turn/user/a/allocation/1/keys",
      "x/user/a/allocation/1/status",
    ])
  func refused(_ key: String) { #expect(StatisticsKey(key) == nil) }

  @Test("have values by version")
  func values() {
    let new = StatisticsStatus(
      "new lifetime=600, type=TLS/TCP, local=127.0.0.1:5349, remote=[2001:db8::1]:40000, ssl=TLSv1.3, cipher=X")
    #expect(new.state == "new" && new.lifetime == 600 && new.type == "TLS/TCP" && new.tls == "TLSv1.3")
    #expect(new.remote == "[2001:db8::1]:40000")
    let old = StatisticsStatus("refreshed lifetime=0")
    #expect(old.state == "refreshed" && old.lifetime == 0 && old.type == nil && old.tls == nil)
    #expect(StatisticsStatus("deleted").state == "deleted" && StatisticsStatus("").state == "")
    #expect(
      CallSession.Traffic(published: "rcvp=1, rcvb=2, sentp=3, sentb=4")
        == .init(receivedPackets: 1, receivedBytes: 2, sentPackets: 3, sentBytes: 4))
    #expect(CallSession.Traffic(published: "rcvp=1") == nil && CallSession.Traffic(published: "rcvp=x, =,") == nil)
  }
}
