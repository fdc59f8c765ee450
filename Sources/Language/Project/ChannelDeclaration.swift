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
  private var email: Channel.Email?
  private var url: String?
  private var method = "POST"
  private var headers: [String: String] = [:]
  private var template = NoticeTemplate.json
  private var slackChannel: String?
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
    timeout = reader.duration(.timeout) ?? Channel.usualTimeout
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
    authorityFile = reader.text(.ca).map { $0.hasPrefix("/") ? $0 : "\(root)/\($0)" }
    let entry = Entry(reader: reader, subject: subject, log: log)
    switch kind {
    case .email: email = entry.email(authorityFile: authorityFile)
    case .slack:
      if entry.needsOne(of: [.webhook, .token]), reader[.token] != nil { entry.need(.channel) }
      url = reader.text(.url) ?? Self.slackURL
      slackChannel = reader.text(.channel)
    case .webhook:
      _ = entry.needsOne(of: [.url, .webhook])
      url = reader.text(.url)
      method = reader.text(.method) ?? "POST"
      headers = entry.headers()
      if let node = reader[.body] { template = entry.template(node) }
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
    return Channel(name: name, level: level, isCopy: isCopy, timeout: timeout, kind: kind)
  }

  private func kind(_ secrets: [ChannelKey: Secret]) -> Channel.Kind? {
    switch kind {
    case .email:
      guard var email else { return nil }
      email.password = secrets[.password]
      return .email(email)
    case .slack:
      if let webhook = secrets[.webhook] { return .slack(.webhook(webhook)) }
      guard let token = secrets[.token], let slackChannel, let url else { return nil }
      return .slack(.token(token, channel: slackChannel, url: url))
    case .webhook:
      guard let address = secrets[.webhook] ?? url.map(Secret.init) else { return nil }
      return .webhook(
        Channel.Webhook(
          url: address, isURLSecret: secrets[.webhook] != nil, method: method, headers: headers, token: secrets[.token],
          template: template, authorityFile: authorityFile))
    case .command: return .command(words)
    case .file: return path.map { .file($0) }
    }
  }
}

/// Reads the keys of one kind of channel.
private struct Entry {
  let reader: MappingReader<ChannelKey>
  let subject: String
  let log: IssueLog

  func report(_ code: String, _ message: String, at key: ChannelKey, _ suggestion: String) {
    log.error(code, message, at: reader[key]?.range ?? reader.range, suggestion: suggestion)
  }

  func need(_ key: ChannelKey) {
    guard reader[key] == nil else { return }
    log.error("missing-key", "\(subject) needs the key \"\(key.name)\"", at: reader.range)
  }

  /// False, with a report, unless exactly one of the keys is there.
  func needsOne(of keys: [ChannelKey]) -> Bool {
    let given = keys.filter { reader[$0] != nil }
    guard given.count != 1 else { return true }
    let names = keys.map { "\"\($0.name)\"" }.joined(separator: given.isEmpty ? " or " : " and ")
    log.error(
      given.isEmpty ? "missing-key" : "secret-source",
      given.isEmpty ? "\(subject) needs the key \(names)" : "\(subject) has both \(names): one of them is enough",
      at: reader.range)
    return false
  }

  func texts(_ key: ChannelKey) -> [String] {
    guard case .list(let elements)? = reader.literal(key) else { return [] }
    return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  func headers() -> [String: String] {
    guard case .members(let members)? = reader.literal(.headers) else { return [:] }
    var headers: [String: String] = [:]
    for member in members {
      guard case .string(let text) = member.value else { continue }
      let name = member.name.lowercased()
      if name.hasSuffix("authorization") || name == "cookie" {
        report(
          "secret-in-clear", "the header field \(member.name) is secret, and stands here in clear text", at: .headers,
          "say where it comes from: token: {env: NAME}")
      }
      if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) || member.name.isEmpty
        || !member.name.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x3A })
      {
        report(
          "header-form", "the header field \"\(member.name)\" cannot be sent: its name is one word, its value one line",
          at: .headers, "take out line breaks and blanks")
      }
      headers[member.name] = text
    }
    return headers
  }

  func template(_ node: YAMLNode) -> NoticeTemplate {
    guard let value = ValueDecoder(log: log, expressions: .literal).literal(node, as: .any) else { return .json }
    let document = value.json
    for text in document.texts {
      for unknown in TemplateText(text).unknown {
        log.error(
          "unknown-notice-field", "\(unknown) is no field of a notice", at: node.range,
          meant: nearName(to: String(unknown.dropFirst(9).dropLast()), among: NoticeTemplate.fields),
          suggestion: "there are \(NoticeTemplate.fields.map { "notice.\($0)" }.joined(separator: ", "))")
      }
    }
    return .body(document)
  }

  func email(authorityFile: String?) -> Channel.Email? {
    for key in [ChannelKey.server, .tls, .from, .to] { need(key) }
    for (given, other) in [(ChannelKey.username, ChannelKey.password), (.password, .username)]
    where reader[given] != nil { need(other) }
    let recipients = texts(.to)
    if reader[.to] != nil, recipients.isEmpty {
      report("missing-value", "\"to\" names nobody", at: .to, "write the recipients' addresses: [oncall@example.com]")
    }
    for (key, addresses) in [(ChannelKey.from, [reader.text(.from)].compactMap(\.self)), (.to, recipients)] {
      for address in addresses where !isMailAddress(address) {
        report(
          "mail-address", "\"\(address.onOneLine)\" is no mail address", at: key,
          "write it without a name, blanks and line breaks: oncall@example.com")
      }
    }
    guard let security = reader.choice(.tls, MailSecurity.self), let server = reader.text(.server) else { return nil }
    if security == .none, reader[.password] != nil {
      report(
        "password-in-clear", "with tls: none the password would be sent in clear text", at: .tls,
        "write tls: starttls or tls: implicit; or take username and password out")
    }
    guard let (host, port) = Self.hostAndPort(server, usualPort: security.usualPort) else {
      report("type-mismatch", "\"\(server.onOneLine)\" is no mail server", at: .server, "write HOST or HOST:PORT")
      return nil
    }
    return Channel.Email(
      host: host, port: port, security: security, sender: reader.text(.from) ?? "", recipients: recipients,
      username: reader.text(.username), password: nil, authorityFile: authorityFile)
  }

  private static func hostAndPort(_ text: String, usualPort: Int) -> (String, Int)? {
    func isHost(_ text: some StringProtocol) -> Bool { (try? ValueType.host.parse(String(text))) != nil }
    if isHost(text) { return (text, usualPort) }
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (1...65_535).contains(port)
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    return isHost(host) ? (String(host), port) : nil
  }
}

extension JSON {
  /// Every text in it, at any depth.
  fileprivate var texts: [String] {
    switch self {
    case .string(let text): [text]
    case .array(let elements): elements.flatMap(\.texts)
    case .object(let members): members.flatMap(\.value.texts)
    case .null, .bool, .int, .double: []
    }
  }
}
