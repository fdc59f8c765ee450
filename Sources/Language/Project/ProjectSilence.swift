internal import CEL
internal import Notices
internal import Schema

extension SilentWindow {
  /// Nil, with a report, if it cannot be relied on.
  ///
  /// - Parameter known: the names of the project's channels.
  init?(name: YAMLNode.Scalar, _ node: YAMLNode, known: [String], log: IssueLog) {
    let errors = log.errorCount
    let subject = "the silence \"\(name.text.onOneLine)\""
    guard let reader = MappingReader<SilenceKey>(node, subject: subject, log: log) else { return nil }
    if !isDocumentName(name.text) {
      log.error(
        "name-form", "a silence's name is made of lower-case letters, digits and hyphens", at: name.range,
        suggestion: "write a name such as nights")
    }
    let upTo: NoticeLevel = reader.choice(.upTo) ?? .warning
    let channels = reader.names(.channels)
    for channel in channels where !known.contains(channel) {
      log.error(
        "unknown-channel", "there is no channel \"\(channel.onOneLine)\"",
        at: reader[.channels]?.range ?? reader.range, meant: nearName(to: channel, among: known),
        suggestion: known.isEmpty ? "declare it under \"channels\"" : "there are \(known.joined(separator: ", "))")
    }
    let span = reader.once() ?? .weekly(reader.weekly())
    guard log.errorCount == errors else { return nil }
    self.init(name: name.text, span, upTo: upTo, channels: Set(channels))
  }
}

extension MappingReader<SilenceKey> {
  /// What stands in a list of names, which must not be empty.
  fileprivate func names(_ key: SilenceKey) -> [String] {
    guard case .list(let elements)? = literal(key) else { return [] }
    if elements.isEmpty {
      log.error(
        "missing-value", "\"\(key.name)\" is empty", at: self[key]?.range ?? range,
        suggestion: "write names, or leave \"\(key.name)\" out")
    }
    return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  /// A window that comes once; nil if it comes each week.
  fileprivate func once() -> SilentWindow.Span? {
    let times = [SilenceKey.from, .to].map { text($0).flatMap { Timestamp($0) } }
    guard times.contains(where: { $0 != nil }) else { return nil }
    for key in [SilenceKey.days, .zone] where self[key] != nil {
      log.error(
        "silence-form", "\"\(key.name)\" belongs to times of day: a window from one date to another comes once",
        at: keyRange(key) ?? range, suggestion: "leave \"\(key.name)\" out")
    }
    guard let from = times[0], let to = times[1] else {
      log.error(
        "silence-form", "a window that comes once has a date both in \"from\" and in \"to\"", at: range,
        suggestion: "write them as 2026-12-01T22:00:00Z")
      return .once(from: .unixEpoch, to: .unixEpoch)
    }
    if to <= from {
      log.error(
        "silence-form", "the window ends before it begins", at: self[.to]?.range ?? range,
        suggestion: "write the later time in \"to\"")
    }
    return .once(from: from, to: to)
  }

  fileprivate func weekly() -> SilentWindow.Weekly {
    func minutes(_ key: SilenceKey, usual: Int) -> Int {
      guard let text = text(key) else { return usual }
      if let minutes = minutesOfDay(text), minutes < 1440 || key == .to { return minutes }
      log.error(
        "silence-form", "\"\(text.onOneLine)\" is neither a time of day nor a date with its time",
        at: self[key]?.range ?? range, suggestion: "write 22:00, or 2026-12-01T22:00:00Z")
      return usual
    }
    let days = Set(names(.days).compactMap(SilenceKey.dayNames.firstIndex))
    let zone = text(.zone) ?? "UTC"
    if (try? TimeZoneDatabase.offset(of: zone, at: 0)) == nil {
      log.error(
        "unknown-zone", "this host knows no time zone \"\(zone.onOneLine)\"", at: self[.zone]?.range ?? range,
        suggestion: "write UTC, or a name such as Europe/Berlin; the package tzdata has them")
    }
    let (from, to) = (minutes(.from, usual: 0), minutes(.to, usual: 1440))
    if from == to {
      log.error(
        "silence-form", "the window ends when it begins", at: self[.to]?.range ?? range,
        suggestion: "leave \"from\" and \"to\" out for the whole day")
    }
    return SilentWindow.Weekly(days: days, from: from, to: to) { time in
      try? TimeZoneDatabase.offset(of: zone, at: time.seconds)
    }
  }
}

/// Minutes from midnight of `22:00`; nil if the text is no time of day. 24:00 is one.
private func minutesOfDay(_ text: String) -> Int? {
  let parts = text.split(separator: ":", omittingEmptySubsequences: false)
  guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
    let hours = Int(parts[0]), let minutes = Int(parts[1]), minutes < 60, hours < 24 || (hours == 24 && minutes == 0)
  else { return nil }
  return hours * 60 + minutes
}

extension Project {
  /// - Parameter channels: what stands under that key: a window may name them.
  static func silences(_ node: YAMLNode?, channels: YAMLNode?, log: IssueLog) -> [SilentWindow] {
    let known = if case .mapping(let mapping)? = channels { mapping.entries.map(\.key.text) } else { [String]() }
    switch node {
    case .mapping(let mapping)?:
      if mapping.entries.isEmpty {
        log.error(
          "missing-value", "\"silence\" is empty", at: mapping.range,
          suggestion: "declare a window, or leave \"silence\" out")
      }
      return mapping.entries.compactMap { SilentWindow(name: $0.key, $0.value, known: known, log: log) }
    case .refused?, nil: return []
    case let node?:
      log.error("type-mismatch", "expected a mapping of names to windows, found \(node.kind)", at: node.range)
      return []
    }
  }
}
