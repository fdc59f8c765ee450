extension Parser {
  /// A call, or the macro of that name when the arguments fit one.
  mutating func call(
    _ target: CELExpression?, _ function: CELExpression.Name, _ arguments: [CELExpression], _ range: CELSourceRange
  ) throws(Failure) -> CELExpression {
    if environment.hasMacros, let macro = try macro(target, function, arguments) { return try make(macro, range) }
    return try make(.call(target: target, function: function, arguments: arguments), range)
  }

  private func macro(_ target: CELExpression?, _ function: CELExpression.Name, _ arguments: [CELExpression])
    throws(Failure)
    -> CELExpression.Kind?
  {
    guard let target else { return try has(function, arguments) }
    let libraries = environment.libraries
    let isTwoVariable = libraries.contains(.twoVariableComprehensions)
    switch (function.text, arguments.count) {
    case ("all", 2): return try comprehension(.all, target, function, arguments, variables: 1)
    case ("exists", 2): return try comprehension(.exists, target, function, arguments, variables: 1)
    case ("exists_one", 2), ("existsOne", 2):
      return try comprehension(.existsOne, target, function, arguments, variables: 1)
    case ("map", 2), ("map", 3): return try comprehension(.map, target, function, arguments, variables: 1)
    case ("filter", 2): return try comprehension(.filter, target, function, arguments, variables: 1)
    case ("all", 3) where isTwoVariable: return try comprehension(.all, target, function, arguments, variables: 2)
    case ("exists", 3) where isTwoVariable: return try comprehension(.exists, target, function, arguments, variables: 2)
    case ("existsOne", 3) where isTwoVariable, ("exists_one", 3) where isTwoVariable:
      return try comprehension(.existsOne, target, function, arguments, variables: 2)
    case ("transformList", 3) where isTwoVariable, ("transformList", 4) where isTwoVariable:
      return try comprehension(.transformList, target, function, arguments, variables: 2)
    case ("transformMap", 3) where isTwoVariable, ("transformMap", 4) where isTwoVariable:
      return try comprehension(.transformMap, target, function, arguments, variables: 2)
    case ("transformMapEntry", 3) where isTwoVariable, ("transformMapEntry", 4) where isTwoVariable:
      return try comprehension(.transformMapEntry, target, function, arguments, variables: 2)
    case ("optMap", 2) where libraries.contains(.optionals):
      return try comprehension(.optMap, target, function, arguments, variables: 1)
    case ("optFlatMap", 2) where libraries.contains(.optionals):
      return try comprehension(.optFlatMap, target, function, arguments, variables: 1)
    case ("sortBy", 2) where libraries.contains(.lists):
      return try comprehension(.sortBy, target, function, arguments, variables: 1)
    case ("bind", 3) where libraries.contains(.bindings):
      guard case .identifier("cel") = target.kind else { return nil }
      return .bind(name: try variable(arguments[0]), value: arguments[1], body: arguments[2])
    default: return nil
    }
  }

  private func has(_ function: CELExpression.Name, _ arguments: [CELExpression]) throws(Failure) -> CELExpression.Kind?
  {
    guard function.text == "has", arguments.count == 1 else { return nil }
    guard case .select(let operand, let field, let isOptional) = arguments[0].kind else {
      throw failure("'has' takes a field, as in has(a.b)", at: arguments[0].range, code: .invalidMacro)
    }
    guard !isOptional else {
      throw failure("'has' takes a field without '?', as in has(a.b)", at: arguments[0].range, code: .invalidMacro)
    }
    return .presence(operand: operand, field: field)
  }

  private func comprehension(
    _ macro: CELExpression.Comprehension.Macro, _ target: CELExpression, _ function: CELExpression.Name,
    _ arguments: [CELExpression], variables count: Int
  ) throws(Failure) -> CELExpression.Kind? {
    guard let body = arguments.last, arguments.count > count else { return nil }
    var variables: [CELExpression.Name] = []
    for argument in arguments.prefix(count) { variables.append(try variable(argument)) }
    if count == 2, variables[0].text == variables[1].text {
      throw failure("the two variables need different names", at: variables[1].range, code: .invalidMacro)
    }
    return .comprehension(
      CELExpression.Comprehension(
        macro: macro, function: function, range: target, variables: variables,
        filter: arguments.count == count + 2 ? arguments[count] : nil, body: body))
  }

  private func variable(_ argument: CELExpression) throws(Failure) -> CELExpression.Name {
    guard case .identifier(let name) = argument.kind, !name.hasPrefix(".") else {
      throw failure("the variable of a macro is a simple name", at: argument.range, code: .invalidMacro)
    }
    return CELExpression.Name(text: name, range: argument.range)
  }
}
