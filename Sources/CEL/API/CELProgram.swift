/// An expression ready to be evaluated, any number of times, from any thread.
public final class CELProgram: Sendable {
  /// The expression as it was parsed.
  public let parsed: ParsedExpression
  /// The checked expression; `nil` for a program made without a check.
  public let checked: CheckedExpression?
  private let environment: CELEnvironment
  private let plan: EvaluationPlan

  init(environment: CELEnvironment, parsed: ParsedExpression, checked: CheckedExpression?) {
    self.environment = environment
    self.parsed = parsed
    self.checked = checked
    plan = Planner(environment: environment, parsed: parsed, checked: checked, isTracing: false).plan(parsed.root)
  }

  /// A plan whose nodes note their values; made anew each time, for it is seldom needed.
  private func makeTracingPlan() -> EvaluationPlan {
    Planner(environment: environment, parsed: parsed, checked: checked, isTracing: true).plan(parsed.root)
  }

  /// The text of the expression.
  public var source: String { parsed.source }

  /// The type of the result; `dyn` for a program made without a check.
  public var type: CELType { checked?.type ?? .dyn }

  /// What every evaluation gives, when it depends on no variable and no impure function; computed anew each time.
  public var constantResult: Result<CELValue, EvaluationError>? {
    guard checked?.isConstant == true else { return nil }
    do throws(EvaluationError) {
      return .success(try evaluate())
    } catch {
      return .failure(error)
    }
  }

  /// The value that every evaluation gives, when it depends on no variable and no impure function, and is no error.
  public var constantValue: CELValue? { try? constantResult?.get() }

  /// The value of the expression.
  ///
  /// - Throws: why there is none, and where in the source.
  public func evaluate(_ activation: some Activation) throws(EvaluationError) -> CELValue {
    var frame = Frame(activation: activation, plan: plan, costLimit: environment.limits.cost)
    return try plan.root.evaluate(&frame)
  }

  /// The value of an expression without variables.
  public func evaluate() throws(EvaluationError) -> CELValue {
    try evaluate(SlotActivation([]))
  }

  /// Evaluates, and gives besides the value what it cost and which errors were absorbed; on request the values of all
  /// sub-expressions.
  ///
  /// An error is absorbed when one operand of `||` or `&&`, or one element of `all` or `exists`, failed and another one
  /// decided. What was never evaluated, because an earlier operand decided, is no error.
  public func observe(_ activation: some Activation, tracing: Bool = false) -> Observation {
    let plan = tracing ? makeTracingPlan() : self.plan
    var frame = Frame(activation: activation, plan: plan, costLimit: environment.limits.cost)
    frame.recordsAbsorbed = true
    let result: Result<CELValue, EvaluationError>
    do throws(EvaluationError) {
      result = .success(try plan.root.evaluate(&frame))
    } catch {
      result = .failure(error)
    }
    return Observation(result: result, absorbed: frame.absorbed, cost: frame.meter.spent, trace: frame.trace)
  }
}

/// What ``CELProgram/observe(_:tracing:)`` saw.
public struct Observation: Sendable {
  /// The value, or why there is none.
  public let result: Result<CELValue, EvaluationError>
  /// The errors that made no difference to the value, in the order in which they came up.
  public let absorbed: [EvaluationError]
  /// What the evaluation cost, in the units of ``CELLimits/cost``.
  public let cost: Int
  /// The values of the nodes that were evaluated and did not fail, by ``Expression/id``; of a node that was evaluated
  /// more than once, the last one. Empty unless it was asked for.
  public let trace: [Int: CELValue]
}
