package import Schema

extension OutgoingNotice {
  /// The notice in one line, such as a mail's subject: `[CRITICAL] daily-health fails on eu`.
  package var subject: String { "[\(status == .resolved ? "RESOLVED" : level.rawValue.uppercased())] \(title)" }

  /// Label and value of each thing to know, in the order in which people need them.
  private var facts: [(label: String, value: String)] {
    var facts: [(String, String)] = []
    if let since { facts.append((status == .resolved ? "Failed since" : "Since", since.forPeople)) }
    if let look { facts.append(("First look at", look)) }
    let names = [origin.runbook, origin.target.map { "on \($0)" }].compactMap(\.self).joined(separator: " ")
    if !names.isEmpty { facts.append(("Runbook", names)) }
    if let run = origin.run { facts.append(("Run", run)) }
    facts.append(("Sent", "\(time.forPeople) by \(origin.host)"))
    if let command { facts.append(("Show more", command)) }
    return facts
  }

  /// The notice as plain text: what is wrong, since when, what to look at first, which run, and the command that shows more.
  package var plainText: String {
    let width = (facts.map(\.label.count).max() ?? 0) + 2
    let lines = facts.map { label, value in
      (label + ":").padding(to: width) + value
    }
    return ([subject] + (text.isEmpty ? [] : ["", text]) + [""] + lines).joined(separator: "\n") + "\n"
  }

  /// The same as HTML, for mail programs: nothing in it is fetched from elsewhere, and every text is escaped.
  package var html: String {
    """
    <!DOCTYPE html>
    <html><head><meta charset="utf-8"><title>\(subject.htmlEscaped)</title></head>
    <body style="font-family:sans-serif">
    \(htmlFragment)
    </body></html>

    """
  }

  /// The same without what stands around a document.
  package var htmlFragment: String {
    let colour =
      switch (status, level) {
      case (.resolved, _): "#1a7f37"
      case (_, .info): "#57606a"
      case (_, .warning): "#9a6700"
      case (_, .critical): "#cf222e"
      }
    let rows = facts.map { label, value in
      let shown = label == "Show more" || label == "Run" ? "<code>\(value.htmlEscaped)</code>" : value.htmlEscaped
      return "<tr><td style=\"padding:2px 12px 2px 0;color:#57606a\">\(label)</td><td>\(shown)</td></tr>\n"
    }
    let body = text.isEmpty ? "" : "<pre style=\"white-space:pre-wrap\">\(text.htmlEscaped)</pre>\n"
    return """
      <h2 style="color:\(colour)">\(subject.htmlEscaped)</h2>
      \(body)<table>
      \(rows.joined())</table>
      """
  }

  /// The notice as one SMS: at most 160 characters, all of them in the alphabet of GSM, so that it is sent as one message. The run and the
  /// time are never cut off.
  package var smsText: String {
    let start = since.map { " since \($0.clock)Z" } ?? ""
    let tail = start + (origin.run.map { " run \($0)" } ?? "")
    let head = "\(status == .resolved ? "RESOLVED" : level.rawValue.uppercased()): \(title)".inGSMAlphabet
    let room = 160 - tail.count
    return (head.count <= room ? head : head.prefix(max(0, room - 2)) + "..") + tail
  }

  /// All of it for machines.
  package var json: JSON {
    func text(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
    return [
      "schema": "runbook.notice/1", "key": .string(key), "problem": .string(problem), "level": .string(level.rawValue),
      "status": .string(status.rawValue), "title": .string(title), "text": .string(self.text), "look": text(look),
      "since": text(since?.description), "time": .string(time.description), "run": text(origin.run),
      "runbook": text(origin.runbook), "target": text(origin.target), "host": .string(origin.host),
      "command": text(command),
    ]
  }
}

extension Timestamp {
  /// `2026-11-28 22:10:05 UTC`.
  fileprivate var forPeople: String {
    let text = description
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"
  }

  /// `22:10`.
  fileprivate var clock: String { String(description.dropFirst(11).prefix(5)) }
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }

  fileprivate var htmlEscaped: String {
    var escaped = ""
    for character in self {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.append(character)
      }
    }
    return escaped
  }

  /// In characters that each take one place of an SMS (3GPP TS 23.038, without its extension table).
  fileprivate var inGSMAlphabet: String {
    String(
      flatMap { character -> String in
        switch character {
        case "[", "{": return "("
        case "]", "}": return ")"
        case "|", "\\": return "/"
        case "^", "~", "–", "—", "−": return "-"
        case "`", "‘", "’", "´": return "'"
        case "“", "”", "„": return "\""
        case "…": return "..."
        case "\t", "\n": return " "
        case "ä", "ö", "ü", "Ä", "Ö", "Ü", "ß", "é", "è", "à", "ñ", "Ñ", "å", "Å", "ø", "Ø", "æ", "Æ", "É":
          return String(character)
        default: return character.isASCII ? String(character) : "?"
        }
      })
  }
}
