/// How a step, a check or a run ended, in order of badness; `skipped` is left out where outcomes are put together.
package enum Outcome: String, Hashable, Sendable, CaseIterable {
  case pass
  /// Passed, with something to look at.
  case warn
  /// An expectation does not hold, or the service under test is silent, refuses, answers wrongly, or rejects good
  /// credentials.
  case fail
  /// Our own side could not find out: permission, local file, missing value, missing tool.
  case error
  /// Begun, and its end is unknown.
  case indeterminate
  /// Not run, by its own condition or because the run stopped before it.
  case skipped

  private var badness: Int {
    switch self {
    case .skipped: 0
    case .pass: 1
    case .warn: 2
    case .fail: 3
    case .error: 4
    case .indeterminate: 5
    }
  }

  /// The worst of the outcomes; `skipped` if all are, or where there are none.
  package static func worst(_ outcomes: some Sequence<Outcome>) -> Outcome {
    outcomes.max { $0.badness < $1.badness } ?? .skipped
  }

  /// True for `pass` and `warn`: what comes after may rely on it.
  package var isGood: Bool { self == .pass || self == .warn }
}

/// What a step does to the world; every module has one, and a runbook allows a set of them.
package enum Effect: String, Hashable, Sendable, CaseIterable, Comparable {
  /// Reads.
  case observe
  /// Writes only our own state: a backup, a baseline, a report. Always allowed.
  case record
  /// Tells somebody.
  case notify
  /// Acts on the service or on its users.
  case change

  private var rank: Int {
    switch self {
    case .observe: 0
    case .record: 1
    case .notify: 2
    case .change: 3
    }
  }

  package static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
}
