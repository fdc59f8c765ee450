package import Schema

/// A service whose form a webhook can have, by name.
package enum NoticeService: String, Hashable, Sendable, CaseIterable {
  /// A room of Matrix, by its client-server API.
  case matrix
  /// A topic of ntfy.
  case ntfy
  /// An integration of PagerDuty, by its Events API v2.
  case pagerduty
  /// A workflow of Microsoft Teams that posts what it is sent.
  case teams

  /// The URL of a service that is in one place; nil for one that people run themselves.
  package var usualURL: String? {
    switch self {
    case .pagerduty: "https://events.pagerduty.com/v2/enqueue"
    case .ntfy: "https://ntfy.sh"
    case .matrix, .teams: nil
    }
  }

  /// How it is asked. The key of a notice is part of the URL for Matrix, which takes it once.
  package var method: String { self == .matrix ? "PUT" : "POST" }

  /// The URL for a notice.
  ///
  /// - Parameters:
  ///   - base: of the server; of PagerDuty and Teams whole.
  ///   - room: of Matrix.
  package func url(_ base: String, room: String, for notice: OutgoingNotice) -> String {
    guard self == .matrix else { return base }
    return
      "\(base.withoutTrailingSlashes)/_matrix/client/v3/rooms/\(room.percentEncoded)/send/m.room.message/\(notice.key.percentEncoded)"
  }

  /// The body for a notice.
  ///
  /// - Parameters:
  ///   - room: the topic of ntfy.
  ///   - token: the routing key of PagerDuty, which stands in the body.
  package func json(_ notice: OutgoingNotice, room: String, token: Secret?) -> JSON {
    switch self {
    case .matrix: matrix(notice)
    case .ntfy: ntfy(notice, topic: room)
    case .pagerduty: pagerDuty(notice, routingKey: token)
    case .teams: teams(notice)
    }
  }

  private func matrix(_ notice: OutgoingNotice) -> JSON {
    // An event has at most 65,536 bytes, and the text is in it twice, once with entities.
    let notice = notice.cut(toBytes: 4096)
    return [
      // What has m.notice makes no sound.
      "msgtype": "m.text", "body": .string(notice.plainText), "format": "org.matrix.custom.html",
      "formatted_body": .string(notice.htmlFragment),
    ]
  }

  private func ntfy(_ notice: OutgoingNotice, topic: String) -> JSON {
    let isOver = notice.status == .resolved
    let (priority, tag): (Int64, String) =
      switch notice.level {
      case _ where isOver: (3, "white_check_mark")
      case .info: (3, "information_source")
      case .warning: (4, "warning")
      case .critical: (5, "rotating_light")
      }
    return [
      "topic": .string(topic), "title": .string(notice.subject), "priority": .int(priority), "tags": [.string(tag)],
      // A message of more than 4,096 bytes would become a file.
      "message": .string(String(notice.plainText.dropFirst(notice.subject.count + 1)).cut(toBytes: 3800)),
    ]
  }

  private func pagerDuty(_ notice: OutgoingNotice, routingKey: Secret?) -> JSON {
    let origin = notice.origin
    var members: [JSON.Member] = [
      .init("routing_key", .string(routingKey?.revealText() ?? "")),
      .init("event_action", .string(notice.status == .resolved ? "resolve" : "trigger")),
      // Nobody says the end of what a step tells: with one key for all, the second would join the first and page nobody.
      .init(
        "dedup_key", .string((notice.stands || notice.status == .resolved ? notice.problem : notice.key).cut(to: 255))),
    ]
    let details: [(String, String?)] = [
      ("text", notice.text), ("look", notice.look), ("run", origin.run), ("command", notice.command),
      ("since", notice.since?.description),
    ]
    let payload: [JSON.Member] = [
      .init("summary", .string(notice.title)), .init("source", .string(origin.target ?? origin.host)),
      .init("severity", .string(notice.level.rawValue)), .init("timestamp", .string(notice.time.description)),
      .init(
        "custom_details",
        .object(details.compactMap { name, value in value.map { .init(name, .string($0)) } })),
    ]
    let component = origin.runbook.map { [JSON.Member("component", .string($0))] } ?? []
    members.append(.init("payload", .object(payload + component)))
    members.append(.init("client", "runbook"))
    return .object(members)
  }

  /// An adaptive card. Its text is Markdown to Teams in a TextBlock, so that what is not the tool's own stands in a RichTextBlock.
  private func teams(_ notice: OutgoingNotice) -> JSON {
    func block(_ text: String, _ more: JSON.Member...) -> JSON {
      .object([
        .init("type", "RichTextBlock"),
        .init("inlines", [.object([.init("type", "TextRun"), .init("text", .string(text))] + more)]),
      ])
    }
    let colour: JSON =
      switch (notice.status, notice.level) {
      case (.resolved, _): "good"
      case (_, .info): "default"
      case (_, .warning): "warning"
      case (_, .critical): "attention"
      }
    // A message has at most 28 KB, and escapes make a text longer.
    let rest = String(notice.plainText.dropFirst(notice.subject.count)).cut(toBytes: 4 << 10)
    let lines = rest.split(separator: "\n").prefix(60).map { line in
      block(String(line), .init("fontType", "monospace"))
    }
    return [
      "type": "message",
      "attachments": [
        [
          "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": .null,
          "content": [
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
            "fallbackText": .string(notice.subject),
            "body": .array(
              [block(notice.subject, .init("weight", "bolder"), .init("size", "large"), .init("color", colour))]
                + lines),
          ],
        ]
      ],
    ]
  }
}

extension StringProtocol {
  /// A URL to which a path is added.
  package var withoutTrailingSlashes: SubSequence {
    var rest = self[...]
    while rest.hasSuffix("/") { rest = rest.dropLast() }
    return rest
  }
}
