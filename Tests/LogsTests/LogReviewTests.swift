import Schema
import Testing

@testable import Logs

@Suite struct LogReviewTests {
  /// What a review finds in texts, each a source of its own, given in pieces of a size.
  private func review(
    _ texts: [[UInt8]], _ patterns: [LogPattern], _ scope: LogReview.ReviewScope = .init(),
    reference: Timestamp? = Timestamp("2026-11-28T04:00:00Z"), pieces: Int = 7
  ) throws -> LogReview {
    let review = try LogReview(patterns, scope)
    for text in texts {
      review.begin(reference: try #require(reference))
      for start in stride(from: 0, to: text.count, by: pieces) {
        Array(text[start..<min(start + pieces, text.count)]).withUnsafeBytes { review.take($0) }
      }
      review.end()
    }
    return review
  }

  private func review(
    _ text: String, _ patterns: [LogPattern], _ scope: LogReview.ReviewScope = .init(), pieces: Int = 7
  ) throws -> LogReview {
    try review([Array(text.utf8)], patterns, scope, pieces: pieces)
  }

  private static let errors = LogPattern(name: "errors", match: "ERROR")

  @Test("Lines are counted and patterns found, however the text arrives", arguments: [1, 7, 64, 100_000])
  func pieces(size: Int) throws {
    let text = (0..<500).map { "line \($0)\($0 % 100 == 7 ? " ERROR here" : "")\n" }.joined() + "ERROR at last"
    let review = try review(text, [Self.errors], pieces: size)
    #expect(review.account.lines == 501)
    #expect(review.account.bytes == text.utf8.count)
    #expect(review.matches[0].count == 6)
    #expect(review.matches[0].samples == ["line 7 ERROR here", "line 107 ERROR here", "line 207 ERROR here"])
  }

  @Test("A pattern is one of words that are there and words that are not")
  func words() throws {
    let pattern = LogPattern(name: "p", match: "user (\\w+)", all: ["failed", "a.b"], none: ["probe"])
    let text = "user x failed a.b\nuser x failed axb\nuser probe failed a.b\nfailed a.b user\nuser y a.b failed\n"
    #expect(try review(text, [pattern]).matches[0].count == 2)
    #expect(try review("a.b\naxb\n", [LogPattern(name: "p", all: ["a.b"])]).matches[0].count == 1)
  }

  @Test("No pattern reaches over the end of a line")
  func lineBorders() throws {
    #expect(try review("a\nb\n", [LogPattern(name: "p", match: "a\\sb")]).matches[0].count == 0)
    #expect(try review("ax\nbx\n", [LogPattern(name: "p", match: "(?s)a.*b")]).matches[0].count == 0)
    #expect(try review("xa\nax\n", [LogPattern(name: "p", match: "a$")]).matches[0].count == 1)
  }

  @Test("An anchor is at the start of the message, behind stamp, host and program")
  func anchors() throws {
    let lines = [
      "ERROR: bare", "Nov 27 10:00:00 turn1 turnserver[12]: ERROR: syslog",
      "2026-11-27T10:00:00.123456+00:00 turn1 turnserver[12]: ERROR: rsyslog", "coturn-1  | ERROR: compose",
      "2026-11-27T10:00:00+0000(28): ERROR: coturn 4.7", "2026-11-27T10:00:00.123+0000 ERROR: coturn 4.17",
      "<34>1 2026-11-27T10:00:00Z turn1 turnserver 12 - [a b=\"c\"] ERROR: RFC 5424",
      "[2026-11-27 10:00:00] ERROR: bracket", "no ERROR: at the start",
      "2026-11-27T10:00:00.000000000Z stdout F no ERROR: in text",
    ]
    let review = try review(lines.joined(separator: "\n"), [LogPattern(name: "p", match: "^ERROR")], .init(samples: 20))
    #expect(
      review.matches[0].samples.map { $0.dropFirst(7) } == [
        "bare", "syslog", "rsyslog", "compose", "coturn 4.7", "coturn 4.17", "RFC 5424", "bracket",
      ])
  }

  @Test("Host and stamp of a line are no part of what is looked through")
  func prefixIsNoMessage() throws {
    #expect(try review("Nov 27 10:00:00 ERROR x[1]: fine\n", [Self.errors]).matches[0].count == 0)
  }

  @Test("The window holds what is in it, by instants, whatever the form of the stamp")
  func window() throws {
    let scope = LogReview.ReviewScope(
      from: Timestamp("2026-11-27T04:00:00Z"), until: Timestamp("2026-11-28T04:00:00Z"), samples: 20)
    let lines = [
      "2026-11-27T03:59:59Z ERROR too early", "2026-11-27T12:00:00+0800 ERROR in 1", "2026-11-27 23:00:00,5 ERROR in 2",
      "198.51.100.1 - - [27/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" ERROR in 3",
      "2026-11-28T04:00:00Z ERROR too late", "2026/11/27 10:00:00 [error] ERROR in 4",
      "2026-11-27T11:59:59+08:00 ERROR too early", "2026-11-27T04:30:00-01:00 ERROR in 5",
    ]
    let review = try review(lines.joined(separator: "\n"), [Self.errors], scope)
    #expect(review.matches[0].count == 5)
    #expect(review.matches[0].first == Timestamp("2026-11-27T04:00:00Z"))
    #expect(review.matches[0].last?.description.hasPrefix("2026-11-27T23:00:00.5") == true)
    #expect(review.account.undated == 0)
  }

  @Test("A message without a stamp belongs to the one before it; without any its time is unknown, and it counts")
  func continuation() throws {
    let scope = LogReview.ReviewScope(from: Timestamp("2026-11-27T04:00:00Z"))
    let old = "2026-11-20T10:00:00Z something\n  ERROR of it\n"
    #expect(try review(old, [Self.errors], scope).matches[0].count == 0)
    let undated = try review("12: : ERROR: of coturn 4.6\n", [Self.errors], scope)
    #expect(undated.matches[0].count == 1)
    #expect(undated.account.undated == 1)
    #expect(undated.matches[0].first == nil)
  }

  @Test("A stamp without a year is of the nearest year that is not in the future")
  func yearless() throws {
    let patterns = [Self.errors]
    let december = try review(
      [Array("Dec 31 23:59:00 h p[1]: ERROR\n".utf8)], patterns, reference: Timestamp("2027-01-01T00:05:00Z"))
    #expect(december.matches[0].first?.description.hasPrefix("2026-12-31") == true)
    let today = try review([Array("Nov 28 23:00:00 h p[1]: ERROR\n".utf8)], patterns)
    #expect(today.matches[0].first?.description.hasPrefix("2026-11-28") == true)
    let leap = try review(
      [Array("Feb 29 10:00:00 h p[1]: ERROR\n".utf8)], patterns, reference: Timestamp("2028-03-01T00:00:00Z"))
    #expect(leap.matches[0].first?.description.hasPrefix("2028-02-29") == true)
  }

  @Test("Messages that a logger repeats are counted as often")
  func repetitions() throws {
    let text = """
      Nov 27 10:00:00 h turnserver[1]: ERROR a
      Nov 27 10:00:01 h turnserver[1]: message repeated 14 times: [ ERROR a]
      Nov 27 10:00:02 h turnserver[1]: last message repeated 3 times
      Nov 27 10:00:03 h turnserver[1]: fine
      Nov 27 10:00:04 h turnserver[1]: last message repeated 7 times
      """
    // What rsyslog repeats stands in the brackets; what others repeat is the line before, here rsyslog's.
    #expect(try review(text, [Self.errors]).matches[0].count == 18)
    #expect(try review(text, [LogPattern(name: "p", match: "^ERROR")]).matches[0].count == 18)
  }

  @Test("NULs are passed over, and what stands behind them is found")
  func nuls() throws {
    let head = [UInt8](repeating: 0, count: 3_000_000)
    let review = try review(
      [head + Array("first ERROR\nsec\0ond ERROR\n".utf8)], [Self.errors], pieces: 65_536)
    #expect(review.matches[0].samples == ["first ERROR", "sec ond ERROR"])
    #expect(review.account.nulBytes == 3_000_001)
    #expect(review.account.lines == 2)
    #expect(review.account.cutLines == 0)
  }

  @Test("Words that NULs part stay apart, wherever the pieces end", arguments: [1, 3, 100])
  func nulsBetweenWords(size: Int) throws {
    let pattern = LogPattern(name: "p", match: "\\bERROR\\b")
    let text = Array("xxx\0ERROR\ndone\0\0ERROR\nERROR\0broken\n\0\0ERROR\n".utf8)
    let review = try review([text], [pattern], .init(samples: 9), pieces: size)
    #expect(review.matches[0].count == 4)
    #expect(review.matches[0].samples.last == "ERROR")
    #expect(review.account.nulBytes == 6)
  }

  @Test("What stands right behind a stamp is of the message, and a level is no program")
  func levels() throws {
    let lines = [
      "2026-11-27T10:00:00.5Z\tERROR\tmain.go:7\tdown", "2026-11-27T10:00:00Z,ERROR,down",
      "2026-11-27 10:00:00|ERROR|down",
      "Nov 27 10:00:00 app ERROR: down", "Nov 27 10:00:00 turn1 ERROR: down",
    ]
    let review = try review(lines.joined(separator: "\n"), [Self.errors], .init(samples: 20))
    #expect(review.matches[0].count == 5, "\(review.matches[0].samples)")
    let anchored = [LogPattern(name: "p", match: "^ERROR")]
    #expect(try self.review(lines[..<3].joined(separator: "\n"), anchored).matches[0].count == 3)
  }

  @Test("A client cannot date its own record: only an access log has its time behind three words")
  func forgedTime() throws {
    let scope = LogReview.ReviewScope(from: Timestamp("2026-11-27T04:00:00Z"))
    let forged = "12: : session 001: user <[12/Sep/2001:09:14:37 +0000]> ERROR\n"
    #expect(try review(forged, [Self.errors], scope).matches[0].count == 1)
    let old = "198.51.100.1 - - [12/Sep/2001:09:14:37 +0000] \"GET / HTTP/1.1\" ERROR\n"
    #expect(try review(old, [Self.errors], scope).matches[0].count == 0)
  }

  @Test(
    "A zone is read in every usual form", arguments: ["Z", "z", " UTC", " GMT", "+0000", " +0000", " +00:00", "+00"])
  func zones(zone: String) throws {
    let found = try review("2026-11-27T10:00:00.5\(zone) ERROR\n", [Self.errors]).matches[0]
    #expect(found.first?.description.hasPrefix("2026-11-27T10:00:00.5") == true, "\(zone)")
    #expect(found.samples.first?.hasSuffix("ERROR") == true)
  }

  @Test("A program's own field `log` is not taken for Docker's")
  func ownLogField() throws {
    let text = "{\"level\":\"ERROR\",\"log\":\"down\",\"time\":\"2026-11-27T10:00:00Z\"}\n"
    #expect(try review(text, [Self.errors]).matches[0].count == 1)
  }

  @Test("A line of 100 MB is cut, and what follows it is read")
  func endlessLine() throws {
    let review = try LogReview([Self.errors], .init())
    review.begin(reference: .unixEpoch)
    let piece = [UInt8](repeating: 0x61, count: 1 << 20)
    for _ in 0..<100 { piece.withUnsafeBytes { review.take($0) } }
    Array("\nERROR\n".utf8).withUnsafeBytes { review.take($0) }
    review.end()
    #expect(review.account.cutLines == 1)
    #expect(review.matches[0].count == 1)
  }

  @Test("Bytes that are no UTF-8 keep no pattern from being found")
  func hostileBytes() throws {
    let line = Array("user <".utf8) + [0xFF, 0xFE, 0x1B] + Array("> credentials are incorrect\n".utf8)
    let review = try review([line], [LogPattern(name: "p", match: "user <.*> credentials")])
    #expect(review.matches[0].count == 1)
    #expect(review.matches[0].samples[0].hasPrefix("user <\u{FFFD}"))
  }

  @Test("What a logger left out is counted")
  func suppressed() throws {
    let text = """
      Nov 27 10:00:00 h systemd-journald[1]: Suppressed 1842 messages from coturn.service
      Nov 27 10:00:00 h rsyslogd: imuxsock lost 12 messages from pid 7 due to rate-limiting
      Nov 27 10:00:00 h rsyslogd: action 'x': 5 messages lost due to rate-limiting
      """
    #expect(try review(text, [Self.errors]).account.suppressed == 1859)
  }

  @Test("Docker's json-file: escapes are undone, cut messages joined, stamps of the runtime used")
  func docker() throws {
    let text = """
      {"log":"say \\"ERR","stream":"stderr","time":"2026-11-27T10:00:00.5Z"}
      {"log":"OR\\" now\\n","stream":"stderr","time":"2026-11-27T10:00:01Z"}
      {"log":"fine\\n","stream":"stdout","time":"2026-11-27T10:00:02Z"}
      not JSON ERROR
      """
    let review = try review(text, [LogPattern(name: "p", match: "\"?ERROR\"?")])
    #expect(review.matches[0].samples == ["say \"ERROR\" now", "not JSON ERROR"])
    #expect(review.matches[0].first == Timestamp("2026-11-27T10:00:01Z"))
  }

  @Test("The container runtime interface: parts are joined, the prefix is no message")
  func cri() throws {
    let text = """
      2026-11-27T10:00:00.123456789Z stderr P ERR
      2026-11-27T10:00:00.223456789Z stderr F OR: x
      2026-11-27T10:00:01Z stdout F fine
      """
    let review = try review(text, [LogPattern(name: "p", match: "^ERROR")])
    #expect(review.matches[0].samples == ["ERROR: x"])
    #expect(review.matches[0].first == Timestamp("2026-11-27T10:00:00.223456789Z"))
  }

  @Test("A journal's message may be a string, an array of bytes, or nothing that can be read")
  func journal() throws {
    let text = """
      {"__REALTIME_TIMESTAMP":"1795773600000000","SYSLOG_IDENTIFIER":"turnserver","MESSAGE":"ERROR a"}
      {"__REALTIME_TIMESTAMP":"1795773601000000","SYSLOG_IDENTIFIER":"turnserver","MESSAGE":[69,82,82,79,82,13]}
      {"__REALTIME_TIMESTAMP":"1795773602000000","SYSLOG_IDENTIFIER":"turnserver","MESSAGE":null}
      {"__REALTIME_TIMESTAMP":"1795773603000000","SYSLOG_IDENTIFIER":"other","MESSAGE":"ERROR b"}
      """
    let review = try review(text, [Self.errors], .init(program: "turnserver"))
    #expect(review.matches[0].count == 2)
    #expect(review.account.unreadable == 1)
  }

  @Test("A pattern that is none is refused by its name")
  func invalid() {
    for (pattern, start) in [
      (LogPattern(name: "p", match: "a)(b"), "unexpected )"), (LogPattern(name: "p", match: "(a"), "missing )"),
      (LogPattern(name: "p"), "it says nothing to look for"),
    ] {
      let error = #expect(throws: LogPatternError.self) { try LogReview([pattern], .init()) }
      #expect(error?.pattern == "p")
      #expect(error?.message.hasPrefix(start) == true, "\(error?.message ?? "")")
    }
  }
}
