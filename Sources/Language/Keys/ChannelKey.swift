internal import Notices
internal import Schema

/// The keys of one channel of `runbook.yaml`.
package enum ChannelKey: String, DocumentKey {
  case kind, level, copy, timeout, limit
  case server, tls, from, to, username, password
  case webhook, url, method, headers, token, template, body, ca
  case channel, labels, lasts, account, command, path

  package static let mappingName = "channel"
  package static let foreign = [
    "type": "kind", "host": "server", "recipients": "to", "sender": "from", "secret": "token", "room": "channel",
    "topic": "channel",
  ]

  package var declaration: KeyDeclaration {
    switch self {
    case .kind:
      .init(
        .plain(.enumeration(ChannelKind.allCases.map(\.rawValue))), "How people are told.", .required, example: "email")
    case .level:
      .init(
        .plain(.enumeration(NoticeLevel.allCases.map(\.rawValue))),
        "The least urgent notices that it takes; `info` unless it says otherwise.", example: "critical")
    case .copy:
      .init(
        .plain(.bool),
        "If `true`, it gets every notice of its level, whoever else takes it. Otherwise it is told if no channel before it took the notice."
      )
    case .timeout:
      .init(
        .plain(.duration),
        "How long one try may take; unless it says otherwise 10s, and 30s for twilio, which waits for the delivery.",
        example: "20s")
    case .limit:
      .init(
        .mapping(NoticeLimitKey.self),
        "The most notices of one level that it takes in a time: a further one goes to the next channel. Without it, any number.",
        example: ["notices": 10, "per": "1h"])
    case .server:
      .init(
        .plain(.string), "email: the mail server, `HOST` or `HOST:PORT`. Without a port, that of `tls`: 465, 587, 25.",
        example: "mail.example.com")
    case .tls:
      .init(
        .plain(.enumeration(MailSecurity.allCases.map(\.rawValue))),
        "email: how the connection is encrypted: `implicit` from its first byte, `starttls`, or `none`. If that does not come about, nothing is sent.",
        example: "starttls")
    case .from:
      .init(
        .plain(.string),
        "email: the sender's address. twilio: the sender's number, or the SID of a messaging service.",
        example: "runbook@example.com")
    case .to:
      .init(
        .plain(.list(.string)), "email: the recipients' addresses. twilio: their numbers, as `+4930123456`.",
        example: ["oncall@example.com"])
    case .username:
      .init(
        .plain(.string), "email, alertmanager: the user name for the server.", with: ["password"], example: "runbook")
    case .password:
      .init(
        .mapping(SecretSourceKey.self), "email, alertmanager: the password of `username`.", with: ["username"],
        example: ["env": "SMTP_PASSWORD"])
    case .webhook:
      .init(
        .mapping(SecretSourceKey.self), "slack, webhook: the URL, if it is secret.",
        example: ["env": "SLACK_WEBHOOK_URL"])
    case .url:
      .init(
        .plain(.url),
        "webhook: the URL, if nothing in it is secret. alertmanager: where it is, without `/api/v2/alerts`. slack with `token`, twilio: in place of the service's own.",
        example: "https://ops.example.com/notices")
    case .method:
      .init(.plain(.enumeration(["POST", "PUT"])), "webhook: how it is asked; `POST` unless it says otherwise.")
    case .headers:
      .init(.plain(.map(.string)), "webhook: header fields to send. What is secret goes into `token`.")
    case .token:
      .init(
        .mapping(SecretSourceKey.self),
        "slack, webhook, alertmanager: sent as `Authorization: Bearer`. twilio: the auth token of the account.",
        example: ["env": "BOT_TOKEN"])
    case .template:
      .init(
        .plain(.enumeration(NoticeService.allCases.map(\.rawValue))),
        "webhook: the service whose form is sent. `matrix` needs `url` (of the server), `token` and `channel` (the room's id), `ntfy` needs `channel` (the topic), `pagerduty` needs `token` (the routing key), `teams` needs `webhook`.",
        example: "ntfy")
    case .body:
      .init(
        .anything,
        "webhook: the JSON to send, with `${notice.FIELD}` in its texts. Without it, the notice with all its fields.",
        example: ["text": "${notice.subject}"])
    case .ca:
      .init(.plain(.path), "email, webhook, alertmanager: a file of certificates, trusted in place of the system's.")
    case .channel:
      .init(
        .plain(.string),
        "slack with `token`: where it is written. webhook with `template`: the room of `matrix`, the topic of `ntfy`.",
        example: "#turn-ops")
    case .labels:
      .init(
        .plain(.map(.string)),
        "alertmanager: labels of every alert, besides `alertname severity host runbook target step`.",
        example: ["team": "turn"])
    case .lasts:
      .init(
        .plain(.duration),
        "alertmanager: how long an alert stands whose end nobody will say, such as that of a step; 1d unless it says otherwise.",
        example: "4h")
    case .account:
      .init(
        .plain(.string), "twilio: the SID of the account.", example: "AC0123456789abcdef0123456789abcdef")
    case .command:
      .init(
        .plain(.list(.string)),
        "command: the program and its arguments; no shell reads them. It finds the notice in the files that `NOTICE_TEXT_FILE` and `NOTICE_JSON_FILE` name, and its short facts in `NOTICE_…`.",
        example: ["/usr/local/bin/page-somebody"])
    case .path: .init(.plain(.path), "file: each notice is appended as one line of JSON.", example: "notices.jsonl")
    }
  }

  /// Whether a channel of this kind can have the key.
  func belongs(to kind: ChannelKind) -> Bool {
    switch self {
    case .kind, .level, .copy, .timeout, .limit: true
    case .server, .tls: kind == .email
    case .from, .to: kind == .email || kind == .twilio
    case .account: kind == .twilio
    case .username, .password: kind == .email || kind == .alertmanager
    case .webhook: kind == .slack || kind == .webhook
    case .token, .url: [.slack, .webhook, .alertmanager, .twilio].contains(kind)
    case .method, .headers, .template, .body: kind == .webhook
    case .ca: kind == .email || kind == .webhook || kind == .alertmanager
    case .labels, .lasts: kind == .alertmanager
    case .channel: kind == .slack || kind == .webhook
    case .command: kind == .command
    case .path: kind == .file
    }
  }
}

/// How a channel tells people.
enum ChannelKind: String, Hashable, Sendable, CaseIterable {
  case email, slack, webhook, alertmanager, twilio, command, file
}
