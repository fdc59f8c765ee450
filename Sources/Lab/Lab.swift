import Processes

/// Two real coturn servers on loopback, to try things on, for drills and tests: one with a long-term user, one with a
/// shared secret. They live in one folder and vanish with it.
///
/// The lab is there as long as anybody who asked for it is: `up` for a process and `up` by hand count alike, the last to
/// `release` it stops it. If a process died without releasing it, the next `up`, `release` or `down` ends what it left.
/// Calls from several processes follow one another, by a lock on the folder that holds the lab's.
package struct Lab: Sendable {
  /// What there is of a lab.
  package enum Status: Hashable, Sendable {
    case down
    case up(LabState)
    /// Servers have died, or all who wanted it have. The next `up` clears this away.
    case remains
  }

  private let location: LabFolder

  /// - Parameters:
  ///   - folder: the lab's own; made by `up`, gone after `down`. The folder it lies in is made if it is missing.
  ///   - program: coturn's, by name or path.
  package init(folder: String, program: String = "turnserver") {
    location = LabFolder(path: folder, program: program)
  }

  /// Has the lab running when it returns: starts it unless it does, and notes who wants it.
  ///
  /// `started` says whether it was not there before. Throws if it could not be started; nothing is left then. Throws
  /// ``LabError/Code/serverDied`` to a process if a lab is there that others want and a server of it is dead: they would lose the rest of
  /// it, and find other ports. A person gets a new one.
  @discardableResult
  package func up(for holder: LabHolder) async throws(LabError) -> (state: LabState, started: Bool) {
    let location = location
    let result: (state: LabState, started: Bool) = try await onBlockingThread { () throws(LabError) in
      try location.withLock { () throws(LabError) in
        if var state = location.state, state.isComplete, state.isWanted {
          state.add(holder)
          try location.save(state)
          return (state, false)
        }
        if case .process = holder, let state = location.state, let death = state.deathInUse { throw death }
        try location.sweep()
        return (try location.start(for: holder), true)
      }
    }
    return result
  }

  /// Notes that the holder wants it no longer, and stops it if nobody else does.
  package func release(_ holder: LabHolder) async throws(LabError) {
    let location = location
    try await onBlockingThread { () throws(LabError) in
      try location.withLock { () throws(LabError) in
        guard var state = location.state else { return try location.sweep() }
        state.remove(holder)
        if state.isWanted { try location.save(state) } else { try location.sweep() }
      }
    }
  }

  /// Stops it whoever wants it, and clears away what remained of one. Nothing to stop is no error.
  package func down() async throws(LabError) {
    let location = location
    try await onBlockingThread { () throws(LabError) in
      try location.withLock { () throws(LabError) in try location.sweep() }
    }
  }

  /// What there is of it now. Changes nothing.
  package func status() -> Status {
    guard let state = location.state else { return location.exists ? .remains : .down }
    return state.isComplete && state.isWanted ? .up(state) : .remains
  }
}
