package import Schema

/// A way to tell people, as `channels` of `runbook.yaml` declares it, with its secrets.
package struct Channel: Sendable {
  package var name: String
  /// The least urgent notices that it takes.
  package var level: NoticeLevel
  /// Whether it gets every notice of its level, whoever else takes it. Otherwise it is one of those of which one is enough.
  package var isCopy: Bool
  /// How long one try may take.
  package var timeout: Duration
  /// The most notices of one level that it takes in a time; nil for any number.
  package var limit: NoticeLimit?
  package var kind: Kind

  package enum Kind: Sendable {
    case email(Email)
    case slack(Slack)
    case webhook(Webhook)
    case alertmanager(Alertmanager)
    case twilio(Twilio)
    case command([String])
    /// A file that each notice is appended to as one line of JSON, absolute.
    case file(String)
  }

  /// How long one try may take, unless the channel says otherwise.
  package static let usualTimeout: Duration = .seconds(10)

  package init(
    name: String, level: NoticeLevel, isCopy: Bool, timeout: Duration = Channel.usualTimeout,
    limit: NoticeLimit? = nil, kind: Kind
  ) {
    self.name = name
    self.level = level
    self.isCopy = isCopy
    self.timeout = timeout
    self.limit = limit
    self.kind = kind
  }

  /// Mail by SMTP.
  package struct Email: Sendable {
    package var host: String
    package var port: Int
    package var security: MailSecurity
    package var sender: String
    package var recipients: [String]
    package var username: String?
    package var password: Secret?
    /// Certificates that are trusted in place of the system's, absolute.
    package var authorityFile: String?

    package init(
      host: String, port: Int, security: MailSecurity, sender: String, recipients: [String], username: String?,
      password: Secret?, authorityFile: String?
    ) {
      self.host = host
      self.port = port
      self.security = security
      self.sender = sender
      self.recipients = recipients
      self.username = username
      self.password = password
      self.authorityFile = authorityFile
    }
  }

  /// Slack: an incoming webhook, or `chat.postMessage` with a token.
  package enum Slack: Sendable {
    case webhook(Secret)
    case token(Secret, channel: String, url: String)
  }

  /// A request to a URL.
  package struct Webhook: Sendable {
    package var url: Secret
    /// Many hold their token in the URL.
    package var isURLSecret: Bool
    package var method: String
    package var headers: [String: String]
    /// Sent as `Authorization: Bearer`, or as the template says.
    package var token: Secret?
    package var template: NoticeTemplate
    /// The room of Matrix, the topic of ntfy; empty for all else.
    package var room: String
    /// Certificates that are trusted in place of the system's, absolute.
    package var authorityFile: String?

    package init(
      url: Secret, isURLSecret: Bool, method: String, headers: [String: String], token: Secret?,
      template: NoticeTemplate, room: String = "", authorityFile: String?
    ) {
      self.url = url
      self.isURLSecret = isURLSecret
      self.method = method
      self.headers = headers
      self.token = token
      self.template = template
      self.room = room
      self.authorityFile = authorityFile
    }
  }

  /// An Alertmanager of Prometheus.
  package struct Alertmanager: Sendable {
    /// Its URL, to the end of its route prefix.
    package var url: String
    /// Labels that each alert has besides its own.
    package var labels: [String: String]
    /// How long an alert stands that nobody will say the end of.
    package var lasts: Duration
    package var username: String?
    package var password: Secret?
    /// Sent as `Authorization: Bearer`.
    package var token: Secret?
    /// Certificates that are trusted in place of the system's, absolute.
    package var authorityFile: String?

    /// How long an alert stands that nobody will say the end of, unless the channel says otherwise.
    package static let usualLasts: Duration = .seconds(86_400)

    package init(
      url: String, labels: [String: String] = [:], lasts: Duration = Self.usualLasts, username: String? = nil,
      password: Secret? = nil, token: Secret? = nil, authorityFile: String? = nil
    ) {
      self.url = url
      self.labels = labels
      self.lasts = lasts
      self.username = username
      self.password = password
      self.token = token
      self.authorityFile = authorityFile
    }
  }

  /// Whether it forgets an alert that is not sent again, so that each run that fails sends it anew.
  package var forgetsAlerts: Bool {
    if case .alertmanager = kind { true } else { false }
  }
}

/// How the connection to a mail server is encrypted. What is asked for is had, or nothing is sent.
package enum MailSecurity: String, Hashable, Sendable, CaseIterable {
  /// TLS from the first byte, mostly at port 465.
  case implicit
  /// TLS by STARTTLS, mostly at port 587.
  case starttls
  /// In the clear, for a server on this host.
  case none

  package var usualPort: Int {
    switch self {
    case .implicit: 465
    case .starttls: 587
    case .none: 25
    }
  }
}
