extension Checker {
  // MARK: Operators

  mutating func binary(
    _ node: CELExpression, _ op: CELExpression.BinaryOperator, _ left: CELExpression, _ right: CELExpression
  ) -> CELType {
    switch op {
    case .and, .or:
      require(left, .bool, "'\(op.rawValue)'")
      require(right, .bool, "'\(op.rawValue)'")
      return .bool
    case .equal, .notEqual:
      let name = StandardOperators.name(of: op)
      // What the overload (A, A) asks for, without making a parameter for it.
      guard substitution.assign(type(of: right), to: type(of: left)) else {
        return overloaded(node, name, [left, right], symbol: op.rawValue)
      }
      refer(node, to: .function(name: name, overloads: [op == .equal ? "equals" : "not_equals"]))
      return .bool
    default: return overloaded(node, StandardOperators.name(of: op), [left, right], symbol: op.rawValue)
    }
  }

  /// Checks the use of an operator.
  mutating func overloaded(_ node: CELExpression, _ name: String, _ operands: [CELExpression], symbol: String)
    -> CELType
  {
    let types = operands.map { type(of: $0) }
    let overloads = StandardOperators.overloads[name] ?? []
    if let result = resolve(overloads, types, node, name: name) { return result }
    let shown = types.map { show($0) }.joined(separator: ", ")
    report(
      .noMatchingOverload, "'\(symbol)' does not take (\(shown))", node.range,
      about: .call(symbol, types.map { known($0) }))
    return overloads.first.map { $0.result == .bool ? .bool : .dyn } ?? .dyn
  }

  mutating func conditional(_ condition: CELExpression, _ first: CELExpression, _ second: CELExpression) -> CELType {
    require(condition, .bool, "the condition of '?:'")
    let firstType = type(of: first)
    let secondType = type(of: second)
    if substitution.assign(secondType, to: firstType) {
      return substitution.moreGeneral(substitution.apply(firstType), substitution.apply(secondType))
    }
    report(
      .typeMismatch, "the branches of '?:' are of types \(show(firstType)) and \(show(secondType))",
      first.range.through(second.range))
    return .dyn
  }

  mutating func index(
    _ node: CELExpression, _ operand: CELExpression, _ index: CELExpression, _ isOptional: Bool
  ) -> CELType {
    let operandType = type(of: operand)
    let indexType = type(of: index)
    var container = substitution.apply(operandType)
    var givesOptional = isOptional
    if case .optional(let wrapped) = container {
      container = substitution.apply(wrapped)
      givesOptional = true
    }
    let element: CELType
    switch container {
    case .list(let type) where substitution.assign(indexType, to: .int): element = type
    case .map(let key, let value) where substitution.assign(indexType, to: key): element = value
    case .dyn: element = .dyn
    case .parameter:
      _ = substitution.assign(.dyn, to: container)
      element = .dyn
    default:
      report(
        .noMatchingOverload, "'[]' does not take (\(show(operandType)), \(show(indexType)))", node.range,
        about: .call("[]", [known(operandType), known(indexType)]))
      return .dyn
    }
    if case .optional = element { return element }
    return givesOptional ? .optional(element) : element
  }

  // MARK: Functions

  /// The function that a call means, the overloads it has, and the arguments; for a member function with the receiver.
  func callee(_ target: CELExpression?, _ function: String, _ arguments: [CELExpression])
    -> (name: String, overloads: [Overload], operands: [CELExpression])
  {
    let prefix = target.flatMap { qualifiedName($0) }
    if let full = target == nil ? function : prefix.map({ "\($0).\(function)" }) {
      for name in environment.candidates(for: full) {
        if let overloads = environment.functions[name] { return (name, overloads.filter { !$0.isMember }, arguments) }
      }
    }
    guard let target else { return (function, [], arguments) }
    return (function, environment.functions[function]?.filter(\.isMember) ?? [], [target] + arguments)
  }

  mutating func call(
    _ node: CELExpression, _ target: CELExpression?, _ function: CELExpression.Name, _ arguments: [CELExpression]
  ) -> CELType {
    let (name, overloads, operands) = callee(target, function.text, arguments)
    let types = operands.map { type(of: $0) }
    guard !overloads.isEmpty else {
      reportUnknown(function, isMember: operands.count > arguments.count)
      return .dyn
    }
    if let result = resolve(overloads, types, node, name: name) {
      validate(overloads, node, operands)
      return result
    }
    let shown = types.map { show($0) }.joined(separator: ", ")
    var message = "'\(function.text)' does not take (\(shown))"
    if overloads.count <= 4 {
      let forms = overloads.map { "(\($0.parameters.map(\.description).joined(separator: ", ")))" }
      message += "; it takes \(forms.joined(separator: " or "))"
    }
    report(.noMatchingOverload, message, function.range, about: .call(function.text, types.map { known($0) }))
    let isCommon = overloads.allSatisfy { $0.result == overloads[0].result }
    return isCommon ? substitution.instantiate([overloads[0].result])[0] : .dyn
  }

  private mutating func reportUnknown(_ function: CELExpression.Name, isMember: Bool) {
    let known = environment.functions.filter { $0.value.contains { $0.isMember == isMember } }.keys
    let near = Suggestion.nearest(to: function.text, among: Array(known) + (isMember ? Self.macros : []))
    report(
      .undeclaredFunction, "undeclared function '\(function.text)'", function.range, about: .name(function.text),
      suggestion: near)
  }

  /// The type of the result when an overload takes the arguments. Overloads after the first that does are of account only
  /// where the types of the arguments are not all known.
  private mutating func resolve(
    _ overloads: [Overload], _ arguments: [CELType], _ node: CELExpression, name: String
  ) -> CELType? {
    let arguments = arguments.map { substitution.apply($0) }
    let isKnown = !arguments.contains(where: \.isUncertain)
    var result: CELType?
    var matched: [String] = []
    for overload in overloads {
      guard let parameters = overload.parameters(for: arguments.count) else { continue }
      let type: CELType
      switch CELType.areSimplyAssignable(arguments, to: parameters) {
      case false?: continue
      case true?: type = substitution.instantiate([overload.result])[0]
      case nil:
        let types = substitution.instantiate(parameters + [overload.result])
        guard substitution.assign(arguments, to: Array(types.dropLast())) else { continue }
        type = substitution.apply(types[types.count - 1])
      }
      matched.append(overload.id)
      if !overload.isPure { isPure = false }
      if let known = result {
        if known != type { result = .dyn }
      } else {
        result = type
      }
      if isKnown { break }
    }
    if result != nil { refer(node, to: .function(name: name, overloads: matched)) }
    return result
  }

  // MARK: Constant arguments

  /// Lets overloads look at arguments that are literals.
  private mutating func validate(_ overloads: [Overload], _ node: CELExpression, _ arguments: [CELExpression]) {
    guard environment.validatesConstants, let (matched, isOnlyOne) = matchedOverload(overloads, node) else { return }
    if case .none = matched.implementation { return }
    let constants = arguments.map(\.constantArgument)
    do throws(EvaluationError) {
      if let validation = matched.validation {
        try validation(constants)
      } else if isOnlyOne, matched.isPure, !constants.isEmpty,
        !constants.contains(where: { $0 == nil || $0 == .list([]) })
      {
        var meter = CostMeter(limit: environment.limits.cost)
        _ = try matched.implementation.call(constants.compactMap { $0 }, &meter)
      }
    } catch {
      if error.code == .costExceeded { return }
      let literals = arguments.filter { $0.constantArgument != nil }
      let place = literals.last?.range ?? node.range
      report(.invalidConstant, error.message, arguments.count == 1 ? place : node.range)
    }
  }

  /// The first overload that takes the arguments, and whether it is the only one.
  private func matchedOverload(_ overloads: [Overload], _ node: CELExpression) -> (Overload, isOnlyOne: Bool)? {
    guard case .function(_, let ids)? = reference(node) else { return nil }
    return overloads.first { $0.id == ids[0] }.map { ($0, ids.count == 1) }
  }
}

extension CELExpression {
  /// The value of an argument that is known when the expression is checked: of a literal, and of `[]`.
  fileprivate var constantArgument: CELValue? {
    switch kind {
    case .literal(let value): value
    case .list(let elements) where elements.isEmpty: .list([])
    default: nil
    }
  }
}

extension CELType {
  /// Whether types without parts are assignable, which needs no more than a look at them; `nil` where there are parts.
  fileprivate static func areSimplyAssignable(_ sources: [CELType], to targets: [CELType]) -> Bool? {
    for (source, target) in zip(sources, targets) {
      switch (source, target) {
      case (.list, _), (.map, _), (.type, _), (.optional, _), (.opaque, _), (.parameter, _), (.null, _): return nil
      case (_, .list), (_, .map), (_, .type), (_, .optional), (_, .opaque), (_, .parameter), (_, .null): return nil
      case (.dyn, _), (_, .dyn): continue
      default: if source != target { return false }
      }
    }
    return true
  }

  /// Whether `dyn` or an unknown parameter is in the type.
  fileprivate var isUncertain: Bool {
    switch self {
    case .dyn, .parameter: true
    default: parameters.contains(where: \.isUncertain)
    }
  }
}
