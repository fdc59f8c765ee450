package import Journal
import TerminalText

/// How a monitoring plugin ends: the exit codes of the Nagios plugin API.
package enum PluginState: Int32, Hashable, Sendable {
  case ok = 0
  case warning = 1
  case critical = 2
  case unknown = 3

  /// - Parameter isStrict: a warning is critical.
  package init(_ outcome: Outcome, isStrict: Bool = false) {
    self =
      switch outcome {
      case .pass: .ok
      case .warn: isStrict ? .critical : .warning
      case .fail: .critical
      case .error, .indeterminate, .skipped: .unknown
      }
  }

  /// As it begins a plugin's line.
  var word: String {
    switch self {
    case .ok: "OK"
    case .warning: "WARNING"
    case .critical: "CRITICAL"
    case .unknown: "UNKNOWN"
    }
  }
}

extension RunReport {
  /// One line as a Nagios plugin prints it: state, what ran, the first thing that did not pass, and numbers as performance
  /// data. At most 4 KiB with its LF: of what is too much, whole numbers are left out, and then the end of the text.
  package func nagios(isStrict: Bool = false) -> String {
    var text = "\(subject): \(summary.isEmpty ? verdict.rawValue : summary)"
    if !stillInPlace.isEmpty { text += "; still in place: \(terminalSafe(stillInPlace.joined(separator: ", ")))" }
    if let first = firstCause { text += "; \(first)" }
    text += ", \(finishedAt == nil ? "started" : "finished") \(momentText(finishedAt ?? startedAt) { _ in 0 })"
    return pluginLine(PluginState(verdict, isStrict: isStrict), text, performance)
  }

  /// What did not pass first, in a sentence.
  private var firstCause: String? {
    let cases = suites.flatMap { suite in
      suite.cases.map { (target: children.isEmpty ? nil : suite.target, entry: $0) }
    }.filter { $0.entry.isCounted && $0.entry.outcome != .pass && $0.entry.outcome != .skipped }
    guard let first = cases.first(where: { !$0.entry.outcome.isGood }) ?? cases.first else { return nil }
    let place = (first.target.map { "\(terminalSafe($0)) " } ?? "") + terminalSafe(first.entry.path)
    // A pager shows the beginning: what it means stands there, and nobody reads the expression.
    let meaning = first.entry.explanation.filter { $0.label == "meaning" }.map(\.text)
    let labels = meaning.isEmpty ? ["expected", "actual", "found", "unjudged"] : ["actual", "found", "unjudged"]
    let parts = meaning + first.entry.explanation.filter { labels.contains($0.label) }.plainLines
    return parts.isEmpty
      ? "\(place) \(first.entry.outcome.rawValue)" : "\(place): " + parts.joined(separator: ", ")
  }

  /// Performance data, the most telling first: the whole time, then of each step what an expectation looked at, then the
  /// rest.
  private var performance: [String] {
    var items: [String] = []
    if let duration { items.append("'time'=\(decimalSeconds(duration))s;;;0") }
    var rest: [String] = []
    for suite in suites {
      for step in suite.cases.compactMap(\.step) {
        let judged = Set(step.expectations.flatMap(\.actual).compactMap(\.field))
        for measurement in step.foremostMeasurements {
          let target = children.isEmpty ? "" : suite.target.map { "\($0):" } ?? ""
          guard let item = measurement.performance(label: "\(target)\(step.path).\(measurement.name)") else { continue }
          if judged.contains(measurement.name) { items.append(item) } else { rest.append(item) }
        }
      }
    }
    return items + rest
  }
}

/// A plugin's one line that tells of no run: why there is none. Ends with a LF.
package func pluginLine(_ state: PluginState, _ text: String) -> String { pluginLine(state, text, []) }

private func pluginLine(_ state: PluginState, _ text: String, _ performance: [String]) -> String {
  let head = "\(state.word) - "
  // What is left keeps room for the first numbers.
  let shown = cut(pluginSafe(text), bytes: performance.isEmpty ? lineLimit - head.utf8.count - 1 : textLimit)
  var line = head + shown
  var separator = "|"
  for item in performance where line.utf8.count + separator.utf8.count + item.utf8.count + 1 <= lineLimit {
    line += separator + item
    separator = " "
  }
  return line + "\n"
}

/// What Nagios reads of a plugin, the line's end included.
private let lineLimit = 4096
private let textLimit = 2048

/// On one line; `|` would begin performance data, and a `<` before a letter a tag in the pages that show it.
private func pluginSafe(_ text: String) -> String {
  terminalSafe(text).replacing("|", with: "¦").replacing(/<(?=[A-Za-z\/!?])/, with: "< ")
}

/// The text, or as much of it as fits, and then `…`.
private func cut(_ text: String, bytes: Int) -> String {
  guard text.utf8.count > bytes else { return text }
  var count = 0
  var cut = ""
  for character in text.unicodeScalars {
    count += character.utf8.count
    if count > bytes - 3 { break }
    cut.unicodeScalars.append(character)
  }
  return cut + "…"
}

extension Measurement {
  /// `'turn/relay.rtt.p95'=0.0042s`; nil for what graphs cannot show: moments, and numbers of many digits.
  fileprivate func performance(label: String) -> String? {
    let unit: String
    switch self.unit {
    case .seconds: unit = "s"
    case .bytes: unit = "B"
    case .percent: unit = "%"
    case .none, .bitsPerSecond: unit = ""
    case .timestamp: return nil
    }
    guard text.utf8.count <= 30 else { return nil }
    // `'` ends a label and `=` its name.
    let label = pluginSafe(label).replacing("'", with: "_").replacing("=", with: "_")
    return "'\(label)'=\(text)\(unit)"
  }
}
