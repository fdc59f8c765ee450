internal import Notices
internal import Schema

/// One entry of `channels`, its secrets not yet read.
struct ChannelDeclaration: Sendable {
  let name: String
  let range: SourceRange
  /// By the key that names the secret.
  private var sources: [ChannelKey: SecretSource] = [:]
  private let kind: ChannelKind
  private let level: NoticeLevel
  private let isCopy: Bool
  private let timeout: Duration
  private var limit: NoticeLimit?
  private var email: Channel.Email?
  private var alertmanager: Channel.Alertmanager?
  private var twilio: Channel.Twilio?
  private var url: String?
  private var method = "POST"
  private var headers: [String: String] = [:]
  private var template = NoticeTemplate.json
  /// Of Slack, or the room of a template.
  private var room: String?
  private var words: [String] = []
  private var path: String?
  private var authorityFile: String?

  /// Where Slack takes messages from those that have a token.
  private static let slackURL = "https://slack.com/api/chat.postMessage"

  /// Nil, with a report, if it cannot be relied on.
  init?(name: YAMLNode.Scalar, _ node: YAMLNode, root: String, log: IssueLog) {
    let subject = "the channel \"\(name.text)\""
    SecretSource.reportClearText(in: node, of: "a secret of \(subject)", log: log)
    let errors = log.errorCount
    guard let reader = MappingReader<ChannelKey>(node, subject: subject, log: log) else { return nil }
    if !isDocumentName(name.text) {
      log.error(
        "name-form", "a channel's name is made of lower-case letters, digits and hyphens", at: name.range,
        suggestion: "write a name such as oncall-mail")
    }
    guard let kind = reader.choice(.kind, ChannelKind.self) else { return nil }
    self.name = name.text
    self.kind = kind
    range = name.range
    level = reader.choice(.level) ?? .info
    isCopy = reader.bool(.copy) ?? false
    timeout =
      reader.duration(.timeout) ?? (kind == .twilio ? Channel.Twilio.usualTimeout : Channel.usualTimeout)
    for key in ChannelKey.allCases where reader[key] != nil && !key.belongs(to: kind) {
      log.error(
        "unknown-key", "\(subject) is of the kind \(kind.rawValue), which has no key \"\(key.name)\"",
        at: reader.keyRange(key) ?? reader.range,
        suggestion:
          "it may have \(ChannelKey.allCases.filter { $0.belongs(to: kind) }.map(\.name).joined(separator: ", "))")
    }
    for key in [ChannelKey.password, .webhook, .token] where key.belongs(to: kind) {
      sources[key] = reader[key].flatMap { SecretSource($0, subject: "the \(key.name) of \(subject)", log: log) }
    }
    limit = reader[.limit].flatMap { NoticeLimit($0, log: log) }
    authorityFile = reader.text(.ca).map { $0.hasPrefix("/") ? $0 : "\(root)/\($0)" }
    let entry = ChannelEntry(reader: reader, subject: subject, log: log)
    switch kind {
    case .email: email = entry.email(authorityFile: authorityFile)
    case .slack:
      if entry.needsOne(of: [.webhook, .token]), reader[.token] != nil { entry.need(.channel) }
      url = reader.text(.url) ?? Self.slackURL
      room = reader.text(.channel)
    case .webhook:
      method = reader.text(.method) ?? "POST"
      headers = entry.headers()
      room = reader.text(.channel)
      if reader[.template] != nil {
        guard let service = entry.service() else { return nil }
        template = .service(service)
        url = reader.text(.url) ?? (reader[.webhook] == nil ? service.usualURL : nil)
      } else {
        _ = entry.needsOne(of: [.url, .webhook])
        entry.refuse([.channel], "only with \"template\"")
        url = reader.text(.url)
        if let node = reader[.body] { template = entry.template(node) }
      }
    case .alertmanager: alertmanager = entry.alertmanager(authorityFile: authorityFile)
    case .twilio: twilio = entry.twilio()
    case .command:
      entry.need(.command)
      words = entry.texts(.command)
      if reader[.command] != nil, words.first?.isEmpty ?? true {
        entry.report(
          "missing-value", "\"command\" names no program", at: .command,
          "write the program and its arguments: [/usr/local/bin/page-somebody]")
      }
    case .file:
      entry.need(.path)
      path = reader.text(.path).map { $0.hasPrefix("/") ? $0 : "\(root)/\($0)" }
    }
    guard log.errorCount == errors else { return nil }
  }

  /// The names of the environment that its secrets are read from.
  var secretNames: [String] { sources.values.compactMap(\.environmentName) }

  var secretSources: [SecretSource] { sources.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value) }

  /// The channel with its secrets; nil, with a report, if one is missing.
  func channel(_ environment: [String: String], root: String, log: IssueLog) -> Channel? {
    var secrets: [ChannelKey: Secret] = [:]
    for (key, source) in sources {
      guard let secret = source.secret(environment, root: root, log: log) else { continue }
      guard key != .webhook || (try? ValueType.url.parse(secret.revealText())) != nil else {
        log.error(
          "missing-secret", "\(source.subject) is no URL: \(source.origin)", at: source.range,
          suggestion: "put a URL there that begins with https://")
        continue
      }
      secrets[key] = secret
    }
    guard secrets.count == sources.count, let kind = kind(secrets) else { return nil }
    return Channel(name: name, level: level, isCopy: isCopy, timeout: timeout, limit: limit, kind: kind)
  }

  private func kind(_ secrets: [ChannelKey: Secret]) -> Channel.Kind? {
    switch kind {
    case .email:
      guard var email else { return nil }
      email.password = secrets[.password]
      return .email(email)
    case .slack:
      if let webhook = secrets[.webhook] { return .slack(.webhook(webhook)) }
      guard let token = secrets[.token], let room, let url else { return nil }
      return .slack(.token(token, channel: room, url: url))
    case .webhook:
      guard let address = secrets[.webhook] ?? url.map(Secret.init) else { return nil }
      return .webhook(
        Channel.Webhook(
          url: address, isURLSecret: secrets[.webhook] != nil, method: method, headers: headers, token: secrets[.token],
          template: template, room: room ?? "", authorityFile: authorityFile))
    case .alertmanager:
      guard var alertmanager else { return nil }
      (alertmanager.password, alertmanager.token) = (secrets[.password], secrets[.token])
      return .alertmanager(alertmanager)
    case .twilio:
      guard var twilio, let token = secrets[.token] else { return nil }
      twilio.token = token
      return .twilio(twilio)
    case .command: return .command(words)
    case .file: return path.map { .file($0) }
    }
  }
}

extension NoticeLimit {
  /// Nil, with a report, if it cannot be relied on.
  fileprivate init?(_ node: YAMLNode, log: IssueLog) {
    guard let reader = MappingReader<NoticeLimitKey>(node, subject: "limit", log: log) else { return nil }
    let (notices, period) = (reader.positive(.notices, upTo: NoticeLimit.most), reader.duration(.per))
    guard let notices, let period else { return nil }
    self.init(notices: notices, per: period)
  }
}
