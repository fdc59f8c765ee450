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
