import Files
import Glibc
import Journal
import Language
import Ledger
import Reports
import Runs
import Schedules
import Schema

/// What `run --if-due` does: at most one run for each slot of the runbook's period.
enum DueSlot {
  /// The slot is to be filled now. A run whose journal does not verify may have filled it.
  case run(Timestamp, unproven: RunOfSlot?)
  /// There is nothing to do, and why.
  case nothing(String)
  /// A run of the slot died: whether it may be done again is for somebody to say.
  case died(RunOfSlot)

  /// - Parameter targets: names of the targets that a run must be for to count; nil if it does not matter.
  /// - Throws: `JournalError` if the past runs cannot be read.
  init(
    _ runbook: String, _ period: Period, for targets: Set<String>?, in ledger: Ledger, at now: Timestamp
  ) throws(JournalError) {
    guard let slot = period.slot(at: now) else {
      self = .nothing("\(runbook) is not due: \(period.text)")
      return
    }
    let runs = try ledger.runs(of: runbook, downTo: slot).slotRuns(for: targets)
    let time = momentText(slot, offset: localOffset(at:))
    let account = period.account(of: runs, since: slot, at: now, limit: 1) { ledger.verifies(run: $0.id) }.first
    switch account?.state {
    case .ran(let run), .caughtUp(let run, _):
      let word = run.end == .goesOn ? "is running" : "has run"
      self = .nothing("\(runbook), due at \(time), \(word): \(run.id)")
    case .missed(.died(let run)): self = .died(run)
    case .missed(.unproven(let run)): self = .run(slot, unproven: run)
    case .due, .missed, nil: self = .run(slot, unproven: nil)
    }
  }
}

/// Held from before the look whether a runbook is due until its run is recorded, so that two that are woken at once do not both run it.
final class DueLock: Sendable {
  private let file: File

  private init(_ file: consuming File) { self.file = file }

  /// How long another one may take from its look to its run.
  private static let patience = Duration.seconds(60)

  /// Waits for the lock of a runbook; nil if another process holds it for long: that one is starting the run.
  ///
  /// Its file is never removed: who waits for it and who comes later must mean the same one.
  static func take(_ runbook: String, in state: StateFolder) async throws -> DueLock? {
    let (folderMode, fileMode): (UInt32, UInt32) =
      switch state.access {
      case .owner: (0o700, 0o600)
      case .group: (0o750, 0o640)
      case .groupWriting: (0o770, 0o660)
      }
    let lock: DueLock
    do throws(FileError) {
      try Folder.makeAll(state.path, Permissions(folderMode))
      let path = "\(state.path)/.due-\(LockFolder.fileName(of: runbook))"
      lock = DueLock(try File.openOrCreate(path, O_RDWR, Permissions(fileMode)))
    } catch {
      throw CommandFailure(.error, error.message, advice: "look at \(error.path), where runs are recorded")
    }
    let limit = ContinuousClock.now + patience
    while true {
      do throws(FileError) {
        if try lock.file.tryLock() { return lock }
      } catch {
        throw CommandFailure(.error, error.message, advice: "look at \(error.path)")
      }
      guard ContinuousClock.now < limit else { return nil }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  func release() { file.unlock() }
}
