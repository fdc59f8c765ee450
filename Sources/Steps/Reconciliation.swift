package import Schema

/// What a module says of a beginning whose end is unknown.
package enum Reconciliation: Hashable, Sendable {
  /// It took effect, with this output where it can still be told.
  case done(Value?)
  /// It did nothing; it may be begun again.
  case notDone
  /// It cannot be told; a person decides.
  case unknown(String)
}
