import Journal
import TerminalText

extension RunReport.Step {
  /// Whether its outcome counts in that of the run.
  var isCounted: Bool { !isDiagnostic && stage.counts }

  /// As a list of all steps names it, in which what lies inside is indented.
  func listedName(depth: Int) -> String {
    depth == 0 && stage != .steps ? path : String(repeating: "  ", count: depth) + id
  }
}

extension RunReport {
  /// What a rollback left behind, which comes before everything else: somebody must act on it.
  var stillInPlaceLines: [LabelledText] {
    let lists =
      [("", stillInPlace)] + children.map { ("on \(terminalSafe($0.target)): ", $0.report?.stillInPlace ?? []) }
    let changed =
      [("", withoutUndo)] + children.map { ("on \(terminalSafe($0.target)): ", $0.report?.withoutUndo ?? []) }
    let unpromised = changed.filter { !$0.1.isEmpty }.map { place, steps in
      LabelledText(
        label: "in place",
        text: "\(place)\(terminalSafe(steps.joined(separator: ", "))): changed something, and has no undo")
    }
    let left = lists.filter { !$0.1.isEmpty }
    guard !left.isEmpty else { return unpromised }
    let lines = left.map { place, steps in
      LabelledText(
        label: "in place",
        text: "\(place)\(terminalSafe(steps.joined(separator: ", "))): still in place, not taken back", ink: .bold)
    }
    let isOne = left.count == 1 && left[0].1.count == 1
    let advice = isOne ? "take it back by hand" : "take them back by hand, in this order"
    return lines + [LabelledText(label: "next", text: advice, ink: .bold)] + unpromised
  }

  /// What the hypothesis came to, if it did not hold after the steps or there was a rollback; empty otherwise.
  var hypothesisLines: [LabelledText] {
    let words = hypothesis.compactMap { look in
      switch (look.stage, look.verdict) {
      case (.after, .broken): "it does not hold after the steps"
      case (.again, .restored): "after the rollback it holds again"
      case (.again, .notRestored): "after the rollback it does not hold"
      default: nil
      }
    }
    guard !words.isEmpty else { return [] }
    return [LabelledText(label: "found", text: "the hypothesis: \(words.joined(separator: "; "))")]
  }
}
