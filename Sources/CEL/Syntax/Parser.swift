/// Makes a tree of the words of a source.
///
/// Operators are parsed by precedence, chains of one operator without recursion; `a && b && c` becomes a balanced tree. The
/// nesting of brackets and the height of the tree are limited.
struct Parser {
  /// Parsing of the innermost list of arguments or elements cannot go on.
  struct Failure: Error {
    let problem: Problem
  }

  let source: String
  let environment: Environment
  let bytes: [UInt8]
  private let tokens: [Token]
  private var position = 0
  private var nesting = 0
  private var heights: [Int32] = []
  var problems: [Problem] = []

  init(source: String, environment: Environment) {
    self.source = source
    self.environment = environment
    bytes = Array(source.utf8)
    guard bytes.count <= environment.limits.sourceLength else {
      let message = "the expression is longer than \(environment.limits.sourceLength) octets"
      problems = [
        Problem(
          code: .limitExceeded, message: message,
          range: SourceRange(environment.limits.sourceLength, bytes.count))
      ]
      tokens = []
      return
    }
    var lexer = Lexer(bytes)
    tokens = lexer.tokens()
    problems = lexer.problems
  }

  mutating func parse() throws(CompileError) -> ParsedExpression {
    guard problems.isEmpty else { throw CompileError(problems) }
    var root: Expression?
    do throws(Failure) {
      let expression = try self.expression()
      guard current.kind == .end else { throw unexpected("an operator or the end") }
      root = expression
    } catch {
      problems.append(error.problem)
    }
    guard problems.isEmpty, let root else { throw CompileError(problems) }
    return ParsedExpression(source: source, root: root, nodeCount: heights.count)
  }

  // MARK: Words

  var current: Token { tokens[position] }

  private var next: Token { tokens[Swift.min(position + 1, tokens.count - 1)] }

  mutating func advance() -> Token {
    let token = tokens[position]
    if token.kind != .end { position += 1 }
    return token
  }

  mutating func skip(_ kind: Token.Kind) -> Bool {
    guard current.kind == kind else { return false }
    position += 1
    return true
  }

  mutating func expect(_ kind: Token.Kind, _ description: String) throws(Failure) -> Token {
    guard current.kind == kind else { throw unexpected(description) }
    return advance()
  }

  func text(of token: Token) -> String {
    token.kind == .quotedIdentifier
      ? String(decoding: bytes[(token.start + 1)..<(token.end - 1)], as: UTF8.self)
      : String(decoding: bytes[token.start..<token.end], as: UTF8.self)
  }

  func unexpected(_ expected: String) -> Failure {
    let token = current
    let found = token.kind == .end ? "the end" : "'\(text(of: token))'"
    if token.kind == .reserved {
      return failure("\(found) is a reserved word", at: token.range)
    }
    return failure("\(expected) is due, not \(found)", at: token.range)
  }

  func failure(_ message: String, at range: SourceRange, code: Problem.Code = .syntax) -> Failure {
    Failure(problem: Problem(code: code, message: message, range: range))
  }

  // MARK: Nodes

  /// Makes a node; its height is limited.
  mutating func make(_ kind: Expression.Kind, _ range: SourceRange) throws(Failure) -> Expression {
    let node = Expression(id: heights.count, range: range, kind: kind)
    var height: Int32 = 0
    switch kind {
    case .literal, .identifier: break
    case .binary(_, let left, let right): height = Swift.max(heights[left.id], heights[right.id])
    default: for child in node.children { height = Swift.max(height, heights[child.id]) }
    }
    heights.append(height + 1)
    if Int(height) >= environment.limits.depth { throw tooDeep(at: range) }
    return node
  }

  private func tooDeep(at range: SourceRange) -> Failure {
    failure(
      "the expression is nested deeper than \(environment.limits.depth) levels", at: range, code: .limitExceeded)
  }

  // MARK: Operators

  mutating func expression() throws(Failure) -> Expression {
    nesting += 1
    defer { nesting -= 1 }
    if nesting > environment.limits.depth { throw tooDeep(at: current.range) }
    let condition = try operators(above: 0)
    guard skip(.question) else { return condition }
    let first = try operators(above: 0)
    _ = try expect(.colon, "':' of the conditional")
    let second = try expression()
    return try make(.conditional(condition, first, second), condition.range.through(second.range))
  }

  /// How tightly an operator binds, and which it is.
  private func binaryOperator() -> (precedence: Int, Expression.BinaryOperator)? {
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

  private mutating func operators(above minimum: Int) throws(Failure) -> Expression {
    var left = try unary()
    while let (precedence, op) = binaryOperator(), precedence > minimum {
      position += 1
      if op == .and || op == .or {
        let kind: Token.Kind = op == .and ? .and : .or
        var operands = [left, try operators(above: precedence)]
        while skip(kind) { operands.append(try operators(above: precedence)) }
        left = try balanced(op, operands[...])
      } else {
        let right = try operators(above: precedence)
        left = try make(.binary(op, left, right), left.range.through(right.range))
      }
    }
    return left
  }

  private mutating func balanced(_ op: Expression.BinaryOperator, _ operands: ArraySlice<Expression>) throws(Failure)
    -> Expression
  {
    if operands.count == 1 { return operands[operands.startIndex] }
    let middle = operands.startIndex + (operands.count + 1) / 2
    let left = try balanced(op, operands[..<middle])
    let right = try balanced(op, operands[middle...])
    return try make(.binary(op, left, right), left.range.through(right.range))
  }

  private mutating func unary() throws(Failure) -> Expression {
    guard current.kind == .not || current.kind == .minus else { return try postfix() }
    var signs: [Token] = []
    while current.kind == .not || current.kind == .minus {
      if current.kind == .minus, next.kind == .int || next.kind == .double { break }
      signs.append(advance())
    }
    var operand = try postfix()
    for sign in signs.reversed() {
      let op: Expression.UnaryOperator = sign.kind == .not ? .not : .negate
      operand = try make(.unary(op, operand), sign.range.through(operand.range))
    }
    return operand
  }
}
