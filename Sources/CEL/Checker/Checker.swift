/// Finds out what names stand for and which types everything has.
struct Checker {
  /// A variable of a macro, while its body is checked.
  struct Local {
    let name: String
    let type: CELType
    let owner: Int
    let position: Int
  }

  let environment: Environment
  private let parsed: ParsedExpression
  private var types: [CELType]
  private var references: [Reference?]
  private var problems: [Problem] = []
  var substitution = Substitution()
  var locals: [Local] = []

  init(environment: Environment, parsed: ParsedExpression) {
    self.environment = environment
    self.parsed = parsed
    types = Array(repeating: .dyn, count: parsed.nodeCount)
    references = Array(repeating: nil, count: parsed.nodeCount)
  }

  mutating func check(expecting expected: CELType?) throws(CompileError) -> CheckedExpression {
    let type = check(parsed.root)
    if let expected, problems.isEmpty, !substitution.assign(type, to: expected) {
      report(.typeMismatch, "the expression is of type \(show(type)), \(expected) is due", parsed.root.range)
    }
    guard problems.isEmpty else { throw CompileError(problems) }
    for index in types.indices { types[index] = substitution.apply(types[index], isFinal: true) }
    return CheckedExpression(parsed: parsed, types: types, references: references)
  }

  mutating func report(_ code: Problem.Code, _ message: String, _ range: SourceRange, suggestion: String? = nil) {
    problems.append(Problem(code: code, message: message, range: range, suggestion: suggestion))
  }

  mutating func refer(_ node: Expression, to reference: Reference) {
    references[node.id] = reference
  }

  func reference(_ node: Expression) -> Reference? { references[node.id] }

  /// The type as a message shows it.
  func show(_ type: CELType) -> String { substitution.apply(type, isFinal: true).description }

  /// The type of a node; `dyn` where there is a problem, so that it is reported once.
  @discardableResult
  mutating func check(_ node: Expression) -> CELType {
    let type = typeOf(node)
    types[node.id] = type
    return type
  }

  private mutating func typeOf(_ node: Expression) -> CELType {
    switch node.kind {
    case .literal(let value): return value.type
    case .identifier(let name): return identifier(name, node)
    case .select(let operand, let field, let isOptional): return select(node, operand, field, isOptional)
    case .presence(let operand, let field, _):
      _ = fieldType(of: check(operand), field, operand.range)
      return .bool
    case .index(let operand, let index, let isOptional): return self.index(node, operand, index, isOptional)
    case .call(let target, let function, let arguments): return call(node, target, function, arguments)
    case .unary(.not, let operand):
      require(operand, .bool, "'!'")
      return .bool
    case .unary(.negate, let operand): return overloaded(node, "-_", [operand], symbol: "-")
    case .binary(let op, let left, let right): return binary(node, op, left, right)
    case .conditional(let condition, let first, let second): return conditional(node, condition, first, second)
    case .list(let elements): return list(elements)
    case .map(let entries): return map(entries)
    case .record(let type, let fields): return record(node, type, fields)
    case .comprehension(let comprehension): return self.comprehension(node, comprehension)
    case .bind(let name, let value, let body):
      locals.append(Local(name: name.text, type: check(value), owner: node.id, position: 0))
      defer { locals.removeLast() }
      return check(body)
    }
  }

  /// Checks an operand that must be of a type.
  mutating func require(_ node: Expression, _ expected: CELType, _ user: String) {
    let type = check(node)
    if !substitution.assign(type, to: expected) {
      report(.typeMismatch, "\(user) takes \(expected), not \(show(type))", node.range)
    }
  }

  // MARK: Names

  private mutating func identifier(_ name: String, _ node: Expression) -> CELType {
    if let local = locals.last(where: { $0.name == name }) {
      refer(node, to: .local(name: name, owner: local.owner, position: local.position))
      return local.type
    }
    if let type = global(name, node) { return type }
    let known = locals.map(\.name) + Array(environment.variablesByName.keys) + Array(environment.constants.keys)
    let message = "undeclared name '\(name)'"
    report(.undeclaredName, message, node.range, suggestion: Suggestion.nearest(to: name, among: known))
    return .dyn
  }

  /// The type of a variable or constant of that name, relative to the container.
  private mutating func global(_ name: String, _ node: Expression) -> CELType? {
    guard let reference = environment.reference(to: name) else { return nil }
    refer(node, to: reference)
    switch reference {
    case .variable(let variable): return variable.type
    case .constant(.type(let type)): return .type(type)
    case .constant(let value): return value.type
    default: return nil
    }
  }

  /// `a.b.c` as one name, unless `a` is a variable of a macro.
  func qualifiedName(_ node: Expression) -> String? {
    switch node.kind {
    case .identifier(let name): return locals.contains { $0.name == name } ? nil : name
    case .select(let operand, let field, false): return qualifiedName(operand).map { "\($0).\(field.text)" }
    default: return nil
    }
  }

  private mutating func select(
    _ node: Expression, _ operand: Expression, _ field: Expression.Name, _ isOptional: Bool
  ) -> CELType {
    if !isOptional, let root = rootName(node), environment.mayQualify(root), let name = qualifiedName(node),
      let type = global(name, node)
    {
      return type
    }
    let type = fieldType(of: check(operand), field, operand.range)
    guard isOptional else { return type }
    if case .optional = type { return type }
    return .optional(type)
  }

  private func rootName(_ node: Expression) -> String? {
    var node = node
    while case .select(let operand, _, false) = node.kind { node = operand }
    if case .identifier(let name) = node.kind { return name }
    return nil
  }

  /// The type of a field; optional when it is selected from an optional.
  mutating func fieldType(of operand: CELType, _ field: Expression.Name, _ range: SourceRange) -> CELType {
    switch substitution.apply(operand) {
    case .dyn: return .dyn
    case .parameter:
      _ = substitution.assign(.dyn, to: operand)
      return .dyn
    case .map(let key, let value):
      if !substitution.assign(.string, to: key) {
        report(.undefinedField, "the keys of \(show(operand)) are no texts", field.range)
        return .dyn
      }
      return value
    case .optional(let wrapped):
      let type = fieldType(of: wrapped, field, range)
      if case .optional = type { return type }
      return .optional(type)
    case .record(let name):
      guard let record = environment.records[name] else { return .dyn }
      if let position = record.position(of: field.text) { return record.fields[position].type }
      let near = Suggestion.nearest(to: field.text, among: record.fields.map(\.name))
      report(.undefinedField, "\(name) has no field '\(field.text)'", field.range, suggestion: near)
      return .dyn
    default:
      report(.undefinedField, "a value of type \(show(operand)) has no fields", field.range)
      return .dyn
    }
  }
}
