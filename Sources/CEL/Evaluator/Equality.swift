/// The equality and order of the language.
enum Comparison {
  /// Whether two values are equal: numbers by value, whatever their types; values of different types never.
  static func areEqual(_ left: CELValue, _ right: CELValue, _ meter: inout CostMeter) throws(EvaluationError) -> Bool {
    try areEqual(left, right, &meter, depth: 0)
  }

  /// How deep lists, maps and records may be nested in values that are compared or formatted: values of the host may be of
  /// any depth, the stack is not.
  static let greatestDepth = 100

  static func checkDepth(_ depth: Int) throws(EvaluationError) {
    if depth > greatestDepth {
      throw EvaluationError(.overflow, "the value is nested deeper than \(greatestDepth) levels")
    }
  }

  private static func areEqual(_ left: CELValue, _ right: CELValue, _ meter: inout CostMeter, depth: Int)
    throws(EvaluationError) -> Bool
  {
    switch (left, right) {
    case (.int(let a), .int(let b)): return a == b
    case (.string(let a), .string(let b)):
      try meter.charge(Swift.min(a.utf8.count, b.utf8.count) / 10)
      return a.hasSameCodePoints(as: b)
    case (.bool(let a), .bool(let b)): return a == b
    case (.double(let a), .double(let b)): return a == b
    case (.uint(let a), .uint(let b)): return a == b
    case (.int, .uint), (.int, .double), (.uint, .int), (.uint, .double), (.double, .int), (.double, .uint):
      return order(left, right) == 0
    case (.bytes(let a), .bytes(let b)):
      try meter.charge(Swift.min(a.count, b.count) / 10)
      return a == b
    case (.list(let a), .list(let b)): return try areEqual(a, b, &meter, depth: depth + 1)
    case (.map(let a), .map(let b)): return try areEqual(a, b, &meter, depth: depth + 1)
    case (.optional(let a), .optional(let b)):
      try checkDepth(depth)
      guard let first = a.value, let second = b.value else { return (a.value == nil) == (b.value == nil) }
      return try areEqual(first, second, &meter, depth: depth + 1)
    case (.record(let a), .record(let b)): return try areEqual(a, b, &meter, depth: depth + 1)
    case (.opaque(let a), .opaque(let b)): return a == b
    case (.null, .null): return true
    case (.timestamp(let a), .timestamp(let b)): return a == b
    case (.duration(let a), .duration(let b)): return a == b
    case (.type(let a), .type(let b)): return a.name == b.name
    default: return false
    }
  }

  private static func areEqual(_ left: [CELValue], _ right: [CELValue], _ meter: inout CostMeter, depth: Int)
    throws(EvaluationError) -> Bool
  {
    try checkDepth(depth)
    guard left.count == right.count else { return false }
    for position in left.indices {
      try meter.charge(1)
      if try !areEqual(left[position], right[position], &meter, depth: depth) { return false }
    }
    return true
  }

  private static func areEqual(_ left: CELMap, _ right: CELMap, _ meter: inout CostMeter, depth: Int)
    throws(EvaluationError)
    -> Bool
  {
    try checkDepth(depth)
    guard left.count == right.count else { return false }
    for (key, value) in zip(left.keys, left.values) {
      try meter.charge(1)
      guard let other = right[key], try areEqual(value, other, &meter, depth: depth) else { return false }
    }
    return true
  }

  private static func areEqual(_ left: CELRecord, _ right: CELRecord, _ meter: inout CostMeter, depth: Int)
    throws(EvaluationError)
    -> Bool
  {
    try checkDepth(depth)
    guard left.type.name == right.type.name, left.fields.count == right.fields.count else { return false }
    for (first, second) in zip(left.fields, right.fields) {
      try meter.charge(1)
      guard let first, let second else {
        if first == nil, second == nil { continue }
        return false
      }
      if try !areEqual(first, second, &meter, depth: depth) { return false }
    }
    return true
  }

  /// Negative, zero or positive for less, equal, greater; `nil` when the values have no order, as with NaN.
  static func order(_ left: CELValue, _ right: CELValue) -> Int? {
    switch (left, right) {
    case (.int(let a), .int(let b)): order(a, b)
    case (.double(let a), .double(let b)): order(a, b)
    case (.uint(let a), .uint(let b)): order(a, b)
    case (.int(let a), .double(let b)): order(Double(a), b)
    case (.double(let a), .int(let b)): order(a, Double(b))
    case (.uint(let a), .double(let b)): order(Double(a), b)
    case (.double(let a), .uint(let b)): order(a, Double(b))
    case (.int(let a), .uint(let b)): a < 0 ? -1 : order(UInt64(a), b)
    case (.uint(let a), .int(let b)): b < 0 ? 1 : order(a, UInt64(b))
    default: nil
    }
  }

  @inline(__always)
  static func order<T: Comparable>(_ left: T, _ right: T) -> Int? {
    left < right ? -1 : left > right ? 1 : left == right ? 0 : nil
  }
}

/// `==` and `!=`.
final class EqualityNode: ConditionNode {
  let range: CELSourceRange
  private let left: any EvaluationNode
  private let right: any EvaluationNode
  private let isNegated: Bool

  init(isNegated: Bool, _ left: any EvaluationNode, _ right: any EvaluationNode, _ range: CELSourceRange) {
    self.isNegated = isNegated
    self.left = left
    self.right = right
    self.range = range
  }

  func condition(_ frame: inout Frame) throws(EvaluationError) -> Bool {
    try frame.meter.charge(1)
    let first = try left.evaluate(&frame)
    let second = try right.evaluate(&frame)
    do throws(EvaluationError) {
      return try Comparison.areEqual(first, second, &frame.meter) != isNegated
    } catch {
      throw error.placed(at: range)
    }
  }
}

/// `<`, `<=`, `>` and `>=`.
final class OrderNode: ConditionNode {
  let range: CELSourceRange
  private let left: any EvaluationNode
  private let right: any EvaluationNode
  private let op: CELExpression.BinaryOperator

  init(
    _ op: CELExpression.BinaryOperator, _ left: any EvaluationNode, _ right: any EvaluationNode, _ range: CELSourceRange
  ) {
    self.op = op
    self.left = left
    self.right = right
    self.range = range
  }

  func condition(_ frame: inout Frame) throws(EvaluationError) -> Bool {
    try frame.meter.charge(1)
    let first = try left.evaluate(&frame)
    let second = try right.evaluate(&frame)
    switch (first, second) {
    case (.int(let a), .int(let b)): return holds(a, b)
    case (.double(let a), .double(let b)): return holds(a, b)
    case (.uint(let a), .uint(let b)): return holds(a, b)
    case (.duration(let a), .duration(let b)): return holds(a, b)
    case (.timestamp(let a), .timestamp(let b)): return holds(a, b)
    case (.string(let a), .string(let b)):
      try frame.meter.charge(Swift.min(a.utf8.count, b.utf8.count) / 10)
      return holds(a.hasSameCodePoints(as: b) ? 0 : a.precedes(b) ? -1 : 1, 0)
    case (.bytes(let a), .bytes(let b)):
      try frame.meter.charge(Swift.min(a.count, b.count) / 10)
      return holds(a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1, 0)
    case (.bool(let a), .bool(let b)): return holds(a ? 1 : 0, b ? 1 : 0)
    case (.int, .uint), (.int, .double), (.uint, .int), (.uint, .double), (.double, .int), (.double, .uint):
      guard let order = Comparison.order(first, second) else { return false }
      return holds(order, 0)
    default: throw EvaluationError.noOverload(op.rawValue, [first, second]).placed(at: range)
    }
  }

  @inline(__always)
  private func holds<T: Comparable>(_ left: T, _ right: T) -> Bool {
    switch op {
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    default: left >= right
    }
  }
}

extension EvaluationError {
  /// An operator or function does not take such values.
  static func noOverload(_ name: String, _ values: [CELValue]) -> EvaluationError {
    EvaluationError(
      .noSuchOverload, "'\(name)' does not take (\(values.map(\.type.name).joined(separator: ", ")))")
  }
}
