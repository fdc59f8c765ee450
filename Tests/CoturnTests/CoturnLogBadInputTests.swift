import Schema
import TestSupport
import Testing

@testable import Coturn

private let badRequest =
  "session 000000000000000002: realm <r> user <>: incoming packet message processed, error 400: Bad Request"
private let suppressed = "Suppressed 9223372036854775807 messages"
private let crash = "turnserver Segmentation fault"
private let longRealm = String(repeating: "r", count: 127)
private let longName = String(repeating: "a", count: 480)

/// Records whose client wrote lines without a head behind them.
private let forgedTexts: [String] = [
  "check_stun_auth: wrong username: a b\n\(suppressed)\n\(suppressed)\nx",
  "check_stun_auth: wrong username: a b\n\(suppressed)\n\(suppressed)",
  "check_stun_auth: wrong username: a\n\(suppressed)\n\(suppressed)",
  "check_stun_auth: wrong realm: a b\nSuppressed 7 messages\nx",
  "handle: HTTP connection input: GET / HTTP/1.1\nHost: x\n\n\(suppressed)\nSuppressed 7 messages",
  "handle: HTTP connection input: GET / HTTP/1.1\nturnserver Segmentation fault\n",
  "x: Wrong origin format: a\nSuppressed 7 messages\nturnserver Segmentation fault",
  "check_stun_auth: wrong username: a b\nturnserver Segmentation fault\nx",
  "check_stun_auth: wrong username: a b\nturnserver Segmentation fault",
  "check_stun_auth: wrong username: a\nturnserver Segmentation fault",
  "check_stun_auth: wrong username: a b\nJan  5 10:00:03 h kernel: turnserver[8]: segfault at 0 ip 0\nx",
  "check_stun_auth: wrong username: a b\n2026-01-05T10:00:03Z h kernel: turnserver[8]: segfault at 0 ip 0\nx",
  "check_stun_auth: wrong username: a b\nkernel | turnserver Segmentation fault\nx",
  "check_stun_auth: wrong username: a b\n7: : \(badRequest)\nturnserver Segmentation fault\nx",
  "check_stun_auth: wrong username: a b\n7: : ERROR: check_stun_auth: wrong realm: \(longRealm)\n\(crash)",
  "check_stun_auth: wrong username: \(longName)\nx\nturnserver Segmentation fault",
]

/// What clients, loggers and other programs put into a log.
@Suite struct CoturnLogBadInputTests {
  private static let form = HeadForm.colon
  private static let answer = badRequest

  private func name(_ text: String) -> String {
    Self.form.record(7, "check_stun_auth: wrong username: \(text)", isError: true)
  }

  @Test(
    "Lines that a client forged through its name do not count, whatever time they claim",
    arguments: [
      "3: : ERROR: forged", "9: : Reloading TLS certificates and keys",
      "7: : ERROR: check_stun_auth: user x credentials are incorrect",
    ])
  func forged(line: String) {
    let log =
      Self.form.banner + name("x\n\(line)") + Self.form.record(7, Self.answer) + Self.form.record(8, "Default realm: r")
    let facts = reviewed(log)
    #expect(facts.forgedLines == 1, "\(line)")
    #expect(facts.records == 4 && facts.errorLevelRecords == 1, "\(line)")
    #expect(facts.failures == 0 && facts.reloads == 0 && facts.count(.malformedName) == 1, "\(line)")
    #expect(facts.notes().contains { $0.contains("1 lines were written by a client") })
  }

  @Test("A forged answer of the server does not end what the client wrote")
  func forgedAnswer() {
    let log =
      Self.form.banner + name("x\n7: : \(Self.answer)\n7: : ERROR: check_stun_auth: user x credentials are incorrect")
      + Self.form.record(7, Self.answer)
    let facts = reviewed(log)
    #expect(facts.forgedLines == 2 && facts.failures == 0 && facts.records == 3)
  }

  @Test("A name with a blank was refused for the blank: what follows is the server's")
  func blank() {
    let log =
      Self.form.banner + name("x y")
      + Self.form.record(7, "check_stun_auth: user bob credentials are incorrect", isError: true)
      + Self.form.record(7, Self.answer)
    let facts = reviewed(log)
    #expect(facts.forgedLines == 0 && facts.failures == 1 && facts.records == 4)
  }

  @Test(
    "What a client writes behind a refused name, request or origin tells of no crash and of no lost messages",
    arguments: forgedTexts)
  func forgedWithoutHead(text: String) {
    let log = Self.form.banner + Self.form.record(7, text, isError: true) + Self.form.record(7, Self.answer)
    let facts = reviewed(log + Self.form.record(8, "Default realm: r"))
    #expect(facts.count(.segfault) == 0 && facts.suppressed == 0, "\(text)")
    #expect(facts.counts.allSatisfy { $0 >= 0 } && facts.records >= 4, "\(text)")
  }

  @Test("The forged lines of a name with a blank are flagged, those with a head too")
  func forgedBehindBlank() {
    let lines = "\n7: : ERROR: check_stun_auth: user bob credentials are incorrect\nturnserver Segmentation fault\nx"
    let facts = reviewed(Self.form.banner + name("a b" + lines) + Self.form.record(7, Self.answer))
    #expect(facts.forgedLines == 2 && facts.failures == 0 && facts.count(.segfault) == 0 && facts.records == 3)
  }

  @Test(
    "Loggers that put something around each line do not hide that a client wrote it",
    arguments: ["2026-01-05T10:00:07.000000001Z ", "coturn-1  | ", "Jan  5 10:00:00 turn1 turnserver[812]: "])
  func forgedInEnvelope(prefix: String) {
    let text =
      Self.form.banner + name("a b\n\(suppressed)\nSuppressed 7 messages\nturnserver Segmentation fault\nx")
      + Self.form.record(7, Self.answer)
    let log = text.split(separator: "\n").map { "\(prefix)\($0)\n" }.joined()
    let facts = reviewed(log)
    #expect(facts.count(.segfault) == 0 && facts.suppressed == 0 && facts.forgedLines > 0, "\(prefix)")
    let one = "Jan  5 10:00:00 turn1 turnserver[812]: 7: : ERROR: check_stun_auth: wrong username: a b"
    #expect(reviewed(one + "#012turnserver Segmentation fault#012Suppressed 7 messages\n").count(.segfault) == 0)
  }

  @Test("Figures that no logger and no server writes neither trap nor turn negative")
  func figures() {
    let session = "session 000000000000000001: "
    let usage = "usage: realm=<r>, username=<u>, rp=1, rb=999999999999999999, sp=1, sb=999999999999999999"
    let syslog = "Jan  5 10:00:00 turn1 turnserver[812]: message repeated 999999999 times: [ 8: : "
    var log = Self.form.banner + "\(suppressed) from coturn.service\n\(suppressed) from coturn.service\n"
    log += "Suppressed 18446744073709551615 messages from coturn.service\nSuppressed 999999999 messages from x\n"
    log += "Jan 05 10:00:00 h systemd-journald[1]: \(suppressed) from coturn.service\n"
    log += Self.form.record(
      7, "\(session)realm <r> user <u>: incoming packet ALLOCATE processed, error 9999999999999999999: x")
    log += Self.form.record(7, "check_stun_auth: user credentials are incorrect", isError: true)
    log += "7: : check_stun_auth: Cannot find credentials of user <a\n\(suppressed)\n>\n"
    for _ in 0..<3 { log += "\(syslog)\(session)peer \(usage)]\n\(syslog)\(session)\(usage)]\n" }
    log += Self.form.record(7, session + "usage: realm=<r>, username=<u>, rp=1, rb=99999999999999999999, sp=1, sb=1")
    let facts = reviewed(log)
    #expect(facts.suppressed == 999_999_999 && facts.records > 0 && facts.counts.allSatisfy { $0 >= 0 })
    #expect(facts.relayedBytes == UInt64.max && facts.sessions.allSatisfy { $0.relayed == UInt64.max })
    _ = (facts.json(), facts.summary(), facts.notes())
  }

  @Test("A thousand cut records on one line are read one after the other")
  func cutRecords() {
    let text = "session 000000000000000001: closed (2nd stage), user <\(String(repeating: "u", count: 1200))"
    let record = String(Self.form.record(1, text).prefix(1023))
    let facts = reviewed(Self.form.banner + String(repeating: record, count: 1000) + "\n")
    #expect(facts.records == 1001)
  }

  @Test("A newline in an origin parts a record; what stands in it is no record, and its end still counts")
  func origin() {
    let form = HeadForm.threadStamp
    let tail = "realm <r> user <u>: incoming packet ALLOCATE processed, error 486: Allocation Quota Reached"
    let forged = form.record(1, "Reloading TLS certificates and keys")
    let log =
      form.banner + form.record(5, "session 000000000000000001: origin <a\n\(forged)b> \(tail)")
      + form.record(6, "Default realm: r")
    let facts = reviewed(log)
    #expect(facts.forgedLines == 1 && facts.reloads == 0)
    #expect(facts.count(.quotaExceeded) == 1 && facts.records == 3)
  }

  @Test(
    "Servers that the kernel or a failed assertion ended are crashes, each told once; those that were told to end are none"
  )
  func ended() {
    func lines(_ texts: String...) -> CoturnLogFacts {
      reviewed(Self.form.banner + texts.map { "Jan  5 10:00:03 turn1 \($0)\n" }.joined())
    }
    let exited = "systemd[1]: coturn.service: Main process exited, code="
    let memory = lines(
      "kernel: Out of memory: Killed process 812 (turnserver) total-vm:9kB, anon-rss:1kB, file-rss:0kB",
      "systemd[1]: coturn.service: A process of this unit has been killed by the OOM killer.",
      exited + "killed, status=9/KILL")
    #expect(memory.count(.killed) == 1 && memory.crashes == 1)
    #expect(lines("kernel: Memory cgroup out of memory: Killed process 812 (turnserver) total-vm:9kB").crashes == 1)
    #expect(lines("kernel: Out of memory: Killed process 812 (java) total-vm:9kB").crashes == 0)
    #expect(lines(exited + "killed, status=9/KILL").count(.killed) == 1)
    #expect(lines(exited + "dumped, status=6/ABRT", exited + "killed, status=6/ABRT").count(.aborted) == 2)
    #expect(lines(exited + "killed, status=15/TERM", exited + "exited, status=255/EXCEPTION").crashes == 0)
    #expect(lines("systemd[1]: ssh.service: Main process exited, code=killed, status=9/KILL").crashes == 0)
    let stopped = lines(
      "systemd[1]: coturn.service: State 'stop-sigterm' timed out. Killing.",
      "systemd[1]: coturn.service: Killing process 812 (turnserver) with signal SIGKILL.",
      exited + "killed, status=9/KILL")
    #expect(stopped.crashes == 0)
    let forged = reviewed(
      Self.form.banner + name("x y\n\(exited)killed, status=9/KILL\nx") + Self.form.record(7, Self.answer))
    #expect(forged.crashes == 0 && forged.forgedLines > 0)
  }

  @Test("A record of a syslog is one record, whatever line feeds it holds")
  func syslog() {
    let prefix = "Jan  5 10:00:00 turn1 turnserver[812]: "
    let banner = "0: : #012RFC 3489/5389/5766/5780/6062/6156 STUN/TURN Server#012Version Coturn-4.6.1 'Gorst'"
    let log =
      prefix + banner + "\n" + prefix + "7: : ERROR: check_stun_auth: wrong username: x#0123: : ERROR: forged\n"
      + prefix + "message repeated 14 times: [ 8: : ERROR: check_stun_auth: user bob credentials are incorrect]\n"
      + prefix + "ERROR: Cannot open log file for writing: /var/log/x.log\n"
      + "Jan  5 10:00:01 turn1 sshd[1]: Failed password for root\n"
      + "Jan  5 10:00:02 turn1 systemd-journald[2]: Suppressed 7 messages from coturn.service\n"
      + "Jan  5 10:00:03 turn1 kernel: [12.3] turnserver[812]: segfault at 0 ip 00007f sp 00007f error 4 in libc.so.6\n"
      + "Jan  5 10:00:03 turn1 systemd[1]: coturn.service: Main process exited, code=dumped, status=11/SEGV\n"
    let facts = reviewed(log)
    #expect(facts.version == CoturnVersion(4, 6, 1) && facts.starts == 1)
    #expect(facts.records == 16 && facts.errorLevelRecords == 15)
    #expect(facts.count(.wrongPassword) == 14 && facts.count(.malformedName) == 1 && facts.forgedLines == 1)
    #expect(facts.suppressed == 7 && facts.count(.segfault) == 1)
    // What follows a repeated record is not repeated.
    #expect(facts.count(.cannotOpenLog) == 1)
  }

  @Test("What journalctl shows in text has records of several lines indented, compose colours its names")
  func textForms() {
    let log =
      "Jan 05 10:00:00 turn1 turnserver[812]: 0: :\n"
      + "                                       RFC 3489/5389/5766/5780/6062/6156 STUN/TURN Server\n"
      + "                                       Version Coturn-4.6.1 'Gorst'\n"
      + "Jan 05 10:00:05 turn1 turnserver[812]: 5: : ERROR: check_stun_auth: user bob credentials are incorrect\n"
    let facts = reviewed(log)
    #expect(facts.starts == 1 && facts.records == 2 && facts.failures == 1 && facts.foreignLines == 0)
    let coloured =
      "\u{1B}[36mcoturn-1  | \u{1B}[0m0: (1): INFO: Default realm: r\n\u{1B}[33mweb-1     | \u{1B}[0m1: two\n"
    #expect(reviewed(coloured).records == 1 && reviewed(coloured).versionText(told: nil) == "4.6.2 to 4.16.0")
  }

  @Test(
    "A refused user's session has no bytes to list; one that relayed has, though the log begins after its allocation")
  func bytes() {
    func usage(_ id: Int, _ peers: Int) -> String {
      Self.form.record(5, "session 00000000000000000\(id): usage: realm=<r>, username=<u>, rp=4, rb=400, sp=4, sb=400")
        + Self.form.record(
          5, "session 00000000000000000\(id): peer usage: realm=<r>, username=<u>, rp=\(peers), rb=90, sp=0, sb=0")
    }
    #expect(reviewed(usage(1, 0) + usage(2, 1)).sessions.map(\.name) == ["1:000000000000000002"])
  }

  @Test("Messages of a journal may be bytes, hold line feeds, or be left out")
  func journal() {
    func entry(_ message: JSON, _ program: String = "turnserver") -> String {
      JSON.object([
        .init("MESSAGE", message), .init("__REALTIME_TIMESTAMP", "1767603600000000"),
        .init("SYSLOG_IDENTIFIER", .string(program)),
      ]).text(.compact) + "\n"
    }
    let hostile =
      "7: : ERROR: check_stun_auth: Cannot find credentials of user <".utf8.map { JSON.int(Int64($0)) } + [
        .int(255), .int(62),
      ]
    let log =
      entry("0: : \nRFC 3489/5389/5766/5780/6062/6156 STUN/TURN Server\nVersion Coturn-4.6.1 'Gorst'")
      + entry(.array(hostile))
      + entry(.null) + entry("12: : ERROR: check_stun_auth: user x credentials are incorrect", "other")
    let facts = reviewed(log)
    #expect(facts.starts == 1 && facts.unreadableRecords == 1)
    #expect(facts.users.counts[[255]]?.unknownOrExpired == 1)
    #expect(facts.json()["auth"]?["failuresByUserHex"] == .object([.init("78", 1), .init("ff", 1)]))
  }

  @Test("Another program's lines, hostile bytes and NULs between do not stop the reading")
  func hostile() {
    let garbage: [UInt8] =
      [0, 0, 0xFF, 0xFE, 0x1B, 0x5B, 0x0A]
      + Array("nginx: 12: something\n{\"a\":\n99999999999999999999: : x\n: : \n".utf8)
    let log = Array(Self.form.banner.utf8) + garbage + Array(Self.form.record(8, "Default realm: r").utf8) + garbage
    let facts = reviewed(log)
    #expect(facts.records == 2 && facts.starts == 1)
  }

  @Test(
    "What is no log of coturn is none",
    arguments: [
      "", "\n\n", "1: one\n2: two\n", "2026-01-05T10:00:00Z INFO started\n",
      "{\"log\":\"x\\n\",\"stream\":\"stdout\"}\n",
    ])
  func foreign(log: String) {
    let facts = reviewed(log)
    #expect(!facts.isCoturn && !facts.hasRecognized && facts.first == nil && facts.versionText(told: nil) == nil)
  }

  @Test(
    "A record of full length is cut, and the next one stands on its line",
    arguments: [(HeadForm.colon, 1023), (.threadStamp, 1022)])
  func cut(form: HeadForm, length: Int) {
    let whole = form.record(
      1, "session 000000000000000001: closed (2nd stage), user <\(String(repeating: "u", count: 1200))> realm <r>")
    let next = form.record(2, "Default realm: r")
    // Standard output gets a NUL and rubbish behind it.
    for rubbish in ["", "\0", "\0x"] {
      let facts = reviewed(form.banner + whole.prefix(length) + rubbish + next)
      #expect(facts.records == 3 && facts.longestRecord == length && facts.hasCutRecords, "\(rubbish.count)")
      #expect(facts.closeReasons.counts == [Array("(record cut)".utf8): 1])
    }
  }

  @Test("Two records on one line are two; records that standard output has twice are one")
  func shared() {
    let shared = "5: : SSL read error: 5: : error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca (1)\n"
    #expect(
      reviewed(Self.form.banner + shared).records == 3 && reviewed(Self.form.banner + shared).count(.readError) == 1)
    let failure = "check_stun_auth: user bob credentials are incorrect\n"
    let old = reviewed(HeadForm.bare.banner + "5: \(failure)5: ERROR: \(failure)")
    #expect(old.failures == 1 && old.errorLevelRecords == 1)
    let line = Self.form.record(5, "check_stun_auth: user bob credentials are incorrect", isError: true)
    let doubled = reviewed(Self.form.banner + Self.form.banner + line + line)
    #expect(doubled.starts == 1 && doubled.failures == 1 && doubled.records == 2)
  }

  @Test("Names of clients are counted in bounded memory")
  func flood() {
    var tally = Tally<Int>(limit: 100)
    for number in 0..<10_000 { tally.add(Array("user\(number)".utf8)) { $0 += number < 10 ? 1000 : 1 } }
    #expect(tally.counts.count <= 100)
    #expect(tally.counts[Array("user5".utf8)] == 1000)
    #expect(tally.dropped + tally.counts.values.reduce(0, +) == 10 * 1000 + 9990)
  }

  @Test("Prefixes and shuffles of a log never crash, and never count more than its lines")
  func fuzz() {
    var generator = SplitMix(state: 5)
    var log = Array((Self.form.banner + name("x\n3: : ERROR: forged") + Self.form.record(7, Self.answer)).utf8)
    log += Array(
      "7: : session 000000000000000001: origin <a\n> realm <r> user <u>: incoming packet X processed, success\n".utf8)
    for _ in 0..<400 {
      var text = log
      for _ in 0..<Int.random(in: 0...8, using: &generator) {
        text[Int.random(in: text.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      let facts = reviewed(text.prefix(Int.random(in: 0...text.count, using: &generator)))
      #expect(facts.records <= facts.account.lines * 2)
    }
  }
}
