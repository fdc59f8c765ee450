/// Finds out what names stand for and which types everything has.
struct Checker {
  /// A variable of a macro, while its body is checked.
  struct Local {
    let name: String
    let type: CELType
    let owner: Int
    let position: Int
  }

  let environment: CELEnvironment
  private let parsed: ParsedExpression
  private var types: [CELType]
  private var references: [Reference?]
  private var problems: [CELProblem] = []
  var isPure = true
  var substitution = Substitution()
  var locals: [Local] = []

  init(environment: CELEnvironment, parsed: ParsedExpression) {
    self.environment = environment
    self.parsed = parsed
    types = Array(repeating: .dyn, count: parsed.nodeCount)
    references = Array(repeating: nil, count: parsed.nodeCount)
  }

  mutating func check(expecting expected: CELType?) throws(CompileError) -> CheckedExpression {
    checkAll(parsed.root)
    let type = type(of: parsed.root)
    if let expected, problems.isEmpty, !substitution.assign(type, to: expected) {
      report(.typeMismatch, "the expression is of type \(show(type)), \(expected) is due", parsed.root.range)
    }
    guard problems.isEmpty else { throw CompileError(problems) }
    for index in types.indices { types[index] = substitution.apply(types[index], isFinal: true) }
    return CheckedExpression(parsed: parsed, isPure: isPure, types: types, references: references)
  }

  mutating func report(
    _ code: CELProblem.Code, _ message: String, _ range: CELSourceRange, about subject: CELProblem.Subject? = nil,
    suggestion: String? = nil
  ) {
    problems.append(CELProblem(code: code, message: message, range: range, subject: subject, suggestion: suggestion))
  }

  mutating func refer(_ node: CELExpression, to reference: Reference) {
    references[node.id] = reference
  }

  func reference(_ node: CELExpression) -> Reference? { references[node.id] }

  /// The type as a message shows it.
  func show(_ type: CELType) -> String { known(type).description }

  /// The type with all that is known of its parameters.
  func known(_ type: CELType) -> CELType { substitution.apply(type, isFinal: true) }

  /// The type of a node that was checked; `dyn` where there is a problem, so that it is reported once.
  func type(of node: CELExpression) -> CELType { types[node.id] }

  /// The names of the macros on a receiver.
  static let macros = [
    "all", "exists", "exists_one", "existsOne", "filter", "map", "optFlatMap", "optMap", "sortBy", "transformList",
    "transformMap", "transformMapEntry",
  ]

  // MARK: The way through the tree

  /// What is to be done next: on a stack of its own, so that no height of the tree exhausts that of the thread.
  private enum Work {
    case enter(CELExpression)
    /// Makes the variables of a macro known.
    case declare(CELExpression)
    /// Finds the type of a node whose operands have theirs.
    case exit(CELExpression)
  }

  private mutating func checkAll(_ root: CELExpression) {
    var work = [Work.enter(root)]
    while let next = work.popLast(), problems.count < CELProblem.mostReported {
      switch next {
      case .enter(let node): enter(node, &work)
      case .declare(let node): declareVariables(of: node)
      case .exit(let node): types[node.id] = bounded(typeOf(node), node)
      }
    }
  }

  private static let mostTypeParts = 300

  /// The type, unless it has more parts than any sensible one: types made of types can double with each level.
  private mutating func bounded(_ type: CELType, _ node: CELExpression) -> CELType {
    guard !type.parameters.isEmpty else { return type }
    var parts = 0
    var pending = [substitution.apply(type)]
    while let next = pending.popLast() {
      parts += 1
      if parts > Self.mostTypeParts {
        report(.limitExceeded, "the type of the expression has more than \(Self.mostTypeParts) parts", node.range)
        return .dyn
      }
      pending += next.parameters
    }
    return type
  }

  private mutating func enter(_ node: CELExpression, _ work: inout [Work]) {
    switch node.kind {
    case .literal(let value): types[node.id] = value.type
    case .identifier(let name): types[node.id] = identifier(name, node)
    case .select(let operand, _, let isOptional):
      if !isOptional, let type = qualified(node) {
        types[node.id] = type
      } else {
        work += [.exit(node), .enter(operand)]
      }
    case .call(let target, let function, let arguments):
      work.append(.exit(node))
      let (_, overloads, operands) = callee(target, function.text, arguments)
      // The arguments of a misspelt macro are full of names that nothing declares.
      let isMacro =
        overloads.isEmpty && target != nil && Suggestion.nearest(to: function.text, among: Self.macros) != nil
      work += (isMacro ? operands.prefix(1) : operands[...]).reversed().map { .enter($0) }
    case .comprehension(let it):
      work += [.exit(node), .enter(it.body)]
      if let filter = it.filter { work.append(.enter(filter)) }
      work += [.declare(node), .enter(it.range)]
    case .bind(_, let value, let body): work += [.exit(node), .enter(body), .declare(node), .enter(value)]
    default:
      work.append(.exit(node))
      work += node.children.reversed().map { .enter($0) }
    }
  }

  private mutating func declareVariables(of node: CELExpression) {
    switch node.kind {
    case .comprehension(let it):
      let types = variableTypes(it, type(of: it.range))
      for (position, variable) in it.variables.enumerated() {
        locals.append(Local(name: variable.text, type: types[position], owner: node.id, position: position))
      }
    case .bind(let name, let value, _):
      locals.append(Local(name: name.text, type: type(of: value), owner: node.id, position: 0))
    default: break
    }
  }

  private mutating func typeOf(_ node: CELExpression) -> CELType {
    switch node.kind {
    case .literal, .identifier: return type(of: node)
    case .select(let operand, let field, let isOptional):
      let type = fieldType(of: type(of: operand), field, operand.range)
      if case .optional = type { return type }
      return isOptional ? .optional(type) : type
    case .presence(let operand, let field):
      _ = fieldType(of: type(of: operand), field, operand.range)
      return .bool
    case .index(let operand, let index, let isOptional): return self.index(node, operand, index, isOptional)
    case .call(let target, let function, let arguments): return call(node, target, function, arguments)
    case .unary(.not, let operand):
      require(operand, .bool, "'!'")
      return .bool
    case .unary(.negate, let operand): return overloaded(node, "-_", [operand], symbol: "-")
    case .binary(let op, let left, let right): return binary(node, op, left, right)
    case .conditional(let condition, let first, let second): return conditional(condition, first, second)
    case .list(let elements): return list(elements)
    case .map(let entries): return map(entries)
    case .record(let type, let fields): return record(node, type, fields)
    case .comprehension(let it):
      defer { locals.removeLast(it.variables.count) }
      return comprehension(it)
    case .bind(_, _, let body):
      defer { locals.removeLast() }
      return type(of: body)
    }
  }

  /// Checks an operand that must be of a type.
  mutating func require(_ node: CELExpression, _ expected: CELType, _ user: String) {
    let type = type(of: node)
    if !substitution.assign(type, to: expected) {
      report(.typeMismatch, "\(user) takes \(expected), not \(show(type))", node.range)
    }
  }

  // MARK: Names

  private mutating func identifier(_ name: String, _ node: CELExpression) -> CELType {
    if let local = locals.last(where: { $0.name == name }) {
      refer(node, to: .local(name: name, owner: local.owner, position: local.position))
      return local.type
    }
    if let type = global(name, node) { return type }
    let known = locals.map(\.name) + Array(environment.variablesByName.keys) + Array(environment.constants.keys)
    let message = "undeclared name '\(name)'"
    report(
      .undeclaredName, message, node.range, about: .name(name), suggestion: Suggestion.nearest(to: name, among: known))
    return .dyn
  }

  /// The type of a variable or constant of that name, relative to the container.
  private mutating func global(_ name: String, _ node: CELExpression) -> CELType? {
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
  func qualifiedName(_ node: CELExpression) -> String? {
    var names: [String] = []
    var node = node
    while case .select(let operand, let field, false) = node.kind {
      names.append(field.text)
      node = operand
    }
    guard case .identifier(let root) = node.kind, !locals.contains(where: { $0.name == root }) else { return nil }
    if !names.isEmpty, !environment.mayQualify(root) { return nil }
    return names.isEmpty ? root : root + "." + names.reversed().joined(separator: ".")
  }

  /// The type of a selection that is a qualified name.
  private mutating func qualified(_ node: CELExpression) -> CELType? {
    qualifiedName(node).flatMap { global($0, node) }
  }

  /// The type of a field; optional when it is selected from an optional.
  mutating func fieldType(of operand: CELType, _ field: CELExpression.Name, _ range: CELSourceRange) -> CELType {
    switch substitution.apply(operand) {
    case .dyn: return .dyn
    case .parameter:
      _ = substitution.assign(.dyn, to: operand)
      return .dyn
    case .map(let key, let value):
      if !substitution.assign(.string, to: key) {
        report(
          .undefinedField, "the keys of \(show(operand)) are no texts", field.range,
          about: .field(field.text, of: known(operand)))
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
      report(
        .undefinedField, "\(name) has no field '\(field.text)'", field.range,
        about: .field(field.text, of: .record(name)), suggestion: near)
      return .dyn
    default:
      report(
        .undefinedField, "a value of type \(show(operand)) has no fields", field.range,
        about: .field(field.text, of: known(operand)))
      return .dyn
    }
  }
}
