import Journal
import Language
import Ledger
import Schedules
import Schema

extension RunOfSlot {
  /// A past run as a schedule looks at it.
  init(_ run: RunOfRunbook) {
    let end: End =
      switch (run.finding ?? "", run.outcome) {
      case (RunFinished.lockedOut, _): .lockedOut
      case ("run.lockUnusable", _): .lockUnusable
      case ("run.cancelled", _): .cancelled
      case (_, let outcome?): .ended(outcome)
      case (_, nil): run.goesOn ? .goesOn : .died
      }
    self.init(id: run.id, startedAt: run.startedAt, end: end)
  }
}

extension [RunOfRunbook] {
  /// The runs for all of some targets, as a schedule looks at them. Which targets a parent comes to is not known while it goes on:
  /// it is taken as one for all.
  ///
  /// - Parameter targets: names; nil if it does not matter which.
  func slotRuns(for targets: Set<String>?) -> [RunOfSlot] {
    filter { run in
      guard let targets else { return true }
      return run.mayComeToMore || run.targets.isSuperset(of: targets)
    }.map { RunOfSlot($0) }
  }
}

extension Project {
  /// The names of the targets that selections name; nil if there are none.
  ///
  /// - Throws: `Issues` as ``targets(selectedBy:warn:)``.
  func targetNames(selectedBy selections: [String]) throws(Issues) -> Set<String>? {
    guard !selections.isEmpty else { return nil }
    var names: Set<String> = []
    for selection in selections { names.formUnion(try targets(selectedBy: selection).map(\.name)) }
    return names
  }
}
