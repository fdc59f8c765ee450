extension CELExpression {
  /// The expression as text, in one form for all ways to write it: single quotes, one blank around operators, brackets only
  /// if they are needed. It parses to the same tree.
  public var unparsed: String {
    var unparser = Unparser()
    for node in postorder { unparser.write(node) }
    return unparser.text(self, above: .conditional)
  }
}

/// Makes the texts of nodes from those of their operands.
private struct Unparser {
  typealias BinaryOperator = CELExpression.BinaryOperator

  /// The texts of the nodes without brackets, by their ids.
  private var texts: [Int: String] = [:]

  /// How tightly a form of expression binds.
  enum Precedence: Int {
    case conditional
    case or
    case and
    case relation
    case addition
    case multiplication
    case unary
    case postfix
  }

  func text(_ node: CELExpression, above minimum: Precedence = .conditional) -> String {
    let text = texts[node.id] ?? ""
    return precedence(node).rawValue < minimum.rawValue ? "(\(text))" : text
  }

  mutating func write(_ node: CELExpression) {
    texts[node.id] = plainText(node)
  }

  private func precedence(_ node: CELExpression) -> Precedence {
    switch node.kind {
    case .conditional: .conditional
    case .binary(let op, _, _): Self.precedence(of: op)
    case .unary: .unary
    case .literal(.int(let number)) where number < 0: .unary
    case .literal(.double(let number)) where number.sign == .minus: .unary
    default: .postfix
    }
  }

  private static func precedence(of op: BinaryOperator) -> Precedence {
    switch op {
    case .or: .or
    case .and: .and
    case .add, .subtract: .addition
    case .multiply, .divide, .modulo: .multiplication
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .in: .relation
    }
  }

  private func plainText(_ node: CELExpression) -> String {
    switch node.kind {
    case .literal(let value): return value.wholeText
    case .identifier(let name): return name
    case .select(let operand, let field, let isOptional):
      return "\(text(operand, above: .postfix)).\(isOptional ? "?" : "")\(Self.fieldText(field))"
    case .presence(let operand, let field):
      return "has(\(text(operand, above: .postfix)).\(Self.fieldText(field)))"
    case .index(let operand, let index, let isOptional):
      return "\(text(operand, above: .postfix))[\(isOptional ? "?" : "")\(text(index))]"
    case .call(let target, let function, let arguments):
      let receiver = target.map { text($0, above: .postfix) + "." } ?? ""
      return "\(receiver)\(function.text)(\(arguments.map { text($0) }.joined(separator: ", ")))"
    case .unary(let op, let operand):
      // `-1` is a literal; the negation of the literal `1` is `-(1)`.
      if op == .negate, texts[operand.id]?.utf8.first?.isDigit == true { return "-(\(text(operand)))" }
      return op.rawValue + text(operand, above: .unary)
    case .binary(let op, let left, let right): return binaryText(node, op, left, right)
    case .conditional(let condition, let first, let second):
      return "\(text(condition, above: .or)) ? \(text(first, above: .or)) : \(text(second))"
    case .list(let elements):
      return "[\(elements.map { ($0.isOptional ? "?" : "") + text($0.value) }.joined(separator: ", "))]"
    case .map(let entries):
      let texts = entries.map { "\($0.isOptional ? "?" : "")\(text($0.key)): \(text($0.value))" }
      return "{\(texts.joined(separator: ", "))}"
    case .record(let type, let fields):
      let texts = fields.map { "\($0.isOptional ? "?" : "")\(Self.fieldText($0.field)): \(text($0.value))" }
      return "\(type.text){\(texts.joined(separator: ", "))}"
    case .comprehension(let it):
      let arguments = it.variables.map(\.text) + (it.filter.map { [text($0)] } ?? []) + [text(it.body)]
      return "\(text(it.range, above: .postfix)).\(it.function.text)(\(arguments.joined(separator: ", ")))"
    case .bind(let name, let value, let body): return "cel.bind(\(name.text), \(text(value)), \(text(body)))"
    }
  }

  private func binaryText(_ node: CELExpression, _ op: BinaryOperator, _ left: CELExpression, _ right: CELExpression)
    -> String
  {
    if op == .and || op == .or, let operands = balancedOperands(node, op) {
      return operands.map { text($0, above: op == .and ? .relation : .and) }.joined(separator: " \(op.rawValue) ")
    }
    let own = Self.precedence(of: op)
    let above = Precedence(rawValue: own.rawValue + 1) ?? .postfix
    let isChain = op != .and && op != .or
    return "\(text(left, above: isChain ? own : above)) \(op.rawValue) \(text(right, above: above))"
  }

  /// The operands of a chain of `&&` or `||`, when the parser would make this very tree of the chain.
  private func balancedOperands(_ root: CELExpression, _ op: BinaryOperator) -> [CELExpression]? {
    var operands: [CELExpression] = []
    func collect(_ node: CELExpression) {
      if case .binary(op, let left, let right) = node.kind {
        collect(left)
        collect(right)
      } else {
        operands.append(node)
      }
    }
    func isBalanced(_ node: CELExpression, _ count: Int) -> Bool {
      guard case .binary(op, let left, let right) = node.kind else { return count == 1 }
      let half = (count + 1) / 2
      return count > 1 && isBalanced(left, half) && isBalanced(right, count - half)
    }
    collect(root)
    return isBalanced(root, operands.count) ? operands : nil
  }

  private static func fieldText(_ field: CELExpression.Name) -> String {
    let bytes = Array(field.text.utf8)
    let isWord = bytes.first.map { !$0.isDigit } == true && bytes.allSatisfy(\.isWordPart)
    return isWord && !["true", "false", "null", "in"].contains(field.text) ? field.text : "`\(field.text)`"
  }
}
