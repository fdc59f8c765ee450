package import Journal
package import Schema

/// A past run as a schedule looks at it.
package struct RunOfSlot: Hashable, Sendable {
  package enum End: Hashable, Sendable {
    case goesOn
    case ended(Outcome)
    /// It did nothing: another run held its lock.
    case lockedOut
    /// It did nothing: its locks could not be used.
    case lockUnusable
    /// It died, and somebody gave it up.
    case cancelled
    /// It has no end, and nothing goes on.
    case died
    /// Its journal was changed, or cannot be read to its end: nothing that it says counts.
    case unproven
  }

  package var id: String
  package var startedAt: Timestamp
  package var end: End

  package init(id: String, startedAt: Timestamp, end: End) {
    self.id = id
    self.startedAt = startedAt
    self.end = end
  }

  /// Whether it did what it was due for, whatever came of it.
  var fills: Bool {
    switch end {
    case .goesOn, .ended: true
    case .lockedOut, .lockUnusable, .cancelled, .died, .unproven: false
    }
  }
}

/// What became of one slot of a period.
package struct SlotAccount: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    /// A run began in time.
    case ran(RunOfSlot)
    /// A run began late, by so much, and before the next slot.
    case caughtUp(RunOfSlot, late: Duration)
    /// The slot is the present one, and it is not late yet.
    case due
    case missed(Reason)

    package var isMissed: Bool { if case .missed = self { true } else { false } }
  }

  /// Why a slot counts as missed.
  package enum Reason: Hashable, Sendable {
    /// No run began in it.
    case noRun
    /// Its last run was skipped, because another held its lock.
    case lockedOut(RunOfSlot)
    /// Its last run did nothing, because its locks could not be used.
    case lockUnusable(RunOfSlot)
    /// Its last run died, and somebody gave it up.
    case cancelled(RunOfSlot)
    /// A run of it died, and none came to an end.
    case died(RunOfSlot)
    /// The journal of its last run does not verify: whether it ran is not known.
    case unproven(RunOfSlot)
  }

  package let slot: Timestamp
  package let state: State
}

extension [RunOfSlot] {
  /// Without those that claim to begin later: the clock was wrong then, and when they began is not known. Five minutes are not later.
  package func begun(by now: Timestamp) -> [RunOfSlot] {
    filter { $0.startedAt.duration(since: now) <= .seconds(300) }
  }
}

extension Period {
  /// How late a run may begin and still count as in time.
  private func tolerance(_ slot: Timestamp) -> Duration {
    let length = next(after: slot)?.duration(since: slot) ?? .seconds(3600)
    return min(length / 2, .seconds(900))
  }

  /// What became of each slot between two moments, the newest first.
  ///
  /// - Parameters:
  ///   - runs: in any order; none that began before `since` matters.
  ///   - since: slots before it are left out.
  ///   - limit: the most slots that are looked at.
  package func account(
    of runs: [RunOfSlot], since: Timestamp, at now: Timestamp, limit: Int = 10_000
  ) -> [SlotAccount] {
    var runs = runs.begun(by: now).sorted { $0.startedAt < $1.startedAt }[...]
    var accounts: [SlotAccount] = []
    var slot = self.slot(at: now)
    while let begin = slot, begin >= since, accounts.count < limit {
      // A run that is a little ahead of the clock is one of the present slot.
      let inside = runs[(runs.lastIndex { $0.startedAt < begin }.map { $0 + 1 } ?? runs.startIndex)...]
      runs = runs[..<inside.startIndex]
      accounts.append(SlotAccount(slot: begin, state: state(begin, inside, isPresent: accounts.isEmpty, at: now)))
      slot = begin.earlier(by: .seconds(1)).flatMap(self.slot(at:))
    }
    return accounts
  }

  /// As ``account(of:since:at:limit:)``, and the run on which the newest account rests is looked into: one that is not proven does
  /// not fill its slot.
  package func account(
    of runs: [RunOfSlot], since: Timestamp, at now: Timestamp, limit: Int = 10_000, isProven: (RunOfSlot) -> Bool
  ) -> [SlotAccount] {
    var runs = runs
    while true {
      let accounts = account(of: runs, since: since, at: now, limit: limit)
      switch accounts.first(where: { $0.state != .due })?.state {
      case .ran(let run), .caughtUp(let run, _):
        guard !isProven(run), let index = runs.firstIndex(where: { $0.id == run.id && $0.fills }) else {
          return accounts
        }
        runs[index].end = .unproven
      case .due, .missed, nil: return accounts
      }
    }
  }

  private func state(
    _ slot: Timestamp, _ runs: ArraySlice<RunOfSlot>, isPresent: Bool, at now: Timestamp
  ) -> SlotAccount.State {
    let tolerance = tolerance(slot)
    if let run = runs.first(where: \.fills) {
      let late = run.startedAt.duration(since: slot)
      return late <= tolerance ? .ran(run) : .caughtUp(run, late: late)
    }
    if let died = runs.last(where: { $0.end == .died }) { return .missed(.died(died)) }
    if let unproven = runs.last(where: { $0.end == .unproven }) { return .missed(.unproven(unproven)) }
    if isPresent, now.duration(since: slot) <= tolerance { return .due }
    guard let last = runs.last else { return .missed(.noRun) }
    return switch last.end {
    case .lockUnusable: .missed(.lockUnusable(last))
    case .cancelled: .missed(.cancelled(last))
    case .lockedOut, .died, .unproven, .goesOn, .ended: .missed(.lockedOut(last))
    }
  }
}
