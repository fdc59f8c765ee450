/// Makes a tree of the words of a source.
///
/// What is begun and waits for its end is kept on a stack of its own, not on that of the thread, so that no nesting exhausts
/// it. The height of the tree is limited; `a && b && c` becomes a balanced tree.
struct Parser {
  /// Parsing of the innermost bracket cannot go on.
  struct Failure: Error {
    let problem: CELProblem
  }

  /// What comes next.
  enum Step {
    /// A value, or something before it.
    case operand
    /// An operator or the end of what the expression is part of.
    case behind(CELExpression)
    /// Nothing.
    case done(CELExpression)
  }

  /// Something begun that waits for an operand or a closing bracket. Where it has several parts, those before the current
  /// one are in `parts`, from `base` on.
  enum Pending {
    case unary(CELExpression.UnaryOperator, CELSourceRange)
    case binary(CELExpression.BinaryOperator, precedence: Int, left: CELExpression)
    case logical(CELExpression.BinaryOperator, precedence: Int, base: Int)
    case condition(CELExpression)
    case branch(CELExpression, CELExpression)
    case group(CELSourceRange)
    case index(CELExpression, isOptional: Bool)
    case arguments(target: CELExpression?, CELExpression.Name, base: Int)
    case list(CELSourceRange, base: Int, isOptional: Bool)
    case mapKey(CELSourceRange, base: Int, isOptional: Bool)
    case mapValue(CELSourceRange, base: Int, isOptional: Bool)
    case record(CELExpression.Name, base: Int, field: CELExpression.Name, isOptional: Bool)
  }

  /// A part of something begun.
  struct Part {
    let value: CELExpression
    var isOptional = false
    var field: CELExpression.Name?
  }

  let source: String
  let environment: CELEnvironment
  let bytes: [UInt8]
  private let tokens: [Token]
  private var position = 0
  private var heights: [Int32] = []
  var pending: [Pending] = []
  var parts: [Part] = []
  var problems: [CELProblem] = []

  init(source: String, environment: CELEnvironment) {
    self.source = source
    self.environment = environment
    bytes = Array(source.utf8)
    guard bytes.count <= environment.limits.sourceLength else {
      let message = "the expression is longer than \(environment.limits.sourceLength) octets"
      let range = CELSourceRange(environment.limits.sourceLength, bytes.count)
      problems = [CELProblem(code: .limitExceeded, message: message, range: range)]
      tokens = []
      return
    }
    var lexer = Lexer(bytes)
    tokens = lexer.tokens()
    problems = lexer.problems
  }

  mutating func parse() throws(CompileError) -> ParsedExpression {
    guard problems.isEmpty else { throw CompileError(problems) }
    var step = Step.operand
    while true {
      if case .done(let root) = step {
        guard problems.isEmpty else { throw CompileError(problems) }
        return ParsedExpression(source: source, root: root, nodeCount: heights.count)
      }
      do throws(Failure) {
        step = try self.step(from: step)
      } catch {
        problems.append(error.problem)
        guard error.problem.code == .syntax, problems.count < CELProblem.mostReported, let next = recover() else {
          throw CompileError(problems)
        }
        step = next
      }
    }
  }

  private mutating func step(from step: Step) throws(Failure) -> Step {
    switch step {
    case .operand: try operand()
    case .behind(let value): try behind(value)
    case .done: step
    }
  }

  // MARK: Words

  var current: Token { tokens[position] }

  var next: Token { tokens[Swift.min(position + 1, tokens.count - 1)] }

  @discardableResult
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
    if token.kind == .reserved { return failure("'\(text(of: token))' is a reserved word", at: token.range) }
    let found = token.kind == .end ? "the end" : "'\(text(of: token))'"
    return failure("\(expected) is due, not \(found)", at: token.range)
  }

  func failure(_ message: String, at range: CELSourceRange, code: CELProblem.Code = .syntax) -> Failure {
    Failure(problem: CELProblem(code: code, message: message, range: range))
  }

  // MARK: Nodes

  /// Makes a node; its height is limited.
  mutating func make(_ kind: CELExpression.Kind, _ range: CELSourceRange) throws(Failure) -> CELExpression {
    let node = CELExpression(id: heights.count, range: range, kind: kind)
    var height: Int32 = 0
    switch kind {
    case .literal, .identifier: break
    case .binary(_, let left, let right): height = Swift.max(heights[left.id], heights[right.id])
    default: for child in node.children { height = Swift.max(height, heights[child.id]) }
    }
    heights.append(height + 1)
    if Int(height) >= environment.limits.depth {
      let message = "the expression is nested deeper than \(environment.limits.depth) levels"
      throw failure(message, at: range, code: .limitExceeded)
    }
    return node
  }

  /// Stands for what could not be parsed, while the rest is looked through for more problems.
  mutating func placeholder() -> CELExpression {
    heights.append(1)
    return CELExpression(id: heights.count - 1, range: current.range, kind: .literal(.null))
  }
}
