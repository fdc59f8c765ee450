/// A value known when the expression was compiled.
final class ConstantNode: EvaluationNode {
  let range: CELSourceRange
  let value: CELValue

  init(_ value: CELValue, _ range: CELSourceRange) {
    self.value = value
    self.range = range
  }

  var constant: CELValue? { value }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue { value }
}

/// A variable of the environment.
final class VariableNode: EvaluationNode {
  let range: CELSourceRange
  private let variable: Variable

  init(_ variable: Variable, _ range: CELSourceRange) {
    self.variable = variable
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    do throws(EvaluationError) {
      if let value = try frame.activation.value(of: variable) { return value }
    } catch {
      throw error.placed(at: range)
    }
    throw EvaluationError(.noValue, "'\(variable.name)' has no value").placed(at: range)
  }
}

/// A variable of a macro.
final class LocalNode: EvaluationNode {
  let range: CELSourceRange
  private let slot: Int

  init(_ slot: Int, _ range: CELSourceRange) {
    self.slot = slot
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    if !frame.failures.isEmpty, let failure = frame.failures[slot] { throw failure }
    return frame.locals[slot]
  }
}

/// A name or function that was not found, in a program made without a check.
final class FailingNode: EvaluationNode {
  let range: CELSourceRange
  private let error: EvaluationError

  init(_ error: EvaluationError, _ range: CELSourceRange) {
    self.error = error.placed(at: range)
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue { throw error }
}

/// `cel.bind`: that the value fails is an error only if the name is read.
///
/// The value is evaluated beforehand all the same, once: evaluated where the name is read, values of values would nest
/// deeper than the expression does, and the stack with them.
final class BindNode: EvaluationNode {
  let range: CELSourceRange
  private let slot: Int
  private let value: any EvaluationNode
  private let body: any EvaluationNode

  init(slot: Int, value: any EvaluationNode, body: any EvaluationNode, _ range: CELSourceRange) {
    self.slot = slot
    self.value = value
    self.body = body
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    do throws(EvaluationError) {
      frame.locals[slot] = try value.evaluate(&frame)
    } catch {
      if error.code == .costExceeded { throw error }
      frame.failures[slot] = error
    }
    defer { frame.failures[slot] = nil }
    return try body.evaluate(&frame)
  }
}

/// Notes the value of a node.
final class TraceNode: EvaluationNode {
  private let id: Int
  private let node: any EvaluationNode

  init(_ id: Int, _ node: any EvaluationNode) {
    self.id = id
    self.node = node
  }

  var range: CELSourceRange { node.range }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    let value = try node.evaluate(&frame)
    frame.trace[id] = value
    return value
  }
}
