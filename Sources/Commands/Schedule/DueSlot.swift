import Journal
import Language
import Ledger
import Reports
import Runs
import Schedules
import Schema

/// What `run --if-due` does: at most one run for each slot of the runbook's period.
enum DueSlot {
  /// The slot is to be filled now.
  case run(Timestamp)
  /// There is nothing to do, and why.
  case nothing(String)
  /// A run of the slot died: whether it may be done again is for somebody to say.
  case died(RunOfSlot)

  /// - Throws: `JournalError` if the past runs cannot be read.
  init(_ runbook: String, _ period: Period, in ledger: Ledger, at now: Timestamp) throws(JournalError) {
    guard let slot = period.slot(at: now) else {
      self = .nothing("\(runbook) is not due: \(period.text)")
      return
    }
    let runs = try ledger.runs(of: runbook, downTo: slot).map { RunOfSlot($0) }
    let time = momentText(slot, offset: localOffset(at:))
    switch period.account(of: runs, since: slot, at: now, limit: 1).first?.state {
    case .ran(let run), .caughtUp(let run, _):
      let word = run.end == .goesOn ? "is running" : "has run"
      self = .nothing("\(runbook), due at \(time), \(word): \(run.id)")
    case .missed(.died(let run)): self = .died(run)
    case .due, .missed, nil: self = .run(slot)
    }
  }
}
