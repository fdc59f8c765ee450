extension Parser {
  /// A literal, name or bracket, and the selections, indices and calls behind it.
  mutating func postfix() throws(Failure) -> Expression {
    var operand = try primary()
    while true {
      switch current.kind {
      case .dot:
        _ = advance()
        let isOptional = try optionalMark()
        operand = try member(of: operand, isOptional: isOptional)
      case .leftBracket:
        _ = advance()
        let isOptional = try optionalMark()
        let index = try expression()
        let close = try expect(.rightBracket, "']'")
        operand = try make(
          .index(operand: operand, index: index, isOptional: isOptional), operand.range.through(close.range))
      case .leftBrace:
        guard let type = qualifiedName(operand) else { throw unexpected("an operator or the end") }
        operand = try record(type)
      default: return operand
      }
    }
  }

  private mutating func optionalMark() throws(Failure) -> Bool {
    guard current.kind == .question else { return false }
    guard environment.libraries.contains(.optionals) else { throw unexpected("a name") }
    _ = advance()
    return true
  }

  private mutating func member(of operand: Expression, isOptional: Bool) throws(Failure) -> Expression {
    guard [.identifier, .quotedIdentifier, .reserved].contains(current.kind) else { throw unexpected("a name") }
    let token = advance()
    let name = Expression.Name(text: text(of: token), range: token.range)
    if token.kind != .quotedIdentifier, !isOptional, skip(.leftParenthesis) {
      let (arguments, close) = try elements(until: .rightParenthesis, "')'")
      return try call(operand, name, arguments, operand.range.through(close.range))
    }
    return try make(
      .select(operand: operand, field: name, isOptional: isOptional), operand.range.through(token.range))
  }

  private mutating func primary() throws(Failure) -> Expression {
    let token = current
    switch token.kind {
    case .leftParenthesis:
      _ = advance()
      let inner = try expression()
      let close = try expect(.rightParenthesis, "')'")
      return Expression(id: inner.id, range: token.range.through(close.range), kind: inner.kind)
    case .leftBracket: return try list()
    case .leftBrace: return try map()
    case .dot:
      _ = advance()
      let name = try expect(.identifier, "a name")
      return try named("." + text(of: name), token.range.through(name.range))
    case .identifier:
      _ = advance()
      return try named(text(of: token), token.range)
    case .minus, .int, .uint, .double, .string, .bytes, .null, .true, .false: return try literal()
    default: throw unexpected("a value")
    }
  }

  private mutating func named(_ text: String, _ range: SourceRange) throws(Failure) -> Expression {
    guard skip(.leftParenthesis) else { return try make(.identifier(text), range) }
    let (arguments, close) = try elements(until: .rightParenthesis, "')'")
    return try call(nil, Expression.Name(text: text, range: range), arguments, range.through(close.range))
  }

  /// `a.b.c` as one name, when it is nothing else.
  private func qualifiedName(_ expression: Expression) -> Expression.Name? {
    switch expression.kind {
    case .identifier(let name): return Expression.Name(text: name, range: expression.range)
    case .select(let operand, let field, false):
      guard let prefix = qualifiedName(operand) else { return nil }
      return Expression.Name(text: "\(prefix.text).\(field.text)", range: expression.range)
    default: return nil
    }
  }

  // MARK: Lists, maps, records, arguments

  /// Expressions between commas. A problem in one does not hide those in the others.
  private mutating func elements(until close: Token.Kind, _ description: String) throws(Failure)
    -> ([Expression], close: Token)
  {
    var elements: [Expression] = []
    while current.kind != close {
      do throws(Failure) {
        elements.append(try expression())
        if current.kind != close, current.kind != .comma { throw unexpected("',' or \(description)") }
      } catch {
        try recover(from: error, until: close)
      }
      guard skip(.comma) else { break }
      if current.kind == close { throw unexpected("a value") }
    }
    return (elements, try expect(close, description))
  }

  /// Goes on at the next comma or closing bracket of the innermost list.
  private mutating func recover(from failure: Failure, until close: Token.Kind) throws(Failure) {
    if failure.problem.code != .syntax { throw failure }
    var depth = 0
    while current.kind != .end {
      switch current.kind {
      case .leftParenthesis, .leftBracket, .leftBrace: depth += 1
      case .comma where depth == 0:
        problems.append(failure.problem)
        return
      case .rightParenthesis, .rightBracket, .rightBrace:
        if depth == 0 {
          guard current.kind == close else { throw failure }
          problems.append(failure.problem)
          return
        }
        depth -= 1
      default: break
      }
      _ = advance()
    }
    throw failure
  }

  private mutating func list() throws(Failure) -> Expression {
    let open = advance()
    var elements: [Expression.Element] = []
    while current.kind != .rightBracket {
      do throws(Failure) {
        let isOptional = try optionalMark()
        elements.append(Expression.Element(value: try expression(), isOptional: isOptional))
        if current.kind != .rightBracket, current.kind != .comma { throw unexpected("',' or ']'") }
      } catch {
        try recover(from: error, until: .rightBracket)
      }
      guard skip(.comma) else { break }
    }
    let close = try expect(.rightBracket, "']'")
    return try make(.list(elements), open.range.through(close.range))
  }

  private mutating func map() throws(Failure) -> Expression {
    let open = advance()
    var entries: [Expression.Entry] = []
    while current.kind != .rightBrace {
      do throws(Failure) {
        let isOptional = try optionalMark()
        let key = try expression()
        _ = try expect(.colon, "':'")
        entries.append(Expression.Entry(key: key, value: try expression(), isOptional: isOptional))
        if current.kind != .rightBrace, current.kind != .comma { throw unexpected("',' or '}'") }
      } catch {
        try recover(from: error, until: .rightBrace)
      }
      guard skip(.comma) else { break }
    }
    let close = try expect(.rightBrace, "'}'")
    return try make(.map(entries), open.range.through(close.range))
  }

  private mutating func record(_ type: Expression.Name) throws(Failure) -> Expression {
    _ = advance()
    var fields: [Expression.FieldValue] = []
    while current.kind != .rightBrace {
      let isOptional = try optionalMark()
      guard [.identifier, .quotedIdentifier, .reserved].contains(current.kind) else { throw unexpected("a field") }
      let token = advance()
      _ = try expect(.colon, "':'")
      let name = Expression.Name(text: text(of: token), range: token.range)
      fields.append(Expression.FieldValue(field: name, value: try expression(), isOptional: isOptional))
      guard skip(.comma) else { break }
    }
    let close = try expect(.rightBrace, "'}'")
    return try make(.record(type: type, fields), type.range.through(close.range))
  }

  // MARK: Literals

  private mutating func literal() throws(Failure) -> Expression {
    let sign = current.kind == .minus ? advance() : nil
    let token = advance()
    let range = sign.map { $0.range.through(token.range) } ?? token.range
    switch token.kind {
    case .null: return try make(.literal(.null), range)
    case .true: return try make(.literal(.bool(true)), range)
    case .false: return try make(.literal(.bool(false)), range)
    case .int, .uint, .double: return try make(.literal(try number(token, isNegative: sign != nil, range)), range)
    case .string, .bytes:
      do throws(TextLiteral.Failure) {
        let octets = try TextLiteral.decode(token, in: bytes)
        let value: CELValue =
          token.kind == .bytes ? .bytes(octets) : .string(String(decoding: octets, as: UTF8.self))
        return try literalNode(value, range)
      } catch {
        throw failure(error.message, at: error.range)
      }
    default:
      throw failure("a value is due", at: range)
    }
  }

  private mutating func literalNode(_ value: CELValue, _ range: SourceRange) throws(TextLiteral.Failure) -> Expression {
    do throws(Failure) {
      return try make(.literal(value), range)
    } catch {
      throw TextLiteral.Failure(message: error.problem.message, range: range)
    }
  }

  private func number(_ token: Token, isNegative: Bool, _ range: SourceRange) throws(Failure) -> CELValue {
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
