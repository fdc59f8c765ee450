package import Journal

/// Why a run was not found.
package enum LedgerError: Error, Hashable, Sendable {
  /// There are no runs yet.
  case noRuns
  /// No run has this number, and no id begins so.
  case unknownRun(String)
  /// Several runs have this number, or ids that begin so; the newest first.
  case ambiguousRun(String, among: [String])
  /// The state folder cannot be read.
  case unreadable(JournalError)

  /// What is wrong, in one sentence without a full stop.
  package var message: String {
    switch self {
    case .noRuns: "there are no runs yet"
    case .unknownRun(let reference):
      Int64(reference) == nil || reference.hasPrefix("0")
        ? "no run has an id that begins with \"\(reference)\"" : "no run has the number \(reference)"
    case .ambiguousRun(let reference, let ids):
      "\(ids.count) runs have the number \"\(reference)\" or an id that begins with it: \(ids.prefix(3).joined(separator: ", "))"
        + (ids.count > 3 ? ", …" : "")
    case .unreadable(let error): error.message
    }
  }

  /// What to do, in one sentence without a full stop.
  package var advice: String? {
    switch self {
    case .noRuns: "start one with `runbook run NAME`"
    case .unknownRun: "`runbook history` lists the runs; `last` is the newest"
    case .ambiguousRun: "give the id, or more of it"
    case .unreadable(let error): error.advice
    }
  }
}
