import Journal
import Language
import Ledger

extension Project {
  /// The run that a person means, read and verified.
  ///
  /// - Throws: `CommandFailure` if there is none, or where it cannot be read.
  func run(named reference: String) throws(CommandFailure) -> RecordedRun {
    do {
      return try RecordedRun.read(ledger.run(reference))
    } catch let error as JournalError {
      throw CommandFailure(error)
    } catch LedgerError.unreadable(let error) {
      throw CommandFailure(error)
    } catch let error as LedgerError {
      throw CommandFailure(.invalid, error.message, advice: error.advice)
    } catch {
      throw CommandFailure(.error, "\(error)")
    }
  }

  /// The state folder in which a run is kept.
  func state(of run: RecordedRun) -> StateFolder {
    let inMemory = state.existingInMemory(runtimeFolder: environmentVariable("XDG_RUNTIME_DIR"))
    return inMemory.map { $0.run(run.id) == run.folder ? $0 : state } ?? state
  }
}

extension RecordedRun {
  /// What people type for it: its number, or its id if it has none.
  var reference: String { started.number > 0 ? "\(started.number)" : id }

  /// `run 12 of drain on frankfurt`.
  var title: String {
    "run \(reference) of \(started.runbook)\(started.target.map { " on \($0.name)" } ?? "")"
  }
}
