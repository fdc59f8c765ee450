/// When an event must be on the disk.
package enum Durability: Hashable, Sendable {
  /// Whenever the disk gets to it: it can be told from other events, or nothing depends on it.
  case eventually
  /// Before anything else happens.
  case always
  /// Before anything else happens, for a step that does more than observe: a crash must not hide that it was begun.
  case whenActing
}

extension Event {
  /// True where the event must be on the disk before anything else happens.
  ///
  /// - Parameter effect: of the step that the event belongs to; nil where it is not known, which counts as acting.
  func mustBeDurable(effect: Effect?) -> Bool {
    switch durability {
    case .eventually: false
    case .always: true
    case .whenActing: effect.map { $0 > .observe } ?? true
    }
  }
}
