package import Journal
package import Language

/// A run as far as its journal tells it: what a new process goes on from.
package struct RunReplay: Sendable {
  package private(set) var machine: RunMachine
  /// From the run's start to the last event. Where the host was restarted between two events, the wall clock tells; one that
  /// went back does not take time away.
  package private(set) var elapsed = Duration.zero
  /// The first signal that asked the run to end; nil if none did.
  package private(set) var signal: Int?

  /// - Parameters:
  ///   - events: from `run.started` on.
  ///   - plan: made from the same files, parameters and target.
  package init(_ events: [RecordedEvent], plan: Plan, run: String) {
    machine = RunMachine(plan: plan, run: run)
    let retried = events.lastIndex { $0.event.retry != nil }
    var last = events.first?.moment
    for (index, recorded) in events.enumerated() {
      if let last { elapsed += recorded.moment.time(since: last) }
      last = recorded.moment
      if let retried, index < retried { continue }
      if index == retried, let retry = recorded.event.retry {
        machine.keep(events[..<index].standing.without(retry), at: elapsed)
      }
      machine.apply(recorded.event, wall: recorded.moment.wall, at: elapsed)
      if case .runSignalled(let signalled) = recorded.event { signal = signal ?? signalled.signal }
    }
  }
}
