import Journal
import TerminalText

extension Report.Step {
  /// Whether its outcome counts in that of the run.
  var isCounted: Bool { !isDiagnostic && stage.counts }

  /// As a list of all steps names it, in which what lies inside is indented.
  func listedName(depth: Int) -> String {
    depth == 0 && stage != .steps ? path : String(repeating: "  ", count: depth) + id
  }
}

extension Report {
  /// What a rollback left behind, which comes before everything else: somebody must act on it.
  var stillInPlaceLines: [LabelledText] {
    guard !stillInPlace.isEmpty else { return [] }
    let steps = terminalSafe(stillInPlace.joined(separator: ", "))
    let isOne = stillInPlace.count == 1
    return [
      LabelledText(label: "in place", text: "\(steps): still in place, not taken back", ink: .bold),
      LabelledText(
        label: "next", text: "take \(isOne ? "it" : "them") back by hand\(isOne ? "" : ", in this order")", ink: .bold),
    ]
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
