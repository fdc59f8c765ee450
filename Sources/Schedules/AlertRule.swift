package import Journal

/// When so many runs of a runbook failed in a row that somebody is to be told.
package struct AlertRule: Hashable, Sendable {
  /// The failures in a row; at least 1.
  package var after: Int

  package init(after: Int) { self.after = after }

  /// How one of the earlier runs ended.
  package enum Earlier: Hashable, Sendable {
    case ended(Outcome)
    /// It has no end: it counts as a failure, and could not tell anybody.
    case died
  }

  /// How many runs failed in a row, if the alert is due with the run that ends now: once, with the run that makes the number full, and
  /// not again before one passes. If that run died, the next one that fails is the one that tells.
  ///
  /// A run that was skipped neither counts nor ends the row.
  ///
  /// - Parameters:
  ///   - outcome: of the run that ends now.
  ///   - earlier: the runs before it, the newest first.
  package func failures(with outcome: Outcome, after earlier: some Sequence<Earlier>) -> Int? {
    guard outcome.isFailure else { return nil }
    var failures = 1
    /// Failures behind the last one that could tell, itself included.
    var told: Int?
    for run in earlier {
      switch run {
      case .ended(let outcome) where outcome.isGood: return due(failures, told)
      case .ended(.skipped): continue
      case .ended:
        failures += 1
        told = told.map { $0 + 1 } ?? 1
      case .died:
        failures += 1
        told = told.map { $0 + 1 }
      }
      if let told, told >= after { return nil }
    }
    return due(failures, told)
  }

  /// How many runs failed in a row, the one that ends now included; 0 if that one is no failure.
  ///
  /// - Parameters:
  ///   - outcome: of the run that ends now.
  ///   - earlier: the runs before it, the newest first.
  package func row(with outcome: Outcome, after earlier: some Sequence<Earlier>) -> Int {
    guard outcome.isFailure else { return 0 }
    var failures = 1
    for run in earlier {
      switch run {
      case .ended(let outcome) where outcome.isGood: return failures
      case .ended(.skipped): continue
      case .ended, .died: failures += 1
      }
    }
    return failures
  }

  private func due(_ failures: Int, _ told: Int?) -> Int? {
    failures >= after && told ?? 0 < after ? failures : nil
  }
}

extension Outcome {
  fileprivate var isFailure: Bool { !isGood && self != .skipped }
}
