import Foundation
import Journal
import Notices
import Schema
import TestSupport
import Testing

@testable import Notify

/// What the templates that ship send, against what the services document.
@Suite struct NoticeServiceTests {
  private func channel(_ service: NoticeService, _ url: String, room: String = "", token: Secret? = nil) -> Channel {
    Channel(
      name: "service", level: .info, isCopy: false,
      kind: .webhook(
        Channel.Webhook(
          url: Secret(url), isURLSecret: service == .teams, method: "POST", headers: [:], token: token,
          template: .service(service), room: room, authorityFile: nil)))
  }

  private struct Sent {
    var delivery: NoticeDelivery
    var head: String
    var body: JSON
  }

  /// Sends a notice to a server that answers so, and gives what it was sent.
  private func send(
    _ service: NoticeService, path: String = "", room: String = "", token: Secret? = nil,
    _ notice: OutgoingNotice? = nil,
    answer: String
  ) async throws -> Sent {
    let server = try ScriptedServer(readsBody: true) { $0.send(answer) }
    let delivery = try await deliver(channel(service, server.url + path, room: room, token: token), notice)
    let request = try #require(server.requests.last)
    let end = try #require(request.firstRange(of: "\r\n\r\n"))
    return try Sent(
      delivery: delivery, head: String(request[..<end.lowerBound]),
      body: JSON(parsing: String(request[end.upperBound...])))
  }

  @Test("Matrix gets an event in the room, once for each key, in plain text and in HTML")
  func matrix() async throws {
    let notice = try sampleNotice(title: "<b>relay</b> & co")
    let sent = try await send(
      .matrix, path: "/base/", room: "!room/1:example.com", token: Secret("syt_token"), notice,
      answer: httpResponse(body: #"{"event_id":"$1:example.com"}"#))
    #expect(
      sent.head.hasPrefix(
        "PUT /base/_matrix/client/v3/rooms/%21room%2F1%3Aexample.com/send/m.room.message/key HTTP/1.1\r\n"))
    #expect(sent.head.contains("Authorization: Bearer syt_token"))
    #expect(sent.delivery.isDelivered && sent.delivery.receipt == "$1:example.com")
    #expect(sent.body["msgtype"] == "m.text" && sent.body["format"] == "org.matrix.custom.html")
    #expect(sent.body["body"]?.string == notice.plainText)
    let html = try #require(sent.body["formatted_body"]?.string)
    #expect(html.contains("&lt;b&gt;relay&lt;/b&gt; &amp; co") && !html.contains("<html"))
    #expect(html.contains("<code>runbook report 01KB4T8Q7G3Y0000000000RUN1 --project /srv/ops</code>"))
  }

  @Test(
    "ntfy gets topic, title, message and priority as JSON, at the server's root",
    arguments: [
      (NoticeLevel.critical, OutgoingNotice.Status.firing, 5, "rotating_light"), (.warning, .firing, 4, "warning"),
      (.info, .firing, 3, "information_source"), (.critical, .resolved, 3, "white_check_mark"),
    ])
  func ntfy(level: NoticeLevel, status: OutgoingNotice.Status, priority: Int64, tag: String) async throws {
    let notice = try sampleNotice(level: level, status: status, text: String(repeating: "ä", count: 8000))
    let sent = try await send(
      .ntfy, room: "turn-ops", token: Secret("tk_secret"), notice,
      answer: httpResponse(body: #"{"id":"xE73Iyuabi","event":"message","topic":"turn-ops"}"#))
    #expect(sent.head.hasPrefix("POST / HTTP/1.1\r\n") && sent.head.contains("Authorization: Bearer tk_secret"))
    #expect(sent.delivery.isDelivered && sent.delivery.receipt == "xE73Iyuabi")
    #expect(sent.body["topic"] == "turn-ops" && sent.body["title"]?.string == notice.subject)
    #expect(sent.body["priority"]?.int == priority && sent.body["tags"] == [.string(tag)])
    let message = try #require(sent.body["message"]?.string)
    #expect(message.utf8.count <= 4096 && message.hasSuffix("more bytes are left out"))
  }

  @Test("PagerDuty gets an event that opens an incident, and one with the same key that closes it")
  func pagerDuty() async throws {
    let accepted = httpResponse(
      "202 Accepted", body: #"{"status":"success","message":"Event processed","dedup_key":"ops1/daily-health/eu"}"#)
    let firing = try await send(.pagerduty, token: Secret("R0UTINGKEY"), answer: accepted)
    #expect(
      firing.body == [
        "routing_key": "R0UTINGKEY", "event_action": "trigger", "dedup_key": "ops1/daily-health/eu",
        "payload": [
          "summary": "daily-health fails on eu: Media is relayed", "source": "eu", "severity": "critical",
          "timestamp": "2026-11-28T22:25:00Z",
          "custom_details": [
            "text": "3 runs in a row did not pass", "look": "is the relay range open: 49152-65535/udp",
            "run": "01KB4T8Q7G3Y0000000000RUN1",
            "command": "runbook report 01KB4T8Q7G3Y0000000000RUN1 --project /srv/ops",
            "since": "2026-11-28T22:10:05Z",
          ], "component": "daily-health",
        ], "client": "runbook",
      ], "\(firing.body.text())")
    #expect(firing.delivery.isDelivered && firing.delivery.receipt == "ops1/daily-health/eu")
    #expect(!firing.head.contains("R0UTINGKEY") && !firing.head.contains("Authorization"))
    let resolved = try await send(
      .pagerduty, token: Secret("R0UTINGKEY"), sampleNotice(status: .resolved), answer: accepted)
    #expect(resolved.body["event_action"] == "resolve" && resolved.body["dedup_key"] == firing.body["dedup_key"])
    // Nobody ends the incident of a step: the next one has to page as well.
    let ofStep = try await send(
      .pagerduty, token: Secret("R0UTINGKEY"), sampleNotice(key: "of this try", stands: false), answer: accepted)
    #expect(ofStep.body["dedup_key"] == "of this try")
  }

  @Test("Teams gets a message with an adaptive card, small enough for it, in which nothing is Markdown")
  func teams() async throws {
    let notice = try sampleNotice(
      title: "[click](https://evil.example.com)", text: String(repeating: "\u{1}\"\\ _x_\n", count: 4000))
    let sent = try await send(
      .teams, path: "/workflows/secret-of-the-url", notice, answer: httpResponse("202 Accepted"))
    #expect(sent.head.hasPrefix("POST /workflows/secret-of-the-url HTTP/1.1\r\n") && sent.delivery.isDelivered)
    #expect(sent.body["type"] == "message" && sent.body.text().utf8.count < 28_000)
    let attachment = try #require(sent.body["attachments"]?.array?.first)
    #expect(attachment["contentType"] == "application/vnd.microsoft.card.adaptive")
    let card = try #require(attachment["content"])
    #expect(card["type"] == "AdaptiveCard" && card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json")
    let blocks = try #require(card["body"]?.array)
    // TextBlocks would read Markdown; the text of a TextRun stands as it is.
    #expect(blocks.allSatisfy { $0["type"] == "RichTextBlock" && $0["inlines"]?.array?.count == 1 })
    let first = try #require(blocks.first?["inlines"]?.array?.first)
    #expect(first["type"] == "TextRun" && first["color"] == "attention")
    #expect(first["text"]?.string == notice.subject)
  }

  @Test(
    "An answer that the service does not give when it has taken a message is a failure",
    arguments: [
      (NoticeService.matrix, "200 OK", "{}"), (.matrix, "200 OK", "<html>"), (.ntfy, "200 OK", "hello"),
      (.pagerduty, "202 Accepted", #"{"status":"invalid event"}"#), (.pagerduty, "200 OK", ""),
      (.teams, "400 Bad Request", "no"), (.matrix, "403 Forbidden", #"{"errcode":"M_FORBIDDEN"}"#),
    ])
  func refused(service: NoticeService, status: String, body: String) async throws {
    let sent = try await send(
      service, room: "room", token: Secret("secret-token"), answer: httpResponse(status, body: body))
    #expect(sent.delivery.finding?.code == "notify.refused" && sent.delivery.answer == body)
  }

  @Test("What a service repeats of its token is masked", arguments: [NoticeService.matrix, .ntfy, .pagerduty])
  func masked(service: NoticeService) async throws {
    let sent = try await send(
      service, room: "room", token: Secret("secret-token"), answer: httpResponse("401 No", body: "no secret-token here")
    )
    #expect(sent.delivery.answer == "no ‹secret› here")
  }
}
