internal import Notices
internal import Schema

/// Reads the keys of one kind of channel.
struct ChannelEntry {
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

  /// The service of `template`, its keys looked at.
  func service() -> NoticeService? {
    guard let service = reader.choice(.template, NoticeService.self) else { return nil }
    refuse([.body, .method, .headers], "not with \"template\", which says it")
    switch service {
    case .matrix:
      for key in [ChannelKey.url, .token, .channel] { need(key) }
      refuse([.webhook], "not with template: matrix")
    case .ntfy:
      need(.channel)
      if reader[.url] != nil, reader[.webhook] != nil { _ = needsOne(of: [.url, .webhook]) }
    case .pagerduty:
      need(.token)
      refuse([.webhook, .channel], "not with template: pagerduty")
    case .teams:
      need(.webhook)
      refuse([.url, .token, .channel], "not with template: teams")
    }
    return service
  }

  /// Reports each of the keys that is there.
  func refuse(_ keys: [ChannelKey], _ reason: String) {
    for key in keys where reader[key] != nil {
      log.error(
        "unknown-key", "\(subject) can have the key \"\(key.name)\" \(reason)",
        at: reader.keyRange(key) ?? reader.range, suggestion: "take it out")
    }
  }

  func email(authorityFile: String?) -> Channel.Email? {
    for key in [ChannelKey.server, .tls, .from, .to] { need(key) }
    pair(.username, .password)
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

  func alertmanager(authorityFile: String?) -> Channel.Alertmanager? {
    need(.url)
    pair(.username, .password)
    if reader[.password] != nil, reader[.token] != nil {
      log.error(
        "secret-source", "\(subject) has both \"password\" and \"token\": one of them is enough", at: reader.range,
        suggestion: "take one of them out")
    }
    let labels = labels()
    guard let url = reader.text(.url) else { return nil }
    return Channel.Alertmanager(
      url: url, labels: labels, lasts: reader.duration(.lasts) ?? Channel.Alertmanager.usualLasts,
      username: reader.text(.username), authorityFile: authorityFile)
  }

  func twilio() -> Channel.Twilio? {
    for key in [ChannelKey.account, .token, .from, .to] { need(key) }
    let recipients = texts(.to)
    if reader[.to] != nil, recipients.isEmpty {
      report("missing-value", "\"to\" names nobody", at: .to, "write the recipients' numbers: [\"+4930123456\"]")
    }
    for number in recipients where !isTelephoneNumber(number) {
      report(
        "telephone-number", "\"\(number.onOneLine)\" is no telephone number", at: .to,
        "write it with + and the country's code, and without blanks: \"+4930123456\"")
    }
    if let sender = reader.text(.from), !isMessageSender(sender) {
      report(
        "telephone-number", "\"\(sender.onOneLine)\" cannot send a message", at: .from,
        "write a number with + and the country's code, or the SID of a messaging service (MG…)")
    }
    if let account = reader.text(.account), !isServiceIdentifier(account, "AC") {
      report(
        "account-form", "\"\(account.onOneLine)\" is no SID of an account", at: .account,
        "Twilio's console shows it: AC and 32 hexadecimal digits")
    }
    guard let account = reader.text(.account), let sender = reader.text(.from) else { return nil }
    // The token is read when it is needed.
    return Channel.Twilio(
      account: account, token: Secret(""), sender: sender, recipients: recipients,
      url: reader.text(.url) ?? Channel.Twilio.usualURL)
  }

  private func labels() -> [String: String] {
    guard case .members(let members)? = reader.literal(.labels) else { return [:] }
    var labels: [String: String] = [:]
    for member in members {
      guard case .string(let text) = member.value else { continue }
      if AlertmanagerAlert.ownLabels.contains(member.name) {
        report(
          "label-form", "the label \"\(member.name)\" is given by the notice itself", at: .labels,
          "choose another name, such as team")
      } else if !Self.isLabelName(member.name) {
        report(
          "label-form", "\"\(member.name.onOneLine)\" is no name of a label", at: .labels,
          "use letters, digits and underscores, with no digit at the start: team")
      }
      labels[member.name] = text
    }
    return labels
  }

  private static func isLabelName(_ text: String) -> Bool {
    let isMade = text.utf8.allSatisfy { byte in
      (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == 0x5F
    }
    return isMade && !text.isEmpty && text.first?.isNumber == false
  }

  /// Of two keys each needs the other.
  private func pair(_ first: ChannelKey, _ second: ChannelKey) {
    for (given, other) in [(first, second), (second, first)] where reader[given] != nil { need(other) }
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
