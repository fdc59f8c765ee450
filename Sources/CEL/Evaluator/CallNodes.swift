/// A call of a function.
final class CallNode: EvaluationNode {
  let range: CELSourceRange
  private let name: String
  private let overloads: [Overload]
  private let arguments: [any EvaluationNode]

  init(_ name: String, _ overloads: [Overload], _ arguments: [any EvaluationNode], _ range: CELSourceRange) {
    self.name = name
    self.overloads = overloads
    self.arguments = arguments
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    do throws(EvaluationError) {
      try frame.meter.charge(1)
      switch arguments.count {
      case 1: return try unary(arguments[0].evaluate(&frame), &frame.meter)
      case 2: return try binary(arguments[0].evaluate(&frame), arguments[1].evaluate(&frame), &frame.meter)
      default:
        var values: [CELValue] = []
        values.reserveCapacity(arguments.count)
        for argument in arguments { values.append(try argument.evaluate(&frame)) }
        return try variadic(values, &frame.meter)
      }
    } catch {
      throw error.placed(at: range)
    }
  }

  private func unary(_ value: CELValue, _ meter: inout CostMeter) throws(EvaluationError) -> CELValue {
    for overload in overloads where overload.parameters.count == 1 && value.isKind(of: overload.parameters[0]) {
      try meter.charge(value.traversalCost)
      if case .unary(let body) = overload.implementation { return try body(value) }
      return try overload.implementation.call([value], &meter)
    }
    return try variadic([value], &meter)
  }

  private func binary(_ first: CELValue, _ second: CELValue, _ meter: inout CostMeter) throws(EvaluationError)
    -> CELValue
  {
    for overload in overloads
    where overload.parameters.count == 2 && first.isKind(of: overload.parameters[0])
      && second.isKind(of: overload.parameters[1])
    {
      try meter.charge(first.traversalCost + second.traversalCost)
      if case .binary(let body) = overload.implementation { return try body(first, second) }
      return try overload.implementation.call([first, second], &meter)
    }
    return try variadic([first, second], &meter)
  }

  private func variadic(_ values: [CELValue], _ meter: inout CostMeter) throws(EvaluationError) -> CELValue {
    for overload in overloads {
      guard let parameters = overload.parameters(for: values.count) else { continue }
      guard zip(values, parameters).allSatisfy({ $0.isKind(of: $1) }) else { continue }
      for value in values { try meter.charge(value.traversalCost) }
      return try overload.implementation.call(values, &meter)
    }
    throw EvaluationError.noOverload(name, values)
  }
}

extension Overload {
  /// The types of so many arguments; `nil` when it does not take as many.
  func parameters(for count: Int) -> [CELType]? {
    if parameters.count == count { return parameters }
    guard isVariadic, let last = parameters.last, count > parameters.count else { return nil }
    return parameters + Array(repeating: last, count: count - parameters.count)
  }
}

extension Overload.Implementation {
  /// Calls it; an implementation for another number of arguments has no such overload.
  func call(_ arguments: [CELValue], _ meter: inout CostMeter) throws(EvaluationError) -> CELValue {
    switch self {
    case .unary(let body) where arguments.count == 1: return try body(arguments[0])
    case .binary(let body) where arguments.count == 2: return try body(arguments[0], arguments[1])
    case .variadic(let body): return try body(arguments)
    case .metered(let body): return try body(&meter, arguments)
    default: throw EvaluationError(.noSuchOverload, "the function has no implementation for such arguments")
    }
  }
}

extension CELValue {
  /// Whether the value is of the kind of `type`; elements are not looked at.
  @inline(__always)
  func isKind(of type: CELType) -> Bool {
    switch (type, self) {
    case (.dyn, _), (.parameter, _): true
    case (.string, .string), (.int, .int), (.bool, .bool), (.double, .double), (.uint, .uint), (.list, .list),
      (.map, .map), (.bytes, .bytes), (.timestamp, .timestamp), (.duration, .duration), (.null, .null),
      (.optional, .optional), (.type, .type):
      true
    case (.record(let name), .record(let record)): record.type.name == name
    case (.opaque(let name, _), .opaque(let value)): value.typeName == name
    case (.record, .null), (.opaque, .null): true
    default: false
    }
  }

  /// What it costs a function to look at the value.
  var traversalCost: Int {
    switch self {
    case .string(let text): text.utf8.count / 10
    case .bytes(let octets): octets.count / 10
    case .list(let values): values.count
    case .map(let map): map.count
    default: 0
    }
  }
}
