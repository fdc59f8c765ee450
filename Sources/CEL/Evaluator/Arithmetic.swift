/// `+`, `-`, `*`, `/` and `%`.
final class ArithmeticNode: EvaluationNode {
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

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try frame.meter.charge(1)
    let first = try left.evaluate(&frame)
    let second = try right.evaluate(&frame)
    do throws(EvaluationError) {
      switch (first, second) {
      case (.int(let a), .int(let b)): return .int(try integers(a, b))
      case (.double(let a), .double(let b)):
        if let result = doubles(a, b) { return .double(result) }
      case (.uint(let a), .uint(let b)): return .uint(try integers(a, b))
      default:
        if let result = try others(first, second, &frame.meter) { return result }
      }
    } catch {
      throw error.placed(at: range)
    }
    throw EvaluationError.noOverload(op.rawValue, [first, second]).placed(at: range)
  }

  private func integers<T: FixedWidthInteger>(_ left: T, _ right: T) throws(EvaluationError) -> T {
    let (result, overflow): (T, Bool)
    switch op {
    case .add: (result, overflow) = left.addingReportingOverflow(right)
    case .subtract: (result, overflow) = left.subtractingReportingOverflow(right)
    case .multiply: (result, overflow) = left.multipliedReportingOverflow(by: right)
    case .divide:
      if right == 0 { throw EvaluationError(.divisionByZero, "division by zero") }
      (result, overflow) = left.dividedReportingOverflow(by: right)
    default:
      if right == 0 { throw EvaluationError(.divisionByZero, "remainder of a division by zero") }
      (result, overflow) = left.remainderReportingOverflow(dividingBy: right)
    }
    if overflow { throw EvaluationError(.overflow, "'\(left) \(op.rawValue) \(right)' is out of range") }
    return result
  }

  private func doubles(_ left: Double, _ right: Double) -> Double? {
    switch op {
    case .add: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .divide: left / right
    default: nil
    }
  }

  private func others(_ left: CELValue, _ right: CELValue, _ meter: inout CostMeter) throws(EvaluationError)
    -> CELValue?
  {
    switch (op, left, right) {
    case (.add, .string(let a), .string(let b)):
      try meter.charge((a.utf8.count + b.utf8.count) / 10)
      return .string(a + b)
    case (.add, .bytes(let a), .bytes(let b)):
      try meter.charge((a.count + b.count) / 10)
      return .bytes(a + b)
    case (.add, .list(let a), .list(let b)):
      try meter.charge(a.count + b.count)
      return .list(a + b)
    case (.add, .timestamp(let time), .duration(let span)), (.add, .duration(let span), .timestamp(let time)):
      return .timestamp(try inRange(time.adding(span), "timestamp"))
    case (.subtract, .timestamp(let time), .duration(let span)):
      let (negated, overflow) = Int64(0).subtractingReportingOverflow(span.nanoseconds)
      return .timestamp(try inRange(overflow ? nil : time.adding(CELDuration(nanoseconds: negated)), "timestamp"))
    case (.subtract, .timestamp(let a), .timestamp(let b)): return .duration(try inRange(a.since(b), "duration"))
    case (.add, .duration(let a), .duration(let b)):
      let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
      return .duration(try inRange(overflow ? nil : CELDuration(nanoseconds: sum), "duration"))
    case (.subtract, .duration(let a), .duration(let b)):
      let (difference, overflow) = a.nanoseconds.subtractingReportingOverflow(b.nanoseconds)
      return .duration(try inRange(overflow ? nil : CELDuration(nanoseconds: difference), "duration"))
    default: return nil
    }
  }

  private func inRange<T>(_ value: T?, _ type: String) throws(EvaluationError) -> T {
    guard let value else { throw EvaluationError(.overflow, "the \(type) is out of range") }
    return value
  }
}

/// `-` before a number.
final class NegateNode: EvaluationNode {
  let range: CELSourceRange
  private let operand: any EvaluationNode

  init(_ operand: any EvaluationNode, _ range: CELSourceRange) {
    self.operand = operand
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try frame.meter.charge(1)
    let value = try operand.evaluate(&frame)
    switch value {
    case .int(let number):
      let (result, overflow) = Int64(0).subtractingReportingOverflow(number)
      if overflow { throw EvaluationError(.overflow, "'-(\(number))' is out of range").placed(at: range) }
      return .int(result)
    case .double(let number): return .double(-number)
    default: throw EvaluationError.noOverload("-", [value]).placed(at: range)
    }
  }
}
