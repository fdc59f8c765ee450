import Foundation
import Schema
import Testing

@testable import Notices

/// A notice of a run, with everything that one can have.
func sampleNotice(
  key: String = "key", level: NoticeLevel = .critical, status: OutgoingNotice.Status = .firing,
  title: String = "daily-health fails on eu: Media is relayed", text: String = "3 runs in a row did not pass",
  look: String? = "is the relay range open: 49152-65535/udp", stands: Bool = true
) throws -> OutgoingNotice {
  OutgoingNotice(
    key: key, level: level, status: status, title: title, text: text, look: look,
    since: Timestamp("2026-11-28T22:10:05Z"), time: Timestamp("2026-11-28T22:25:00Z") ?? .unixEpoch,
    origin: OutgoingNotice.Provenance(
      run: "01KB4T8Q7G3Y0000000000RUN1", runbook: "daily-health", target: "eu", host: "ops1", project: "/srv/ops"),
    stands: stands)
}

@Suite struct NoticeTests {
  @Test("The plain text says what failed on what, since when, what to look at, which run, and what shows more")
  func plain() throws {
    #expect(
      try sampleNotice().plainText == """
        [CRITICAL] daily-health fails on eu: Media is relayed

        3 runs in a row did not pass

        Since:         2026-11-28 22:10:05 UTC
        First look at: is the relay range open: 49152-65535/udp
        Runbook:       daily-health on eu
        Run:           01KB4T8Q7G3Y0000000000RUN1
        Sent:          2026-11-28 22:25:00 UTC by ops1
        Show more:     runbook report 01KB4T8Q7G3Y0000000000RUN1 --project /srv/ops

        """)
  }

  @Test("A notice that something is over says so first")
  func resolved() throws {
    #expect(try sampleNotice(status: .resolved).plainText.hasPrefix("[RESOLVED] daily-health"))
    #expect(try sampleNotice(status: .resolved).problem == sampleNotice(key: "other").problem)
  }

  @Test("HTML escapes every text, and fetches nothing")
  func html() throws {
    let html = try sampleNotice(title: "<script>alert(1)</script>", text: "a & \"b\" </pre><img src=x>").html
    #expect(!html.contains("<script") && !html.contains("<img"))
    #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    #expect(html.contains("a &amp; &quot;b&quot; &lt;/pre&gt;"))
    #expect(html.contains("<code>runbook report 01KB4T8Q7G3Y0000000000RUN1 --project /srv/ops</code>"))
  }

  @Test(
    "An SMS has at most 160 characters that each take one place, and always the run",
    arguments: ["short", String(repeating: "long [text] ", count: 40), "Zoë’s relay – 日本 {down} 😀", "€|^~\\`"])
  func sms(title: String) throws {
    let sms = try sampleNotice(title: title).smsText
    #expect(sms.count <= 160)
    #expect(sms.hasPrefix("CRITICAL: "))
    #expect(sms.hasSuffix(" since 22:10Z run 01KB4T8Q7G3Y0000000000RUN1"))
    #expect(sms.contains { "[]{}|^~\\`€–’日😀".contains($0) } == false)
  }

  @Test("A title is one line, whatever it is made of, and nothing in a text is obeyed")
  func control() throws {
    let notice = try sampleNotice(
      title: "a\r\nBcc: evil@example.com\n\u{2028}b\u{0}\u{1B}[31m", text: "x\u{202E}y\r\nz\rw\u{7}")
    #expect(notice.title == "a Bcc: evil@example.com b\u{FFFD}\u{FFFD}[31m")
    #expect(notice.text == "x\u{FFFD}y\nz\nw\u{FFFD}")
  }

  @Test("Of a text of a megabyte the start is kept, and the notice says how much is missing")
  func megabyte() throws {
    let notice = try sampleNotice(
      title: String(repeating: "t", count: 1 << 20), text: String(repeating: "ä", count: 1 << 19))
    #expect(notice.title.count == OutgoingNotice.longestTitle)
    #expect(notice.text.utf8.count < OutgoingNotice.longestText + 100)
    #expect(notice.text.hasSuffix("more bytes are left out"))
  }

  @Test("The command names the project as a shell reads it")
  func command() throws {
    let origin = OutgoingNotice.Provenance(run: "R", runbook: nil, target: nil, host: "h", project: "/srv/it's here")
    let notice = OutgoingNotice(key: "k", level: .info, title: "t", time: .unixEpoch, origin: origin)
    #expect(notice.command == "runbook report R --project '/srv/it'\\''s here'")
  }
}

@Suite struct MailMessageTests {
  private func lines(_ notice: OutgoingNotice) -> [String] {
    let mail = MailMessage(notice, from: "runbook@example.com", to: ["a@example.com", "b@example.com"])
    return String(decoding: mail.bytes, as: UTF8.self).components(separatedBy: "\r\n")
  }

  @Test(
    "No header field can be put into a subject",
    arguments: ["x\r\nBcc: e@example.com", "x\nBcc: e@example.com", "x\rBcc: e@e"])
  func injection(title: String) throws {
    let lines = lines(try sampleNotice(title: title))
    #expect(!lines.contains { $0.lowercased().hasPrefix("bcc") })
    let head = lines.prefix { !$0.isEmpty }
    #expect(head.count(where: { !$0.hasPrefix(" ") }) == 10)
    #expect(!lines.contains { $0.contains("\n") || $0.contains("\r") })
  }

  @Test(
    "No line is longer than a mail's may be, and all of it is ASCII",
    arguments: ["plain", "Zoë 日本 " + String(repeating: "ö", count: 150)])
  func form(title: String) throws {
    let lines = lines(try sampleNotice(title: title, text: String(repeating: "x", count: 5000)))
    #expect(lines.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { $0 < 0x80 } })
    #expect(lines.contains("Message-ID: <key@example.com>"))
    #expect(lines.contains("Date: Sat, 28 Nov 2026 22:25:00 +0000"))
  }

  @Test(
    "Only a plain address is one",
    arguments: [
      ("ops@example.com", true), ("a.b+c@mail.example.com", true), ("o@[192.0.2.1]", false), ("", false),
      ("ops", false),
      ("ops@example.com\n", false), ("ops@example.com\r\nDATA", false), ("a b@example.com", false),
      ("<a@example.com>", false),
      ("a@b@c", false), ("\"a b\"@example.com", false), ("-oQ/tmp@example.com", false), ("a@example..com", false),
      ("a,b@example.com", false),
    ])
  func addresses(text: String, isOne: Bool) { #expect(isMailAddress(text) == isOne) }
}

@Suite struct NoticeTemplateTests {
  @Test("Fields are put in as text: nothing in them ends a JSON string")
  func fields() throws {
    let template = NoticeTemplate.body(["a": ["b": "${notice.title} on ${ notice.target }", "c": "$${notice.title}"]])
    let json = template.json(try sampleNotice(title: "\"}, {\"x\": 1"))
    #expect(json["a"]?["b"]?.string == "\"}, {\"x\": 1 on eu")
    #expect(json["a"]?["c"]?.string == "${notice.title}")
    #expect(try JSON(parsing: json.utf8()) == json)
  }

  @Test("What is no field is told", arguments: ["${notice.tilte}", "${secrets.x}", "${1/0}", "${notice.title"])
  func unknown(text: String) { #expect(TemplateText("x \(text)").unknown == [text]) }
}

@Suite struct RouteTests {
  private func channel(_ name: String, _ level: NoticeLevel, copy: Bool = false) -> Channel {
    Channel(name: name, level: level, isCopy: copy, kind: .command(["true"]))
  }

  @Test("A level's channels come in the order of their declaration, copies apart")
  func levels() {
    let routes = ChannelRoutes([
      channel("sms", .critical), channel("team", .warning, copy: true), channel("mail", .info),
    ])
    #expect(routes.route(.critical).inTurn.map(\.name) == ["sms", "mail"])
    #expect(routes.route(.critical).copies.map(\.name) == ["team"])
    #expect(routes.route(.info).inTurn.map(\.name) == ["mail"])
    #expect(routes.route(.info).copies.isEmpty)
  }
}
