import Journal
import Schema
import TerminalText

extension RunReport.Step {
  /// The step with everything that is known of it, in a part of a page.
  func html(depth: Int, anchor: String) -> String {
    let word = isDue ? "not begun" : outcome.cell
    let title = self.title == id ? "" : " \(markupSafe(self.title))"
    let time = duration.map { " <span class=\"soft\">\(shortDuration($0))</span>" } ?? ""
    var facts = [markupSafe(use)]
    if attempts > 1 { facts.append("\(attempts) tries") }
    if !isCounted { facts.append("not counted") }
    return """
      <article id="\(anchor)" class="step depth\(min(depth, 3)) \(outcome.rawValue)">
      <h3><span class="outcome \(outcome.rawValue)">\(word)</span> <code>\(markupSafe(path))</code>\(title)\(time)</h3>
      <p class="soft">\(facts.joined(separator: " · "))</p>
      \(reasonHTML)\(expectationsHTML)\(picturesHTML)\(outputHTML)</article>

      """
  }

  private var reasonHTML: String {
    var lines = question?.lines ?? []
    if let finding {
      lines.append(LabelledText(label: "found", text: terminalSafe("\(finding.message) (\(finding.code))")))
      if let advice = finding.advice { lines.append(LabelledText(label: "next", text: terminalSafe(advice))) }
    }
    if let reason { lines.append(LabelledText(label: "reason", text: terminalSafe(reason))) }
    return lines.html
  }

  /// Each expectation with what its parts came to.
  private var expectationsHTML: String {
    guard !expectations.isEmpty else { return "" }
    let rows = expectations.map { expectation in
      let (outcome, word) = expectation.shownVerdict
      let actual =
        expectation.actual.isEmpty ? "" : "<p class=\"actual\"><code>\(markupSafe(expectation.shownActual))</code></p>"
      // What it means if it does not hold would mislead beside one that does.
      let message = outcome == .pass ? nil : expectation.message
      let notes = [message, expectation.error].compactMap(\.self).map { "<p>\(markupSafe($0))</p>" }
        .joined()
      return
        "<li class=\"\(outcome.rawValue)\"><span class=\"mark\">\(word)</span> <div><code>\(markupSafe(expectation.that))</code>"
        + "\(actual)\(notes)</div></li>\n"
    }
    return "<ul class=\"expectations\">\n\(rows.joined())</ul>\n"
  }

  private var picturesHTML: String {
    let measurements = measurements
    return Distribution.all(in: measurements).map(\.html).joined()
      + CountChart.all(in: measurements).map(\.html).joined()
  }

  /// The most telling figures, and behind them every value.
  private var outputHTML: String {
    let leaves = leaves(of: outputType.restored(output), as: outputType, under: "").filter { $0.value != .null }
    guard !leaves.isEmpty else { return "" }
    let figures = figures(limit: 5).map { "\(markupSafe($0.name)) <b>\(markupSafe($0.value))</b>" }
    let rows = leaves.prefix(Self.shownValues).map { leaf in
      "<dt>\(markupSafe(leaf.name))</dt><dd><code>\(markupSafe(shortened(Self.text(leaf.value, leaf.type), to: 500)))</code></dd>\n"
    }
    let rest = leaves.count - rows.count
    let more = rest > 0 ? "<p class=\"soft\">\(rest) more values stand in the journal.</p>\n" : ""
    let head = figures.isEmpty ? "output" : figures.joined(separator: " · ")
    return "<details>\n<summary>\(head)</summary>\n<dl>\n\(rows.joined())</dl>\n\(more)</details>\n"
  }

  private static let shownValues = 60

  private static func text(_ value: Value, _ type: ValueType) -> String {
    guard case .list(let elements) = value, case .list(let element) = type.withoutOptional else {
      return shownValue(value, as: type)
    }
    return elements.isEmpty ? "none" : elements.map { shownValue($0, as: element) }.joined(separator: ", ")
  }
}

extension JudgedExpectation {
  fileprivate var shownVerdict: (outcome: Outcome, word: String) {
    switch verdict {
    case .holds: (.pass, "holds")
    case .broken: severity == .warn ? (.warn, "warning") : (.fail, "broken")
    case .error: (.error, "unjudged")
    }
  }
}
