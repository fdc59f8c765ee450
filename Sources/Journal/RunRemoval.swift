import Files
import Glibc

/// Removes runs of one state folder. Holds the lock under which runs are put in place, for as long as it exists.
package struct RunRemoval: ~Copyable {
  static let prefix = ".gone-"

  private let state: StateFolder
  private let lock: File

  /// Waits until nobody else puts a run in place or removes one.
  package init(from state: StateFolder) throws(JournalError) {
    let lock = try state.lockRuns()
    if !state.isVolatile { try RunNumber.settle(in: state) }
    self.state = state
    self.lock = lock
  }

  /// Removes runs that belong together, a parent and its children; the parent comes first. None of them is removed where one
  /// is still being written to: false then. A run that is removed can no more be gone on with, since its journal's lock is
  /// held meanwhile.
  ///
  /// Throws if a run cannot be removed; those before it are gone then.
  package func remove(_ runs: [RunFolder]) throws(JournalError) -> Bool {
    var held: [HeldJournal] = []
    for run in runs {
      guard let journal = try HeldJournal(of: run) else { return false }
      held.append(journal)
    }
    // A parent that is there without its children is told of; a child without its parent would not be.
    for run in runs.reversed() {
      let aside = "\(Self.prefix)\(run.id)"
      try onDisk { () throws(FileError) in
        let runs = try Folder(state.runs)
        try runs.rename(run.id, to: aside)
        try runs.sync()
        try runs.remove(aside)
      }
    }
    withExtendedLifetime(held) {}
    return true
  }
}

/// The lock of the journal of a run that has ended.
private final class HeldJournal {
  private let file: File

  /// Nil if a process writes to the journal.
  init?(of run: RunFolder) throws(JournalError) {
    file = try onDisk(try File(opening: run.journal, O_RDWR))
    guard try onDisk(try file.tryLock()) else { return nil }
  }
}
