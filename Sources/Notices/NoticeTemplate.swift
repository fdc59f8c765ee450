package import Schema

/// What a webhook's body is made of.
package enum NoticeTemplate: Hashable, Sendable {
  /// The notice as JSON, whole.
  case json
  /// What a service takes.
  case service(NoticeService)
  /// A JSON document whose texts may hold `${notice.FIELD}`.
  case body(JSON)

  /// The fields of a notice that `${notice.FIELD}` can name.
  package static let fields = [
    "title", "text", "subject", "plain", "html", "sms", "level", "status", "look", "since", "time", "key", "problem",
    "run", "runbook", "target", "host", "command",
  ]

  /// The body for a notice.
  ///
  /// - Parameters:
  ///   - room: of the service.
  ///   - token: of a service that wants it in the body.
  package func json(_ notice: OutgoingNotice, room: String = "", token: Secret? = nil) -> JSON {
    switch self {
    case .json: notice.json
    case .service(let service): service.json(notice, room: room, token: token)
    case .body(let document): document.filled(from: notice)
    }
  }
}

extension OutgoingNotice {
  /// The field that a template names; empty if it is unknown in this notice. Nil if there is no such field.
  func field(_ name: some StringProtocol) -> String? {
    switch String(name) {
    case "title": title
    case "text": text
    case "subject": subject
    case "plain": plainText
    case "html": html
    case "sms": smsText
    case "level": level.rawValue
    case "status": status.rawValue
    case "look": look ?? ""
    case "since": since?.description ?? ""
    case "time": time.description
    case "key": key
    case "problem": problem
    case "run": origin.run ?? ""
    case "runbook": origin.runbook ?? ""
    case "target": origin.target ?? ""
    case "host": origin.host
    case "command": command ?? ""
    default: nil
    }
  }
}

extension JSON {
  fileprivate func filled(from notice: OutgoingNotice) -> JSON {
    switch self {
    case .string(let text): .string(TemplateText(text).filled { notice.field($0) ?? "" })
    case .array(let elements): .array(elements.map { $0.filled(from: notice) })
    case .object(let members): .object(members.map { .init($0.name, $0.value.filled(from: notice)) })
    case .null, .bool, .int, .double: self
    }
  }
}

/// A text with `${notice.FIELD}` in it; `$${` stands for `${`.
package struct TemplateText: Hashable, Sendable {
  private enum Part: Hashable, Sendable {
    case literal(String)
    case name(String)
  }

  private var parts: [Part] = []
  /// What stands between braces and is no field of a notice, as it is written.
  package private(set) var unknown: [String] = []

  package init(_ text: String) {
    var rest = text[...]
    while let mark = rest.firstRange(of: "${") {
      if rest[..<mark.lowerBound].hasSuffix("$") {
        parts.append(.literal("\(rest[..<mark.lowerBound].dropLast())${"))
        rest = rest[mark.upperBound...]
        continue
      }
      parts.append(.literal(String(rest[..<mark.lowerBound])))
      guard let end = rest[mark.upperBound...].firstIndex(of: "}") else {
        unknown.append(String(rest[mark.lowerBound...].prefix(40)))
        rest = rest[rest.endIndex...]
        break
      }
      let name = rest[mark.upperBound..<end].split(separator: " ").joined()
      let field = name.hasPrefix("notice.") ? String(name.dropFirst("notice.".count)) : ""
      if NoticeTemplate.fields.contains(field) {
        parts.append(.name(field))
      } else {
        unknown.append(String(rest[mark.lowerBound...end]))
      }
      rest = rest[rest.index(after: end)...]
    }
    parts.append(.literal(String(rest)))
  }

  func filled(_ value: (String) -> String) -> String {
    parts.map { part in
      switch part {
      case .literal(let text): text
      case .name(let name): value(name)
      }
    }.joined()
  }
}
