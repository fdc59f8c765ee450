package import Schema

/// How urgent a notice is.
package enum NoticeLevel: String, Hashable, Sendable, CaseIterable, Comparable {
  /// Routine: a service was started, a configuration changed, maintenance ended.
  case info
  /// Somebody should look today: slower than usual, resources running low, failed logins.
  case warning
  /// Somebody must look now: an outage, a break-in.
  case critical

  package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .info: 0
    case .warning: 1
    case .critical: 2
    }
  }
}

/// What people are told. It is rendered once, before the first try, so that every channel and every try says the same.
package struct OutgoingNotice: Hashable, Sendable {
  /// Whether what it tells of is there, or over.
  package enum Status: String, Hashable, Sendable, CaseIterable {
    case firing
    case resolved
  }

  /// The same for every try to deliver this notice, and for no other notice.
  package let key: String
  package let level: NoticeLevel
  package let status: Status
  /// What failed on what, in one line.
  package let title: String
  /// What more there is to say; may be empty.
  package let text: String
  /// The first thing to look at; nil if nobody knows.
  package let look: String?
  /// Since when it is so; nil if nobody knows.
  package let since: Timestamp?
  /// When the notice was made.
  package let time: Timestamp
  package let origin: Provenance
  /// Whether another notice will say that it is over.
  package let stands: Bool

  /// Where a notice comes from.
  package struct Provenance: Hashable, Sendable {
    /// Id of the run; nil for a notice by hand.
    package var run: String?
    /// Name of the runbook; nil if none is known.
    package var runbook: String?
    /// Name of the target; nil if there is none.
    package var target: String?
    /// Path of the step that sends it; nil if the run itself does, or a person.
    package var step: String?
    /// Name of the host that sends it.
    package var host: String
    /// The project's folder: the command that shows more names it.
    package var project: String?

    package init(
      run: String?, runbook: String?, target: String?, step: String? = nil, host: String, project: String?
    ) {
      self.run = run
      self.runbook = runbook
      self.target = target
      self.step = step
      self.host = host
      self.project = project
    }
  }

  /// The most that a title has.
  package static let longestTitle = 200
  /// The most that a text has, in bytes: what is longer is cut, and the notice says so.
  package static let longestText = 16 << 10

  /// - Parameters:
  ///   - title: without line breaks and control characters it is at most ``longestTitle`` long: the rest is left out.
  ///   - text: what is longer than ``longestText`` is left out.
  package init(
    key: String, level: NoticeLevel, status: Status = .firing, title: String, text: String = "", look: String? = nil,
    since: Timestamp? = nil, time: Timestamp, origin: Provenance, stands: Bool = false
  ) {
    self.key = key
    self.level = level
    self.status = status
    self.title = title.onOneLine.cut(to: Self.longestTitle)
    self.text = text.plain.cut(toBytes: Self.longestText)
    self.look = look.map { $0.onOneLine.cut(to: 2 * Self.longestTitle) }
    self.since = since
    self.time = time
    self.origin = origin
    self.stands = stands
  }

  /// What a firing notice and the one that resolves it have in common: the runbook and its target. A notice of no runbook stands
  /// alone, and those of steps are told apart by the step.
  package var problem: String {
    guard let runbook = origin.runbook else { return key }
    return [origin.host, runbook, origin.target, origin.step].compactMap(\.self).joined(separator: "/")
  }

  /// The same with a text of at most so many bytes.
  func cut(toBytes size: Int) -> OutgoingNotice {
    OutgoingNotice(
      key: key, level: level, status: status, title: title, text: text.cut(toBytes: size), look: look, since: since,
      time: time, origin: origin, stands: stands)
  }

  /// The same with a line more at the end of its text.
  package func adding(_ line: String) -> OutgoingNotice {
    let text = text.cut(toBytes: Self.longestText - line.utf8.count - 100)
    return OutgoingNotice(
      key: key, level: level, status: status, title: title, text: text.isEmpty ? line : "\(text)\n\(line)", look: look,
      since: since, time: time, origin: origin, stands: stands)
  }

  /// The command that shows more; nil for a notice by hand.
  package var command: String? {
    origin.run.map { run in
      "runbook report \(run)" + (origin.project.map { " --project \($0.shellWord)" } ?? "")
    }
  }
}

extension String {
  /// As a shell reads it as one word.
  fileprivate var shellWord: String {
    let isPlain = unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "/._-+@".unicodeScalars.contains($0))
    }
    return isPlain && !isEmpty ? self : "'\(replacing("'", with: "'\\''"))'"
  }

  /// Without what a terminal or a mail program would obey: control characters but for line breaks and tabs, marks that reverse the
  /// direction of text, and breaks that only Unicode knows. Every line ends in a line feed alone.
  package var plain: String {
    var scalars = String.UnicodeScalarView()
    var wasReturn = false
    for scalar in unicodeScalars {
      defer { wasReturn = scalar == "\r" }
      switch scalar {
      case "\n" where wasReturn: continue
      case "\r", "\n", "\u{2028}", "\u{2029}", "\u{85}": scalars.append("\n")
      case "\t": scalars.append("\t")
      case _ where scalar.properties.generalCategory == .control: scalars.append("\u{FFFD}")
      case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}", "\u{200E}", "\u{200F}", "\u{61C}":
        scalars.append("\u{FFFD}")
      default: scalars.append(scalar)
      }
    }
    return String(scalars)
  }

  /// ``plain``, its lines joined by blanks.
  package var onOneLine: String {
    plain.split { $0 == "\n" || $0 == "\t" || $0 == " " }.joined(separator: " ")
  }

  /// At most so many characters; what is cut ends in an ellipsis.
  package func cut(to length: Int) -> String { count <= length ? self : prefix(max(0, length - 1)) + "…" }

  /// At most so many bytes, and a line that says how much is missing.
  package func cut(toBytes size: Int) -> String {
    guard utf8.count > size else { return self }
    // A character is not cut in two.
    var kept = prefix(size)
    while kept.utf8.count > size { kept = kept.dropLast(max(1, (kept.utf8.count - size) / 4)) }
    return "\(kept)\n… \(utf8.count - kept.utf8.count) more bytes are left out"
  }
}
