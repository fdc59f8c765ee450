extension Parser {
  /// Takes a literal, a name, an opening bracket or an operator before its operand.
  mutating func operand() throws(Failure) -> Step {
    let token = current
    switch token.kind {
    case .not:
      advance()
      pending.append(.unary(.not, token.range))
      return .operand
    case .minus where next.kind != .int && next.kind != .double:
      advance()
      pending.append(.unary(.negate, token.range))
      return .operand
    case .leftParenthesis:
      advance()
      pending.append(.group(token.range))
      return .operand
    case .leftBracket:
      advance()
      if current.kind == .rightBracket { return .behind(try list(token.range, base: parts.count)) }
      pending.append(.list(token.range, base: parts.count, isOptional: try optionalMark()))
      return .operand
    case .leftBrace:
      advance()
      if current.kind == .rightBrace { return .behind(try map(token.range, base: parts.count)) }
      pending.append(.mapKey(token.range, base: parts.count, isOptional: try optionalMark()))
      return .operand
    case .dot:
      advance()
      let name = try expect(.identifier, "a name")
      return try named("." + text(of: name), token.range.through(name.range))
    case .identifier:
      advance()
      return try named(text(of: token), token.range)
    case .minus, .int, .uint, .double, .string, .bytes, .null, .true, .false: return .behind(try literal())
    default: throw unexpected("a value")
    }
  }

  mutating func optionalMark() throws(Failure) -> Bool {
    guard current.kind == .question else { return false }
    guard environment.libraries.contains(.optionals) else { throw unexpected("a value") }
    advance()
    return true
  }

  private mutating func named(_ text: String, _ range: CELSourceRange) throws(Failure) -> Step {
    guard skip(.leftParenthesis) else { return .behind(try make(.identifier(text), range)) }
    return try arguments(of: CELExpression.Name(text: text, range: range), target: nil)
  }

  /// Begins the arguments of a call, behind the opening bracket.
  mutating func arguments(of function: CELExpression.Name, target: CELExpression?) throws(Failure) -> Step {
    if current.kind == .rightParenthesis { return .behind(try call(target, function, base: parts.count)) }
    pending.append(.arguments(target: target, function, base: parts.count))
    return .operand
  }

  // MARK: Literals

  private mutating func literal() throws(Failure) -> CELExpression {
    let sign = current.kind == .minus ? advance() : nil
    let token = advance()
    let range = sign.map { $0.range.through(token.range) } ?? token.range
    return try make(.literal(try value(of: token, isNegative: sign != nil, range)), range)
  }

  private func value(of token: Token, isNegative: Bool, _ range: CELSourceRange) throws(Failure) -> CELValue {
    switch token.kind {
    case .null: return .null
    case .true: return .bool(true)
    case .false: return .bool(false)
    case .string, .bytes:
      do throws(TextLiteral.Failure) {
        let octets = try TextLiteral.decode(token, in: bytes)
        return token.kind == .bytes ? .bytes(octets) : .string(String(decoding: octets, as: UTF8.self))
      } catch {
        throw failure(error.message, at: error.range)
      }
    default: return try number(token, isNegative: isNegative, range)
    }
  }

  private func number(_ token: Token, isNegative: Bool, _ range: CELSourceRange) throws(Failure) -> CELValue {
    var digits = Substring(text(of: token))
    let sign = isNegative ? "-" : ""
    if token.kind == .double {
      guard let value = Double(sign + digits), value.isFinite else {
        throw failure("the number is out of range", at: range)
      }
      return .double(value)
    }
    if token.kind == .uint { digits = digits.dropLast() }
    var radix = 10
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
      digits = digits.dropFirst(2)
      radix = 16
    }
    if token.kind == .uint, let value = UInt64(digits, radix: radix) { return .uint(value) }
    if token.kind == .int, let value = Int64(sign + digits, radix: radix) { return .int(value) }
    throw failure("the number is out of range", at: range)
  }
}
