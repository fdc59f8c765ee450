/// Makes nodes that can be evaluated from a tree: names become positions, constant parts become values.
struct Planner {
  private let environment: Environment
  private let checked: CheckedExpression?
  private let isTracing: Bool
  private var locals: [String] = []
  private var localCount = 0

  init(environment: Environment, checked: CheckedExpression?, isTracing: Bool) {
    self.environment = environment
    self.checked = checked
    self.isTracing = isTracing
  }

  consuming func plan(_ root: Expression) -> Plan {
    let node = node(root)
    return Plan(root: node, localCount: localCount)
  }

  private mutating func node(_ expression: Expression) -> any Node {
    let node = make(expression)
    return isTracing ? TraceNode(expression.id, node) : node
  }

  private mutating func make(_ expression: Expression) -> any Node {
    let range = expression.range
    switch expression.kind {
    case .literal(let value): return ConstantNode(value, range)
    case .identifier(let name): return identifier(name, expression)
    case .select(let operand, let field, let isOptional): return select(expression, operand, field.text, isOptional)
    case .presence(let operand, let field, _):
      let inner = node(operand)
      return fold(PresenceNode(inner, field.text, range), [inner])
    case .index(let operand, let index, let isOptional):
      let inner = node(operand)
      let key = node(index)
      let made: any Node =
        isOptional
        ? OptionalSelectNode(inner, index: key, isField: false, range) : IndexNode(inner, key, range)
      return fold(made, [inner, key])
    case .call(let target, let function, let arguments): return call(expression, target, function, arguments)
    case .unary(let op, let operand):
      let inner = node(operand)
      return fold(op == .not ? NotNode(inner, range) : NegateNode(inner, range), [inner])
    case .binary(let op, let left, let right): return binary(op, node(left), node(right), range)
    case .conditional(let condition, let first, let second):
      let nodes = [node(condition), node(first), node(second)]
      return fold(ConditionalNode(nodes[0], nodes[1], nodes[2], range), nodes)
    case .list(let elements):
      let nodes = elements.map { node($0.value) }
      return fold(ListNode(nodes, optional: elements.map(\.isOptional), range), nodes)
    case .map(let entries):
      let keys = entries.map { node($0.key) }
      let values = entries.map { node($0.value) }
      return fold(MapNode(keys: keys, values: values, optional: entries.map(\.isOptional), range), keys + values)
    case .record(let name, let fields): return record(name, fields, range)
    case .comprehension(let comprehension): return self.comprehension(comprehension, range)
    case .bind(let name, let value, let body):
      let bound = node(value)
      let slot = push(name.text)
      let inner = node(body)
      locals.removeLast()
      return BindNode(slot: slot, value: bound, body: inner, range)
    }
  }

  /// The node, or its value when all it depends on is constant and it does not fail.
  private func fold(_ node: any Node, _ operands: [any Node]) -> any Node {
    guard !isTracing, operands.allSatisfy({ $0.constant != nil }) else { return node }
    let plan = Plan(root: node, localCount: 0)
    var frame = Frame(activation: SlotActivation([]), plan: plan, costLimit: 1000)
    do throws(EvaluationError) {
      return ConstantNode(try node.evaluate(&frame), node.range)
    } catch {
      return node
    }
  }

  private mutating func push(_ name: String) -> Int {
    locals.append(name)
    localCount = Swift.max(localCount, locals.count)
    return locals.count - 1
  }

  // MARK: Names

  private func identifier(_ name: String, _ expression: Expression) -> any Node {
    if let slot = locals.lastIndex(of: name) { return LocalNode(slot, expression.range) }
    return global(expression, name)
      ?? FailingNode(EvaluationError(.noValue, "undeclared name '\(name)'"), expression.range)
  }

  private func global(_ expression: Expression, _ name: String) -> (any Node)? {
    switch checked.map({ $0.reference(of: expression) }) ?? environment.reference(to: name) {
    case .variable(let variable)?: VariableNode(variable, expression.range)
    case .constant(let value)?: ConstantNode(value, expression.range)
    default: nil
    }
  }

  private func qualifiedName(_ expression: Expression) -> String? {
    switch expression.kind {
    case .identifier(let name): return locals.contains(name) ? nil : name
    case .select(let operand, let field, false): return qualifiedName(operand).map { "\($0).\(field.text)" }
    default: return nil
    }
  }

  private mutating func select(
    _ expression: Expression, _ operand: Expression, _ field: String, _ isOptional: Bool
  ) -> any Node {
    if checked == nil || checked?.reference(of: expression) != nil, !isOptional, let name = qualifiedName(expression),
      let node = global(expression, name)
    {
      return node
    }
    let inner = node(operand)
    if isOptional {
      let key = ConstantNode(.string(field), expression.range)
      return fold(OptionalSelectNode(inner, index: key, isField: true, expression.range), [inner])
    }
    if case .record(let name)? = checked?.type(of: operand), let type = environment.records[name],
      let position = type.position(of: field)
    {
      return RecordSelectNode(inner, field, type, position, expression.range)
    }
    return fold(SelectNode(inner, field, expression.range), [inner])
  }

  // MARK: Operators and calls

  private func binary(
    _ op: Expression.BinaryOperator, _ left: any Node, _ right: any Node, _ range: SourceRange
  ) -> any Node {
    let node: any Node
    switch op {
    case .and: node = LogicNode(deciding: false, left, right, range)
    case .or: node = LogicNode(deciding: true, left, right, range)
    case .equal: node = EqualityNode(isNegated: false, left, right, range)
    case .notEqual: node = EqualityNode(isNegated: true, left, right, range)
    case .less, .lessOrEqual, .greater, .greaterOrEqual: node = OrderNode(op, left, right, range)
    case .in: node = InNode(left, right, range)
    case .add, .subtract, .multiply, .divide, .modulo: node = ArithmeticNode(op, left, right, range)
    }
    return fold(node, [left, right])
  }

  private mutating func call(
    _ expression: Expression, _ target: Expression?, _ function: Expression.Name, _ arguments: [Expression]
  ) -> any Node {
    guard let (name, overloads, operands) = resolve(expression, target, function.text, arguments) else {
      let error = EvaluationError(.noSuchOverload, "undeclared function '\(function.text)'")
      return FailingNode(error, expression.range)
    }
    let nodes = operands.map { node($0) }
    let call = CallNode(name, overloads, nodes, expression.range)
    return overloads.allSatisfy(\.isPure) ? fold(call, nodes) : call
  }

  /// The function that a call means, the overloads that may apply, and the arguments with the receiver.
  private func resolve(
    _ expression: Expression, _ target: Expression?, _ function: String, _ arguments: [Expression]
  ) -> (String, [Overload], [Expression])? {
    if let checked {
      guard case .function(let name, let ids)? = checked.reference(of: expression) else { return nil }
      let all = environment.functions[name] ?? []
      let overloads = ids.count == all.count ? all : ids.compactMap { id in all.first { $0.id == id } }
      let isMember = overloads.first?.isMember ?? false
      return (name, overloads, (isMember ? target.map { [$0] } ?? [] : []) + arguments)
    }
    let qualified = target.flatMap { qualifiedName($0) }.map { "\($0).\(function)" }
    if let full = target == nil ? function : qualified {
      for name in environment.candidates(for: full) {
        if let overloads = environment.functions[name] { return (name, overloads.filter { !$0.isMember }, arguments) }
      }
    }
    guard let target, let overloads = environment.functions[function] else { return nil }
    return (function, overloads.filter(\.isMember), [target] + arguments)
  }

  // MARK: Records and macros

  private mutating func record(
    _ name: Expression.Name, _ fields: [Expression.FieldValue], _ range: SourceRange
  ) -> any Node {
    let values = fields.map { node($0.value) }
    guard let type = environment.recordType(resolving: name.text) else {
      return FailingNode(EvaluationError(.noSuchOverload, "undeclared type '\(name.text)'"), range)
    }
    let positions = fields.compactMap { type.position(of: $0.field.text) }
    guard positions.count == fields.count else {
      return FailingNode(EvaluationError(.noSuchField, "\(type.name) has no such field"), range)
    }
    let literal = RecordNode(type, positions: positions, values: values, optional: fields.map(\.isOptional), range)
    return fold(literal, values)
  }

  private mutating func comprehension(_ it: Expression.Comprehension, _ range: SourceRange) -> any Node {
    let visited = node(it.range)
    let slots = it.variables.map { push($0.text) }
    let visit = Visit(
      range: visited, place: range, slots: slots, filter: it.filter.map { node($0) }, body: node(it.body))
    locals.removeLast(slots.count)
    switch it.macro {
    case .all: return QuantifierNode(deciding: false, visit, range)
    case .exists: return QuantifierNode(deciding: true, visit, range)
    case .existsOne: return ExistsOneNode(visit, range)
    case .filter: return FilterNode(visit, range)
    case .map, .transformList: return TransformListNode(visit, range)
    case .transformMap: return TransformMapNode(givesEntries: false, visit, range)
    case .transformMapEntry: return TransformMapNode(givesEntries: true, visit, range)
    case .optMap: return OptionalMapNode(isFlat: false, visit, range)
    case .optFlatMap: return OptionalMapNode(isFlat: true, visit, range)
    }
  }
}
