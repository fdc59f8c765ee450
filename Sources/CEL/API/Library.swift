/// A set of functions and macros beyond the standard ones.
public enum Library: String, CaseIterable, Hashable, Sendable {
  /// `charAt`, `format`, `indexOf`, `join`, `split` and others on texts.
  case strings
  /// `math.greatest`, `math.round`, `math.bitAnd` and others.
  case math
  /// `optional.of`, `orValue`, `optMap` and others, and the syntax `a.?b`, `a[?b]`, `[?a]`, `{?a: b}`.
  case optionals
  /// `cel.bind(name, value, expression)`.
  case bindings
  /// `base64.encode`, `base64.decode`.
  case encoders
  /// `all(i, v, …)`, `exists(i, v, …)`, `existsOne`, `transformList`, `transformMap`, `transformMapEntry`.
  case twoVariableComprehensions
  /// `slice`, `flatten`, `distinct`, `reverse`, `sort`, `sortBy` and `lists.range`.
  case lists
  /// `sets.contains`, `sets.equivalent`, `sets.intersects`: lists as sets.
  case sets
  /// `ip`, `cidr` and their functions.
  case network
  /// The wrapper types of `google.protobuf` as far as literals go: `google.protobuf.Int32Value{value: 1}` is `1`.
  case wrappers
}
