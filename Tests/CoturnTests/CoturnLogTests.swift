import Schema
import Testing

@testable import Coturn

/// Records of every version, in every envelope.
@Suite struct CoturnLogTests {
  private static let session = "001000000000000007"

  /// A user who is served, one who is not, and what else a day brings.
  private static func day(_ form: HeadForm) -> String {
    let id = "session \(session): "
    let other = "000000000000000008"
    let head = form.errorHead(other)
    let known = "realm <r.example> user <alice>: incoming packet"
    let wrong = "session \(other): realm <r.example> user <bob>: incoming packet"
    return form.banner
      + form.record(0, "Default realm: r.example")
      + form.record(1, "\(id)realm <r.example> user <>: incoming packet message processed, error 401: Unauthorized")
      + form.record(1, "IPv4. Local relay addr: 192.0.2.10:49170")
      + form.record(1, "\(id)new, realm=<r.example>, username=<alice>, lifetime=600, cipher=X, method=TLSv1.2")
      + form.record(1, "\(id)\(known) ALLOCATE processed, success")
      + form.record(
        2, "\(form.errorHead(session))A peer IP 10.0.0.5 denied in the range: 10.0.0.0-10.255.255.255", isError: true)
      + form.record(2, "\(id)\(known) CREATE_PERMISSION processed, error 403: Forbidden IP")
      + form.record(2, "\(id)\(known) message processed, error 403: Forbidden IP")
      + form.record(3, "\(head)check_stun_auth: Cannot find credentials of user <bob>", isError: true)
      + form.record(3, "\(wrong) message processed, error 401: Unauthorized")
      + form.record(3, "\(head)check_stun_auth: user bob credentials are incorrect", isError: true)
      + form.record(3, "\(wrong) message processed, error 401: Unauthorized")
      + form.record(4, "\(id)\(known) ALLOCATE processed, error 486: Allocation Quota Reached")
      + form.record(4, "\(id)\(known) message processed, error 486: Allocation Quota Reached")
      + form.record(4, "create_relay_ioa_sockets: no available ports 3")
      + form.record(4, "\(id)\(known) ALLOCATE processed, error 508: Cannot create socket")
      + form.record(4, "\(id)\(known) message processed, error 508: Cannot create socket")
      + form.record(5, "\(id)\(known) message processed, error 438: Stale nonce")
      + form.record(5, "\(id)\(known) message processed, error 437: Invalid allocation")
      + form.record(9, "\(id)usage: realm=<r.example>, username=<alice>, rp=2, rb=200, sp=3, sb=300")
      + form.record(9, "\(id)peer usage: realm=<r.example>, username=<alice>, rp=1, rb=100, sp=1, sb=110")
      + form.record(9, "\(id)usage: realm=<r.example>, username=<alice>, rp=1, rb=100, sp=1, sb=100")
      + form.record(
        9,
        "\(id)closed (2nd stage), user <alice> realm <r.example> origin <>, local 192.0.2.10:3478, remote 198.51.100.7:4000, reason: allocation timeout"
      )
      + form.record(
        9,
        "session \(other): closed (2nd stage), user <bob> realm <r.example> origin <>, local 192.0.2.10:3478, remote [2001:db8::7]:4001, reason: allocation watchdog determined stale session state"
      )
      + form.record(
        9, "session 000000000000000009: TLS/TCP socket error: Connection reset by peer 198.51.100.9:1", isError: true)
  }

  @Test("Every version's records are read alike in every envelope", arguments: HeadForm.allCases, LogEnvelope.allCases)
  func forms(form: HeadForm, envelope: LogEnvelope) throws {
    let facts = reviewed(envelope.wrap(log: Self.day(form)))
    let name = Comment(rawValue: "\(form) in \(envelope)")
    #expect(facts.version == CoturnVersion(form.version), name)
    #expect(facts.records == 26, name)
    #expect(facts.errorLevelRecords == (form == .bare ? 0 : 4), name)
    #expect(facts.challenges == 1, name)
    #expect(facts.users.counts[Array("bob".utf8)]?.unknownOrExpired == 1, name)
    #expect(facts.users.counts[Array("bob".utf8)]?.wrongPassword == 1, name)
    #expect(facts.users.counts[Array("alice".utf8)]?.allocated == 1, name)
    #expect(facts.clients.counts[Array("2001:db8::7".utf8)]?.failures == 2, name)
    #expect(facts.clients.counts[Array("198.51.100.7".utf8)]?.forbidden == 1, name)
    #expect(facts.peers == [.init(peer: "10.0.0.5", range: "10.0.0.0-10.255.255.255", count: 1)], name)
    #expect(facts.forbidden == 1, name)
    let kinds: [CoturnLogKind: Int] = [
      .unknownOrExpired: 1, .wrongPassword: 1, .peerDenied: 1, .quotaExceeded: 1, .portsExhausted: 1, .staleNonce: 1,
      .socketError: 1,
    ]
    for kind in CoturnLogKind.allCases { #expect(facts.count(kind) == kinds[kind] ?? 0, "\(name): \(kind)") }
    #expect(facts.opened == 1 && facts.closed == 1 && facts.closedWithoutAllocation == 1, name)
    let session = try #require(facts.sessions.first, name)
    #expect(facts.sessions.count == 1 && session.name == "1:\(Self.session)", name)
    #expect(session.client?.receivedBytes == 300 && session.relayed == 210, name)
    #expect(facts.relayedBytes == 210, name)
    #expect(facts.forgedLines == 0 && facts.foreignLines == 0 && facts.timeReversals == 0, name)
    let hasWall = form.hasWallTime || ![.file, .syslog, .compose].contains(envelope)
    if case .wall = facts.first { #expect(hasWall, name) } else { #expect(!hasWall, name) }
  }

  @Test("Without a banner the form and what only some versions write tell the version")
  func versions() {
    func text(_ log: String) -> String? { reviewed(log).versionText(told: nil) }
    #expect(text("1: Default realm: x\n") == "4.5.0 to 4.5.1.3")
    #expect(
      text("1: session 000000000000000001: peer usage: realm=<x>, username=<y>, rp=0, rb=0, sp=0, sb=0\n")
        == "4.5.1.2 to 4.5.1.3")
    #expect(text("1: : Default realm: x\n") == "4.5.2 to 4.6.1")
    #expect(text("1: (2): INFO: Default realm: x\n") == "4.6.2 to 4.16.0")
    #expect(text("1: (2): ERROR: check_stun_auth: user x credentials are incorrect\n") == "4.6.2")
    #expect(
      text("1: (2): ERROR: session 000000000000000001: check_stun_auth: user x credentials are incorrect\n")
        == "4.6.3 to 4.16.0")
    #expect(text("1: (2): INFO: 401 rate-limit exceeded from 192.0.2.1, suppressing\n") == "4.14.0 to 4.16.0")
    #expect(text("1 INFO Default realm: x\n") == "4.17.0 to 4.17.1")
    #expect(reviewed("1: : Default realm: x\n").versionText(told: CoturnVersion(4, 6, 1)) == "4.6.1")
    let told = reviewed("1 INFO Default realm: x\n").notes(told: CoturnVersion(4, 6, 1))
    #expect(told.contains { $0.contains("said to be of 4.6.1") }, "\(told)")
    let newer = reviewed("1 INFO Coturn Version Coturn-4.18.0 'Gorst'\n")
    #expect(newer.versionText(told: nil) == "4.18.0")
    #expect(newer.notes().contains { $0.contains("4.18.0 is newer than 4.17.1") })
  }

  @Test("A start leaves the sessions of the one before open, and ids begin again", arguments: HeadForm.allCases)
  func restart(form: HeadForm) {
    let open = form.record(5, "session 000000000000000001: new, realm=<r>, username=<u>, lifetime=600")
    let facts = reviewed(form.banner + open + form.banner + open)
    #expect(facts.starts == 2 && facts.restarts == 1)
    #expect(facts.leftOpen.map(\.name) == ["1:000000000000000001", "2:000000000000000001"])
    #expect(facts.opened == 2 && facts.closed == 0)
  }

  @Test("TLS listeners are lost by the record that says so, until the next start, whatever follows")
  func listeners() {
    let form = HeadForm.thread
    let lost =
      form.banner + form.record(0, "WARNING: cannot find private key file: /k (1)")
      + form.record(0, "WARNING: cannot start TLS and DTLS listeners because private key file is not set properly")
      + form.record(0, "Private key file found: /k")
    #expect(reviewed(lost).isTLSLost == true)
    #expect(reviewed(lost).count(.keyNotFound) == 1 && reviewed(lost).count(.listenersDisabled) == 1)
    #expect(reviewed(lost + form.banner).isTLSLost == false)
    #expect(reviewed(form.record(0, "Default realm: r")).isTLSLost == nil)
  }

  @Test("A reload that fails is told by its record, the last one decides")
  func reload() {
    let form = HeadForm.colon
    let reload = form.record(7, "Reloading TLS certificates and keys")
    let failure =
      form.record(
        7, "SSL23: ERROR: no valid private key found, or invalid private key password provided", isError: true)
      + form.record(7, "SSL23: ERROR: invalid private key", isError: true)
    let failed = reviewed(form.banner + reload + failure)
    #expect(failed.isReloadFailed == true && failed.count(.reloadFailed) == 1 && failed.reloads == 1)
    #expect(reviewed(form.banner + reload + failure + reload).isReloadFailed == false)
  }

  @Test("Records of configuration on a line of their own, and texts without a head, are told")
  func configuration() {
    let old =
      HeadForm.colon.banner
      + HeadForm.colon.record(
        0, "\nCONFIG ERROR: Empty cli-password, and so telnet cli interface is disabled!", isError: true)
      + HeadForm.colon.record(0, "Bad configuration format: no-loopback-peers")
      + "socket: Protocol not supported\nERROR: Cannot open log file for writing: /var/log/x.log\n"
      + "CONFIG ERROR: Empty cli-password, which nobody wrote\n"
    let facts = reviewed(old)
    #expect(facts.count(.cliPasswordEmpty) == 1)
    #expect(facts.count(.badFormat) == 1 && facts.count(.protocolNotSupported) == 1 && facts.count(.cannotOpenLog) == 1)
    #expect(facts.records == 3 && facts.errorLevelRecords == 1)
    let newer = reviewed(
      HeadForm.threadStamp.record(0, "socket: Protocol not supported", isError: true) + HeadForm.threadStamp.banner)
    #expect(newer.count(.protocolNotSupported) == 1 && newer.records == 2)
  }

  @Test("A drain counts once, with the refusals that follow it")
  func drain() {
    let form = HeadForm.line
    let refusal =
      "session 000000000000000003: realm <r> user <u>: incoming packet ALLOCATE processed, error 403: Server is draining, then will shutdown, please try another server"
    let facts = reviewed(
      form.banner + form.record(1, "Draining then terminating on signal 10") + form.record(2, refusal)
        + form.record(2, refusal))
    #expect(facts.count(.draining) == 1 && facts.forbidden == 0 && facts.isDraining)
    #expect(reviewed(form.banner + form.record(2, refusal)).count(.draining) == 1)
  }

  @Test("Rates are unknown if nothing measured them, and never 100 %")
  func rates() {
    let form = HeadForm.colon
    let failure = form.record(3, "check_stun_auth: user bob credentials are incorrect", isError: true)
    let silent = reviewed(form.banner + failure)
    #expect(silent.authenticationSuccess == nil && silent.allocationSuccess == nil && !silent.isVerbose)
    let served = form.record(
      3, "session 000000000000000001: realm <r> user <a>: incoming packet ALLOCATE processed, success")
    #expect(reviewed(form.banner + failure + served).authenticationSuccess == 50)
    #expect(reviewed(form.banner + served).allocationSuccess == 100)
  }

  @Test("Failures of runbook-probe are left out, with the expiry of a REST name too, and nobody else's")
  func probe() {
    func failure(_ user: String) -> String {
      HeadForm.colon.record(3, "check_stun_auth: Cannot find credentials of user <\(user)>", isError: true)
    }
    let facts = reviewed(
      HeadForm.colon.banner + failure("runbook-probe") + failure("1760000000:runbook-probe")
        + failure("not-runbook-probe"))
    #expect(facts.probeFailures == 2 && facts.failures == 1)
    #expect(facts.users.counts.keys.map { String(decoding: $0, as: UTF8.self) } == ["not-runbook-probe"])
  }

  @Test(
    "A window counts what lies in it, and follows sessions from before; records without a wall time count, and it is said"
  )
  func window() throws {
    let form = HeadForm.line
    let id = "session 000000000000000001: "
    let log =
      form.banner + form.record(1, "\(id)new, realm=<r>, username=<u>, lifetime=600")
      + form.record(
        60,
        "\(id)closed (2nd stage), user <u> realm <r> origin <>, local 192.0.2.1:3478, remote 192.0.2.9:1, reason: allocation timeout"
      )
    let window = CoturnLogReview.Window(from: Timestamp("2026-01-05T09:00:30Z"), until: nil)
    let facts = reviewed(log, window: window)
    #expect(facts.records == 1 && facts.opened == 0 && facts.closed == 1 && facts.starts == 0 && facts.undated == 0)
    #expect(facts.version == CoturnVersion(4, 17, 1))
    let undated = reviewed(HeadForm.colon.record(5, "Default realm: r"), window: window)
    #expect(undated.records == 1 && undated.undated == 1)
    #expect(undated.notes().contains { $0.contains("only seconds since the start") })
  }
}
