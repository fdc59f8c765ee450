import Journal
import Schema
import TerminalText

extension RunRetry {
  /// The paths of the steps, or the names of the targets, that were done anew.
  var parts: [String] { steps.map(\.path.description) + targets }
}

extension RunReport {
  /// How many parts of a retry are named for people; the rest is counted.
  private static let named = 5

  /// Who went on with the run when, and who told how steps ended; not yet safe for a terminal.
  func continuations(offset: (Timestamp) -> Int) -> [(String, String)] {
    let times = resumptions.map { resumption in
      let who = resumption.user.map { " by \($0)" } ?? ""
      let moment = momentText(resumption.at, offset: offset)
      guard let parts = resumption.retry?.parts else { return ("resumed", "\(moment)\(who), after it had died") }
      let further = parts.count - Self.named
      let names = parts.prefix(Self.named).joined(separator: ", ") + (further > 0 ? " and \(further) more" : "")
      return ("retried", "\(moment)\(who): \(names.isEmpty ? "its end" : names)")
    }
    let told = steps.flatMap { $0.flattened().map(\.step) }.compactMap { step in
      step.resolution.map { ("resolved", "\(step.path) as \($0.resolution.words) by \($0.user): \($0.reason)") }
    }
    return times + told
  }
}

extension StepResolved.Resolution {
  fileprivate var words: String {
    switch self {
    case .done: "done"
    case .notDone: "not done"
    case .failed: "failed"
    }
  }
}
