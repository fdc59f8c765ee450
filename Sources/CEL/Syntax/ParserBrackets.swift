extension Parser {
  /// Ends or continues the innermost bracket behind a whole expression.
  mutating func end(of value: CELExpression) throws(Failure) -> Step {
    guard let last = pending.last else {
      guard current.kind == .end else { throw unexpected("an operator or the end") }
      return .done(value)
    }
    switch last {
    case .group(let open):
      let close = try expect(.rightParenthesis, "')'")
      pending.removeLast()
      return .behind(CELExpression(id: value.id, range: open.through(close.range), kind: value.kind))
    case .index(let operand, let isOptional):
      let close = try expect(.rightBracket, "']'")
      pending.removeLast()
      let kind = CELExpression.Kind.index(operand: operand, index: value, isOptional: isOptional)
      return .behind(try make(kind, operand.range.through(close.range)))
    case .arguments(let target, let function, let base):
      parts.append(Part(value: value))
      if skip(.comma) { return .operand }
      return .behind(try call(target, function, base: base))
    case .list(let open, let base, let isOptional):
      parts.append(Part(value: value, isOptional: isOptional))
      guard skip(.comma), current.kind != .rightBracket else { return .behind(try list(open, base: base)) }
      pending[pending.count - 1] = .list(open, base: base, isOptional: try optionalMark())
      return .operand
    case .mapKey(let open, let base, let isOptional):
      _ = try expect(.colon, "':'")
      parts.append(Part(value: value, isOptional: isOptional))
      pending[pending.count - 1] = .mapValue(open, base: base, isOptional: isOptional)
      return .operand
    case .mapValue(let open, let base, _):
      parts.append(Part(value: value))
      guard skip(.comma), current.kind != .rightBrace else { return .behind(try map(open, base: base)) }
      pending[pending.count - 1] = .mapKey(open, base: base, isOptional: try optionalMark())
      return .operand
    case .record(let type, let base, let name, let isOptional):
      parts.append(Part(value: value, isOptional: isOptional, field: name))
      guard skip(.comma), current.kind != .rightBrace else { return .behind(try record(type, base: base)) }
      pending.removeLast()
      return try field(of: type, base: base)
    case .unary, .binary, .logical, .condition, .branch: throw unexpected("an operator or the end")
    }
  }

  /// The parts from `base` on; what waited for them is done.
  private mutating func takeParts(from base: Int, isPending: Bool) -> [Part] {
    let taken = Array(parts[base...])
    parts.removeSubrange(base...)
    if isPending { pending.removeLast() }
    return taken
  }

  mutating func call(_ target: CELExpression?, _ function: CELExpression.Name, base: Int) throws(Failure)
    -> CELExpression
  {
    let hasArguments = parts.count > base
    let close = try expect(.rightParenthesis, hasArguments ? "',' or ')'" : "')'")
    let arguments = takeParts(from: base, isPending: hasArguments).map(\.value)
    let range = (target?.range ?? function.range).through(close.range)
    return try call(target, function, arguments, range)
  }

  mutating func list(_ open: CELSourceRange, base: Int) throws(Failure) -> CELExpression {
    let close = try expect(.rightBracket, "',' or ']'")
    let elements = takeParts(from: base, isPending: parts.count > base)
    return try make(
      .list(elements.map { CELExpression.Element(value: $0.value, isOptional: $0.isOptional) }),
      open.through(close.range))
  }

  mutating func map(_ open: CELSourceRange, base: Int) throws(Failure) -> CELExpression {
    let close = try expect(.rightBrace, "',' or '}'")
    let parts = takeParts(from: base, isPending: parts.count > base)
    let entries = stride(from: 0, to: parts.count - 1, by: 2).map { index in
      CELExpression.Entry(
        key: parts[index].value, value: parts[index + 1].value, isOptional: parts[index].isOptional)
    }
    return try make(.map(entries), open.through(close.range))
  }

  mutating func record(_ type: CELExpression.Name, base: Int) throws(Failure) -> CELExpression {
    let close = try expect(.rightBrace, "',' or '}'")
    let fields = takeParts(from: base, isPending: parts.count > base).compactMap { part in
      part.field.map { CELExpression.FieldValue(field: $0, value: part.value, isOptional: part.isOptional) }
    }
    return try make(.record(type: type, fields), type.range.through(close.range))
  }

  /// Begins a field of a record literal.
  mutating func field(of type: CELExpression.Name, base: Int) throws(Failure) -> Step {
    let isOptional = try optionalMark()
    guard [.identifier, .quotedIdentifier, .reserved].contains(current.kind) else { throw unexpected("a field") }
    let token = advance()
    _ = try expect(.colon, "':'")
    let name = CELExpression.Name(text: text(of: token), range: token.range)
    pending.append(.record(type, base: base, field: name, isOptional: isOptional))
    return .operand
  }

  // MARK: Going on after a problem

  /// Goes on at the next comma or closing bracket of the innermost bracket, so that a problem in one argument or element
  /// does not hide those in others; `nil` when that cannot be found.
  mutating func recover() -> Step? {
    while let last = pending.last {
      switch last {
      case .logical(_, _, let base):
        parts.removeSubrange(base...)
        pending.removeLast()
      case .unary, .binary, .condition, .branch: pending.removeLast()
      case .record: return nil
      case .group: return skipTo(.rightParenthesis, orComma: false)
      case .index: return skipTo(.rightBracket, orComma: false)
      case .arguments: return skipTo(.rightParenthesis, orComma: true)
      case .list: return skipTo(.rightBracket, orComma: true)
      case .mapValue: return skipTo(.rightBrace, orComma: true)
      case .mapKey(let open, let base, let isOptional):
        parts.append(Part(value: placeholder(), isOptional: isOptional))
        pending[pending.count - 1] = .mapValue(open, base: base, isOptional: isOptional)
      }
    }
    return nil
  }

  private mutating func skipTo(_ close: Token.Kind, orComma: Bool) -> Step? {
    var depth = 0
    while current.kind != .end {
      switch current.kind {
      case .leftParenthesis, .leftBracket, .leftBrace: depth += 1
      case .comma where depth == 0 && orComma: return .behind(placeholder())
      case .rightParenthesis, .rightBracket, .rightBrace:
        if depth == 0 { return current.kind == close ? .behind(placeholder()) : nil }
        depth -= 1
      default: break
      }
      advance()
    }
    return nil
  }
}
