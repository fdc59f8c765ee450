/// `&&` and `||`: an operand that decides makes an error of the other irrelevant.
final class LogicNode: ConditionNode {
  let range: CELSourceRange
  private let left: any EvaluationNode
  private let right: any EvaluationNode
  /// The value of an operand that decides: true for `||`, false for `&&`.
  private let deciding: Bool

  init(deciding: Bool, _ left: any EvaluationNode, _ right: any EvaluationNode, _ range: CELSourceRange) {
    self.deciding = deciding
    self.left = left
    self.right = right
    self.range = range
  }

  func condition(_ frame: inout Frame) throws(EvaluationError) -> Bool {
    try frame.meter.charge(1)
    do throws(EvaluationError) {
      if try left.condition(&frame) == deciding { return deciding }
    } catch {
      return try decideByRight(&frame, error)
    }
    return try right.condition(&frame)
  }

  private func decideByRight(_ frame: inout Frame, _ error: EvaluationError) throws(EvaluationError) -> Bool {
    if error.code == .costExceeded { throw error }
    var isDecided = false
    do throws(EvaluationError) {
      isDecided = try right.condition(&frame) == deciding
    } catch let second {
      if second.code == .costExceeded { throw second }
    }
    guard isDecided else { throw error }
    frame.absorb(error)
    return deciding
  }
}

/// `!`.
final class NotNode: ConditionNode {
  let range: CELSourceRange
  private let operand: any EvaluationNode

  init(_ operand: any EvaluationNode, _ range: CELSourceRange) {
    self.operand = operand
    self.range = range
  }

  func condition(_ frame: inout Frame) throws(EvaluationError) -> Bool {
    try frame.meter.charge(1)
    return try !operand.condition(&frame)
  }
}

/// `?:`.
final class ConditionalNode: EvaluationNode {
  let range: CELSourceRange
  private let test: any EvaluationNode
  private let first: any EvaluationNode
  private let second: any EvaluationNode

  init(_ test: any EvaluationNode, _ first: any EvaluationNode, _ second: any EvaluationNode, _ range: CELSourceRange) {
    self.test = test
    self.first = first
    self.second = second
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try frame.meter.charge(1)
    return try test.condition(&frame) ? try first.evaluate(&frame) : try second.evaluate(&frame)
  }
}
