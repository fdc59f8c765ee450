package import Schema

/// How a container is: what it does, times what its health check says, and whether it stays at that.
package enum ContainerCondition: String, Hashable, Sendable, CaseIterable {
  /// It was made, and has never been started.
  case created
  /// It runs, and its health check has not come to a result yet.
  case starting
  /// It runs, and has no health check.
  case running
  case healthy
  case unhealthy
  /// It is started again and again.
  case flapping
  case paused
  case exited
  case dead
  case removing
  case other
}

/// Looks at one container several times, until it has run without a break for as long as a window.
///
/// One look proves nothing: between two crashes a container reads `running`, with exit code 0.
package struct ContainerWatch: Sendable {
  package enum Verdict: Hashable, Sendable {
    case settled(ContainerCondition)
    /// Look once more, no sooner than this.
    case open(Duration)
  }

  private let window: Duration
  private var first: (container: Container, at: ContinuousClock.Instant)?

  package init(window: Duration) { self.window = window }

  /// Takes one look.
  ///
  /// - Parameters:
  ///   - time: the engine's clock; nil if it does not tell.
  ///   - now: when we looked.
  package mutating func take(
    _ container: Container, time: Timestamp?, at now: ContinuousClock.Instant
  ) -> Verdict {
    let first = self.first ?? (container, now)
    self.first = first
    if container.status == .restarting || container.restarts != first.container.restarts
      || container.isRunning && container.startedAt != first.container.startedAt
    {
      return .settled(.flapping)
    }
    guard container.status == .running else { return .settled(condition(of: container)) }
    let watched = first.at.duration(to: now)
    // How long it has run counts as if we had watched. A clock that was set since makes it negative, or says nothing.
    let age = time.flatMap { time in container.startedAt.map { time.duration(since: $0) } } ?? .zero
    let left = window - max(age, watched)
    guard left > .zero else { return .settled(condition(of: container)) }
    return .open(min(left, .milliseconds(500)))
  }

  private func condition(of container: Container) -> ContainerCondition {
    switch container.status {
    case .created: .created
    case .running:
      switch container.health {
      case nil: .running
      case .starting: .starting
      case .healthy: .healthy
      case .unhealthy: .unhealthy
      }
    case .paused: .paused
    case .restarting: .flapping
    case .removing: .removing
    case .exited: .exited
    case .dead: .dead
    case .other: .other
    }
  }
}
