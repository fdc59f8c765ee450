extension Event {
  /// True where the event must be on the disk before anything else happens: the run's ends, and around every try that may
  /// act on the world, so that a crash cannot hide that it was begun.
  ///
  /// - Parameter effect: of the step that the event belongs to; nil where it is not known, which counts as acting.
  func mustBeDurable(effect: Effect?) -> Bool {
    switch self {
    case .runStarted, .runFinished, .journalRecovered: true
    case .stepIntent, .stepResult: effect.map { $0 > .observe } ?? true
    case .stepStarted, .stepWaiting, .stepFinished, .stepSkipped, .childStarted, .childFinished, .runSignalled,
      .runTimedOut, .clockStepped, .unknown:
      false
    }
  }
}
