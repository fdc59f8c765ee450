extension Parser {
  /// Goes on behind a value: with what binds tightest first, then operators by precedence, then the end of what the value
  /// is part of.
  mutating func behind(_ value: CELExpression) throws(Failure) -> Step {
    switch current.kind {
    case .dot:
      advance()
      return try member(of: value)
    case .leftBracket:
      advance()
      pending.append(.index(value, isOptional: try optionalMark()))
      return .operand
    case .leftBrace:
      guard let type = qualifiedName(value) else { throw unexpected("an operator or the end") }
      advance()
      if current.kind == .rightBrace { return .behind(try record(type, base: parts.count)) }
      return try field(of: type, base: parts.count)
    default: break
    }
    if let (precedence, op) = binaryOperator() {
      let left = try reduced(value, above: precedence)
      advance()
      begin(op, precedence, left)
      return .operand
    }
    return try conditional(try reduced(value, above: 0))
  }

  private mutating func member(of operand: CELExpression) throws(Failure) -> Step {
    let isOptional = try optionalMark()
    guard [.identifier, .quotedIdentifier, .reserved].contains(current.kind) else { throw unexpected("a name") }
    let token = advance()
    let name = CELExpression.Name(text: text(of: token), range: token.range)
    if token.kind != .quotedIdentifier, !isOptional, skip(.leftParenthesis) {
      return try arguments(of: name, target: operand)
    }
    let kind = CELExpression.Kind.select(operand: operand, field: name, isOptional: isOptional)
    return .behind(try make(kind, operand.range.through(token.range)))
  }

  /// `a.b.c` as one name, when it is nothing else; names in backquotes are fields only.
  private func qualifiedName(_ expression: CELExpression) -> CELExpression.Name? {
    var names: [String] = []
    var node = expression
    while case .select(let operand, let field, false) = node.kind, field.text.utf8.allSatisfy(\.isWordPart) {
      names.append(field.text)
      node = operand
    }
    guard case .identifier(let name) = node.kind else { return nil }
    names.append(name)
    return CELExpression.Name(text: names.reversed().joined(separator: "."), range: expression.range)
  }

  // MARK: Operators

  /// How tightly an operator binds, and which it is.
  private func binaryOperator() -> (precedence: Int, CELExpression.BinaryOperator)? {
    switch current.kind {
    case .or: (1, .or)
    case .and: (2, .and)
    case .equal: (3, .equal)
    case .notEqual: (3, .notEqual)
    case .less: (3, .less)
    case .lessOrEqual: (3, .lessOrEqual)
    case .greater: (3, .greater)
    case .greaterOrEqual: (3, .greaterOrEqual)
    case .in: (3, .in)
    case .plus: (4, .add)
    case .minus: (4, .subtract)
    case .star: (5, .multiply)
    case .slash: (5, .divide)
    case .percent: (5, .modulo)
    default: nil
    }
  }

  private mutating func begin(_ op: CELExpression.BinaryOperator, _ precedence: Int, _ left: CELExpression) {
    guard op == .and || op == .or else {
      pending.append(.binary(op, precedence: precedence, left: left))
      return
    }
    if case .logical(op, _, _)? = pending.last {
      parts.append(Part(value: left))
    } else {
      pending.append(.logical(op, precedence: precedence, base: parts.count))
      parts.append(Part(value: left))
    }
  }

  /// Ends the operators before `value` that bind at least as tightly as one of `precedence`; a chain of `&&` or `||` goes on
  /// with the same operator.
  private mutating func reduced(_ value: CELExpression, above precedence: Int) throws(Failure) -> CELExpression {
    var value = value
    while let last = pending.last {
      switch last {
      case .unary(let op, let range):
        pending.removeLast()
        value = try make(.unary(op, value), range.through(value.range))
      case .binary(let op, let own, let left) where own >= precedence:
        pending.removeLast()
        value = try make(.binary(op, left, value), left.range.through(value.range))
      case .logical(let op, let own, let base) where own > precedence:
        pending.removeLast()
        parts.append(Part(value: value))
        value = try balanced(op, parts[base...].map(\.value)[...])
        parts.removeSubrange(base...)
      default: return value
      }
    }
    return value
  }

  private mutating func balanced(_ op: CELExpression.BinaryOperator, _ operands: ArraySlice<CELExpression>)
    throws(Failure)
    -> CELExpression
  {
    if operands.count == 1 { return operands[operands.startIndex] }
    let middle = operands.startIndex + (operands.count + 1) / 2
    let left = try balanced(op, operands[..<middle])
    let right = try balanced(op, operands[middle...])
    return try make(.binary(op, left, right), left.range.through(right.range))
  }

  /// Begins, continues or ends `?:`.
  private mutating func conditional(_ value: CELExpression) throws(Failure) -> Step {
    if case .condition(let condition)? = pending.last {
      _ = try expect(.colon, "':' of the conditional")
      pending[pending.count - 1] = .branch(condition, value)
      return .operand
    }
    if skip(.question) {
      pending.append(.condition(value))
      return .operand
    }
    var value = value
    while case .branch(let condition, let first)? = pending.last {
      pending.removeLast()
      value = try make(.conditional(condition, first, value), condition.range.through(value.range))
    }
    return try end(of: value)
  }
}
