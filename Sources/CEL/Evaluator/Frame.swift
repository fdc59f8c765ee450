/// The state of one evaluation.
struct Frame {
  let activation: any Activation
  /// The values of the macros' variables, by the positions the planner gave them.
  var locals: [CELValue]
  /// Why variables of `cel.bind` have no value, by their positions: an error only if one is read.
  var failures: [Int: EvaluationError] = [:]
  var meter: CostMeter
  var recordsAbsorbed = false
  var absorbed: [EvaluationError] = []
  var trace: [Int: CELValue] = [:]

  init(activation: some Activation, plan: EvaluationPlan, costLimit: Int) {
    self.activation = activation
    locals = plan.localCount == 0 ? [] : Array(repeating: .null, count: plan.localCount)
    meter = CostMeter(limit: costLimit)
  }

  /// Notes an error that another operand or element made irrelevant.
  mutating func absorb(_ error: EvaluationError) {
    if recordsAbsorbed { absorbed.append(error) }
  }
}

/// A tree of nodes ready to be evaluated.
struct EvaluationPlan: Sendable {
  let root: any EvaluationNode
  /// How many variables of macros are alive at once.
  let localCount: Int
}

/// Something that can be evaluated.
protocol EvaluationNode: AnyObject, Sendable {
  var range: CELSourceRange { get }
  /// The value, when it is known beforehand.
  var constant: CELValue? { get }
  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue
  /// The value, which must be true or false.
  func condition(_ frame: inout Frame) throws(EvaluationError) -> Bool
}

extension EvaluationNode {
  var constant: CELValue? { nil }

  func condition(_ frame: inout Frame) throws(EvaluationError) -> Bool {
    let value = try evaluate(&frame)
    guard case .bool(let flag) = value else {
      throw EvaluationError(.noSuchOverload, "a bool is due, not a value of type \(value.type.name)").placed(at: range)
    }
    return flag
  }
}

/// A node whose value is true or false.
protocol ConditionNode: EvaluationNode {}

extension ConditionNode {
  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue { .bool(try condition(&frame)) }
}
