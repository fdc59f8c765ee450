/// `optional.or(other)` and `optional.orValue(other)`: the other is evaluated only if the optional is empty.
final class AlternativeNode: EvaluationNode {
  let range: CELSourceRange
  private let name: String
  private let givesValue: Bool
  private let optional: any EvaluationNode
  private let other: any EvaluationNode

  init(
    _ name: String, givesValue: Bool, _ optional: any EvaluationNode, _ other: any EvaluationNode,
    _ range: CELSourceRange
  ) {
    self.name = name
    self.givesValue = givesValue
    self.optional = optional
    self.other = other
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try frame.meter.charge(1)
    let first = try optional.evaluate(&frame)
    guard case .optional(let wrapped) = first else {
      throw EvaluationError.noOverload(name, [first]).placed(at: range)
    }
    if let value = wrapped.value { return givesValue ? value : first }
    let second = try other.evaluate(&frame)
    if givesValue { return second }
    guard case .optional = second else {
      throw EvaluationError.noOverload(name, [first, second]).placed(at: range)
    }
    return second
  }
}
