/// Counts what an evaluation costs, and stops it at the limit.
public struct CostMeter: Sendable {
  /// What was spent so far.
  public private(set) var spent = 0
  private let limit: Int

  init(limit: Int) {
    self.limit = limit
  }

  /// Adds units; throws ``EvaluationError/Code/costExceeded`` beyond the limit. A function whose result may be much
  /// larger than its arguments charges before it makes it.
  @inline(__always)
  public mutating func charge(_ units: Int) throws(EvaluationError) {
    let (sum, overflow) = spent.addingReportingOverflow(units)
    spent = overflow ? Int.max : sum
    if spent > limit { throw Self.exceeded(limit) }
  }

  @inline(never)
  private static func exceeded(_ limit: Int) -> EvaluationError {
    EvaluationError(.costExceeded, "the evaluation costs more than \(limit) units")
  }
}

/// One way to call a function: the types it takes, the type it gives, and what it does.
///
/// Types may hold parameters (`.parameter("T")`), which a call binds. Arguments are of the declared kinds when the
/// implementation is called; of lists, maps and optionals the elements are not looked at beforehand.
public struct Overload: Sendable {
  /// What an overload does.
  public enum Implementation: Sendable {
    /// Takes one argument; of a member function the receiver.
    case unary(@Sendable (CELValue) throws(EvaluationError) -> CELValue)
    /// Takes two arguments; of a member function the receiver is the first.
    case binary(@Sendable (CELValue, CELValue) throws(EvaluationError) -> CELValue)
    /// Takes any number of arguments; of a member function the receiver is the first.
    case variadic(@Sendable ([CELValue]) throws(EvaluationError) -> CELValue)
    /// Takes any number of arguments and charges what it costs.
    case metered(@Sendable (inout CostMeter, [CELValue]) throws(EvaluationError) -> CELValue)
    /// Declared for checking only; a call fails.
    case none
  }

  /// A name for the overload that is its own, as `bytesize_string`.
  public let id: String
  /// The types of the arguments; of a member function the receiver's is the first.
  public let parameters: [CELType]
  /// The type of the result.
  public let result: CELType
  /// Whether it is called as `x.f(y)` rather than `f(x, y)`.
  public let isMember: Bool
  /// Whether equal arguments always give equal results, so that a call with constant arguments is computed once.
  public let isPure: Bool
  /// Whether the last argument may be repeated.
  public let isVariadic: Bool
  /// What it does.
  public let implementation: Implementation
  /// Looks at the arguments that are literals (`nil` for those that are not) when an expression is checked.
  public let validation: (@Sendable ([CELValue?]) throws(EvaluationError) -> Void)?

  /// Declares an overload.
  ///
  /// A pure overload whose arguments are all literals is called when the expression is checked; when it throws, that is
  /// a ``CELProblem/Code/invalidConstant`` at the argument, with the error's message: `bytesize('64 parsecs')` does not
  /// compile. `validation` does the same for calls of which only some arguments are literals.
  public init(
    _ id: String, _ parameters: [CELType], _ result: CELType, isMember: Bool = false, isPure: Bool = true,
    isVariadic: Bool = false, implementation: Implementation,
    validation: (@Sendable ([CELValue?]) throws(EvaluationError) -> Void)? = nil
  ) {
    self.id = id
    self.parameters = parameters
    self.result = result
    self.isMember = isMember
    self.isPure = isPure
    self.isVariadic = isVariadic
    self.implementation = implementation
    self.validation = validation
  }
}
