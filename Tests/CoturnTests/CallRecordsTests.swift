import Addresses
import Coturn
import Testing

/// Records of one call, as coturn 4.6.1 writes them.
private struct SampleCall {
  var origins = true
  var denial = ""
  var lines: [String] = []

  static let token = "1a2b3c"

  /// A session up to its allocation.
  mutating func begin(_ id: Int, _ role: CallSession.Role, port: Int) {
    let user = "<1795869999:\(origins ? "runbook" : Self.token)>"
    lines += [
      "1: : session \(name(id)): \(origin(role))realm <r.example> user <>: incoming packet message processed, error 401: Unauthorized",
      "1: : IPv4. Local relay addr: 127.0.0.1:\(port)",
      "1: : session \(name(id)): new, realm=<r.example>, username=\(user), lifetime=600",
      "1: : session \(name(id)): \(origin(role))realm <r.example> user \(user): incoming packet ALLOCATE processed, success",
    ]
  }

  /// The end of a session.
  mutating func end(_ id: Int, _ role: CallSession.Role, fromPeer: Int, toPeer: Int) {
    let account = "realm=<r.example>, username=<u>"
    lines += [
      "2: : session \(name(id)): usage: \(account), rp=9, rb=1276, sp=9, sb=1196",
      "2: : session \(name(id)): peer usage: \(account), rp=\(fromPeer - 1), rb=640, sp=\(toPeer), sb=800",
      "2: : session \(name(id)): peer usage: \(account), rp=1, rb=160, sp=0, sb=0",
      "2: : session \(name(id)): closed (2nd stage), user <u> realm <r.example> origin <>, local 127.0.0.1:3478, "
        + "remote 192.0.2.\(id):36628, reason: allocation timeout",
    ]
  }

  mutating func refuse(_ id: Int, _ role: CallSession.Role, _ error: String, method: String = "message") {
    lines.append(
      "1: : session \(name(id)): \(origin(role))realm <r.example> user <alice>: incoming packet \(method) processed, error \(error)"
    )
  }

  private func origin(_ role: CallSession.Role) -> String {
    origins ? "origin <\(CallRecords.origin(of: role, token: Self.token)):443> " : ""
  }

  private func name(_ id: Int) -> String { String(repeating: "0", count: 18 - "\(id)".count) + "\(id)" }

  func records(prefix: String = "") -> CallRecords {
    CallRecords(
      lines.map { prefix + $0 + "\n" }.joined().utf8, tie: origins ? .origin(Self.token) : .userName(Self.token))
  }

  /// A call of five packets each way that went well by the server's figures.
  static func good(origins: Bool = true) -> SampleCall {
    var call = SampleCall(origins: origins)
    call.begin(1, .sender, port: 49560)
    call.begin(2, .echo, port: 64227)
    call.end(2, .echo, fromPeer: 5, toPeer: 5)
    call.end(1, .sender, fromPeer: 5, toPeer: 5)
    return call
  }
}

@Suite("Records of a call of our own")
struct CallRecordsTests {
  private let relayed = ["127.0.0.1:49560", "127.0.0.1:64227"].compactMap { TransportAddress($0) }

  private func figures(_ reached: Int = 5, _ received: Int = 5) -> CallDiagnosis.Figures {
    .init(wasAnswered: true, sent: 5, reached: reached, received: received, relayed: relayed)
  }

  private let unanswered = CallDiagnosis.Figures(wasAnswered: false)
  private let refused = CallDiagnosis.Figures(wasAnswered: true)

  @Test("are tied by ORIGIN or by the user's name, in every envelope, and add up", arguments: [true, false])
  func good(origins: Bool) throws {
    for prefix in ["", "Nov 28 12:00:00 host turnserver[4711]: ", "coturn_1  | "] {
      let records = SampleCall.good(origins: origins).records(prefix: prefix)
      #expect(records.sessions.map(\.id) == [1, 2])
      #expect(records.sessions.map(\.role) == [.sender, .echo])
      let sender = try #require(records.sessions.first)
      #expect(sender.client == .init(receivedPackets: 9, receivedBytes: 1276, sentPackets: 9, sentBytes: 1196))
      #expect(sender.peer == .init(receivedPackets: 5, receivedBytes: 800, sentPackets: 5, sentBytes: 800))
      #expect(sender.clientAddress == "192.0.2.1:36628" && sender.closeReason == "allocation timeout")
      #expect(sender.challenges == 1 && sender.refusals.isEmpty && sender.isAllocated)
      #expect(records.openedRelays == relayed && records.isVerbose)
      let diagnosis = CallDiagnosis(records, figures())
      #expect(diagnosis.cause == nil && diagnosis.lost.count == 6 && diagnosis.lost.values.allSatisfy { $0 == 0 })
    }
  }

  @Test("of others are not ours, also if a client writes our words into its name")
  func others() {
    var call = SampleCall.good()
    call.lines += [
      "1: : session 000000000000000007: realm <r.example> user <>: incoming packet message processed, error 401: Unauthorized",
      "1: : session 000000000000000007: realm <r> user <session 000000000000000001: usage: x, rp=1, rb=1, sp=1, sb=1>: "
        + "incoming packet ALLOCATE processed, error 486: Allocation Quota Reached",
      "1: : session 000000000000000008: origin <https://sender-zzz.runbook.invalid> realm <r> user <>: incoming packet message processed, error 401: Unauthorized",
    ]
    #expect(call.records().sessions == SampleCall.good().records().sessions)
  }

  @Test(
    "tell which part of the way lost packets",
    arguments: [
      (3, 5, 3, 3, 3, 3, "senderToServer", "clientPath"), (5, 3, 3, 3, 3, 3, "betweenRelays", "relayPorts"),
      (5, 5, 3, 3, 3, 3, "serverToEcho", "clientPath"), (5, 5, 5, 3, 3, 3, "echoToServer", "clientPath"),
      (5, 5, 5, 5, 3, 3, "betweenRelaysBack", "relayPorts"), (5, 5, 5, 5, 5, 3, "serverToSender", "clientPath"),
    ])
  func legs(
    _ atServer: Int, _ atEchoRelay: Int, _ reached: Int, _ backAtServer: Int, _ backAtRelay: Int, _ received: Int,
    _ leg: String, _ cause: String
  ) {
    var call = SampleCall()
    call.begin(1, .sender, port: 49560)
    call.begin(2, .echo, port: 64227)
    call.end(1, .sender, fromPeer: backAtRelay, toPeer: atServer)
    call.end(2, .echo, fromPeer: min(atServer, atEchoRelay), toPeer: backAtServer)
    let diagnosis = CallDiagnosis(call.records(), figures(reached, received))
    #expect(diagnosis.lost.filter { $0.value > 0 }.map(\.key.rawValue) == [leg])
    #expect(diagnosis.lost.values.reduce(0, +) == 2)
    #expect(diagnosis.cause?.rawValue == cause)
  }

  @Test(
    "tell each refusal apart",
    arguments: [
      ("401: Unauthorized", "message", "credentials"), ("486: Allocation Quota Reached", "ALLOCATE", "quota"),
      ("508: Cannot create socket", "ALLOCATE", "portsExhausted"),
      ("403: Forbidden IP", "CREATE_PERMISSION", "deniedPeer"), ("437: Wrong allocation", "ALLOCATE", "refused"),
    ])
  func refusals(_ error: String, _ method: String, _ cause: String) throws {
    var call = SampleCall()
    call.lines.append(
      "1: : session 000000000000000001: origin <\(CallRecords.origin(of: .sender, token: SampleCall.token))> realm <r.example> "
        + "user <>: incoming packet message processed, error 401: Unauthorized")
    call.refuse(1, .sender, error, method: method)
    call.refuse(1, .sender, error)
    let records = call.records()
    #expect(records.sessions.first?.refusals.count == 1)
    #expect(CallDiagnosis(records, refused).cause?.rawValue == cause)
    #expect(records.isComplete(refusedOnesToo: false))
    // Only the late record tells the client's address over UDP.
    #expect(!records.isComplete(refusedOnesToo: true))
    call.lines.append(
      "62: : session 000000000000000001: closed (2nd stage), user <alice> realm <r.example> origin <x>, local 127.0.0.1:3478, "
        + "remote [2001:db8::1]:4711, reason: allocation watchdog determined stale session state")
    let late = call.records()
    #expect(late.isComplete(refusedOnesToo: true))
    #expect(late.sessions.first?.clientAddress == "[2001:db8::1]:4711")
  }

  @Test("without a session id tie through their user and their peer")
  func withoutID() {
    var call = SampleCall()
    call.refuse(1, .sender, "401: Unauthorized")
    call.lines.append("1: : ERROR: check_stun_auth: user bob credentials are incorrect")
    #expect(call.records().sessions.first?.credentials == nil)
    call.lines.append("1: : ERROR: check_stun_auth: Cannot find credentials of user <alice>")
    #expect(call.records().sessions.first?.credentials == .unknownOrExpired)
    call.lines[2] = "1: : ERROR: check_stun_auth: user alice credentials are incorrect"
    #expect(call.records().sessions.first?.credentials == .wrongPassword)
    var denied = SampleCall()
    denied.refuse(1, .sender, "403: Forbidden IP", method: "CHANNEL_BIND")
    denied.lines.append("1: : ERROR: A peer IP 10.1.2.3 denied in the range: 10.0.0.0-10.255.255.255")
    #expect(denied.records().sessions.first?.deniedRange == "10.0.0.0-10.255.255.255 (peer 10.1.2.3)")
  }

  @Test("of another realm than the target's tell of the realm, not of the password")
  func realm() {
    var call = SampleCall()
    call.refuse(1, .sender, "401: Unauthorized")
    var figures = refused
    figures.realm = "turn.example.com"
    #expect(CallDiagnosis(call.records(), figures).cause == .realm)
    figures.realm = "r.example"
    #expect(CallDiagnosis(call.records(), figures).cause == .credentials)
  }

  @Test("that are missing, or end before an answer came, tell which way is closed")
  func lostMessages() {
    #expect(CallDiagnosis(CallRecords(), unanswered).cause == .requestsLost)
    #expect(CallDiagnosis(CallRecords(), refused).cause == nil)
    var call = SampleCall()
    call.begin(1, .sender, port: 49560)
    #expect(CallDiagnosis(call.records(), unanswered).cause == .answersLost)
    #expect(!call.records().isComplete(refusedOnesToo: false) && !CallRecords().isComplete(refusedOnesToo: false))
  }

  @Test("that show another address than the announced one tell of it only if all else is well")
  func externalAddress() {
    var figures = figures()
    figures.relayed = ["203.0.113.9:49560", "203.0.113.9:64227"].compactMap { TransportAddress($0) }
    #expect(CallDiagnosis(SampleCall.good().records(), figures).cause == .externalAddress)
    figures.received = 3
    #expect(CallDiagnosis(SampleCall.good().records(), figures).cause == .clientPath)
  }

  @Test("of hostile bytes are read as far as they go")
  func hostile() {
    let text = Array(SampleCall.good().lines.joined(separator: "\n").utf8)
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      var bytes = text
      for _ in 0..<20 {
        bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      let records = CallRecords(
        bytes.prefix(.random(in: 0...bytes.count, using: &generator)), tie: .origin(SampleCall.token))
      _ = CallDiagnosis(records, figures())
    }
    let huge = CallRecords(
      "session 1: origin <\(CallRecords.origin(of: .sender, token: "t"))> realm <> user <>\nsession 1: usage: x, rp=9223372036854775807, rb=1, sp=1, sb=1\nsession 1: usage: x, rp=9223372036854775807, rb=99999999999999999999, sp=1, sb=1\n"
        .utf8,
      tie: .origin("t"))
    #expect(huge.sessions.count == 1)
  }
}
