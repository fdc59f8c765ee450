/// Whether a step may be begun again when it is not known how its first beginning ended.
package enum Repetition: String, Hashable, Sendable, CaseIterable {
  /// Doing it twice is as good as doing it once.
  case idempotent
  /// It is never begun twice, unless the module's reconcile says that the first beginning did nothing.
  case atMostOnce
}
