import Journal
import Schedules

extension RunOfSlot {
  /// A past run as a schedule looks at it.
  init(_ run: RunSummary) {
    let end: End =
      if run.wasLockedOut { .lockedOut } else if let outcome = run.outcome { .ended(outcome) } else {
        run.goesOn ? .goesOn : .died
      }
    self.init(id: run.id, startedAt: run.startedAt, end: end)
  }
}
