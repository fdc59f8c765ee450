/// Makes nodes that can be evaluated from a tree: names become positions, constant parts become values.
struct Planner {
  private let environment: CELEnvironment
  private let checked: CheckedExpression?
  private let isTracing: Bool
  private var locals: [String] = []
  private var localCount = 0

  /// The nodes that were made, by the ids of their expressions.
  private var nodes: [(any EvaluationNode)?]

  init(environment: CELEnvironment, parsed: ParsedExpression, checked: CheckedExpression?, isTracing: Bool) {
    self.environment = environment
    self.checked = checked
    self.isTracing = isTracing
    nodes = Array(repeating: nil, count: parsed.nodeCount)
  }

  consuming func plan(_ root: CELExpression) -> EvaluationPlan {
    makeAll(root)
    return EvaluationPlan(root: node(root), localCount: localCount)
  }

  // MARK: The way through the tree

  /// What is to be done next: on a stack of its own, so that no height of the tree exhausts that of the thread.
  private enum Work {
    case enter(CELExpression)
    /// Gives the variables of a macro their positions.
    case declare(CELExpression)
    /// Makes the node of an expression whose operands have theirs.
    case exit(CELExpression)
  }

  private mutating func makeAll(_ root: CELExpression) {
    var work = [Work.enter(root)]
    while let next = work.popLast() {
      switch next {
      case .enter(let expression): enter(expression, &work)
      case .declare(let expression): declareVariables(of: expression)
      case .exit(let expression): finish(expression, make(expression))
      }
    }
  }

  private mutating func finish(_ expression: CELExpression, _ node: any EvaluationNode) {
    nodes[expression.id] = isTracing ? TraceNode(expression.id, node) : node
  }

  private mutating func enter(_ expression: CELExpression, _ work: inout [Work]) {
    switch expression.kind {
    case .literal(let value): finish(expression, ConstantNode(value, expression.range))
    case .identifier(let name): finish(expression, identifier(name, expression))
    case .select(let operand, _, let isOptional):
      if !isOptional, let node = qualified(expression) {
        finish(expression, node)
      } else {
        work += [.exit(expression), .enter(operand)]
      }
    case .call(let target, let function, let arguments):
      work.append(.exit(expression))
      let operands = resolve(expression, target, function.text, arguments)?.operands ?? []
      work += operands.reversed().map { .enter($0) }
    case .comprehension(let it):
      work += [.exit(expression), .enter(it.body)]
      if let filter = it.filter { work.append(.enter(filter)) }
      work += [.declare(expression), .enter(it.range)]
    case .bind(_, let value, let body):
      work += [.exit(expression), .enter(body), .declare(expression), .enter(value)]
    default:
      work.append(.exit(expression))
      work += expression.children.reversed().map { .enter($0) }
    }
  }

  private mutating func declareVariables(of expression: CELExpression) {
    switch expression.kind {
    case .comprehension(let it): locals += it.variables.map(\.text)
    case .bind(let name, _, _): locals.append(name.text)
    default: return
    }
    localCount = Swift.max(localCount, locals.count)
  }

  /// The node of an expression that was made.
  private func node(_ expression: CELExpression) -> any EvaluationNode {
    nodes[expression.id] ?? FailingNode(EvaluationError(.noValue, "no value"), expression.range)
  }

  private mutating func make(_ expression: CELExpression) -> any EvaluationNode {
    let range = expression.range
    switch expression.kind {
    case .literal, .identifier: return node(expression)
    case .select(let operand, let field, let isOptional): return select(expression, operand, field.text, isOptional)
    case .presence(let operand, let field):
      let inner = node(operand)
      return fold(PresenceNode(inner, field.text, range), [inner])
    case .index(let operand, let index, let isOptional):
      let inner = node(operand)
      let key = node(index)
      let made: any EvaluationNode =
        isOptional ? OptionalSelectNode(inner, index: key, isField: false, range) : IndexNode(inner, key, range)
      return fold(made, [inner, key])
    case .call(let target, let function, let arguments): return call(expression, target, function, arguments)
    case .unary(let op, let operand):
      let inner = node(operand)
      return fold(op == .not ? NotNode(inner, range) : NegateNode(inner, range), [inner])
    case .binary(let op, let left, let right): return binary(op, node(left), node(right), range)
    case .conditional(let condition, let first, let second):
      let operands = [node(condition), node(first), node(second)]
      return fold(ConditionalNode(operands[0], operands[1], operands[2], range), operands)
    case .list(let elements):
      let values = elements.map { node($0.value) }
      return fold(ListNode(values, optional: elements.map(\.isOptional), range), values)
    case .map(let entries):
      let keys = entries.map { node($0.key) }
      let values = entries.map { node($0.value) }
      return fold(MapNode(keys: keys, values: values, optional: entries.map(\.isOptional), range), keys + values)
    case .record(let name, let fields): return record(name, fields, range)
    case .comprehension(let it):
      defer { locals.removeLast(it.variables.count) }
      return comprehension(it, range)
    case .bind(_, let value, let body):
      defer { locals.removeLast() }
      return BindNode(slot: locals.count - 1, value: node(value), body: node(body), range)
    }
  }

  /// The node, or its value when all it depends on is constant and it does not fail.
  private func fold(_ node: any EvaluationNode, _ operands: [any EvaluationNode]) -> any EvaluationNode {
    guard !isTracing, operands.allSatisfy({ $0.constant != nil }) else { return node }
    let plan = EvaluationPlan(root: node, localCount: 0)
    var frame = Frame(activation: SlotActivation([]), plan: plan, costLimit: 1000)
    do throws(EvaluationError) {
      return ConstantNode(try node.evaluate(&frame), node.range)
    } catch {
      return node
    }
  }

  // MARK: Names

  private func identifier(_ name: String, _ expression: CELExpression) -> any EvaluationNode {
    if let slot = locals.lastIndex(of: name) { return LocalNode(slot, expression.range) }
    return global(expression, name)
      ?? FailingNode(EvaluationError(.noValue, "undeclared name '\(name)'"), expression.range)
  }

  private func global(_ expression: CELExpression, _ name: String) -> (any EvaluationNode)? {
    switch checked.map({ $0.reference(of: expression) }) ?? environment.reference(to: name) {
    case .variable(let variable)?: VariableNode(variable, expression.range)
    case .constant(let value)?: ConstantNode(value, expression.range)
    default: nil
    }
  }

  private func qualifiedName(_ expression: CELExpression) -> String? {
    var names: [String] = []
    var current = expression
    while case .select(let operand, let field, false) = current.kind {
      names.append(field.text)
      current = operand
    }
    guard case .identifier(let root) = current.kind, !locals.contains(root) else { return nil }
    return names.isEmpty ? root : root + "." + names.reversed().joined(separator: ".")
  }

  /// The node of a selection that is a qualified name.
  private func qualified(_ expression: CELExpression) -> (any EvaluationNode)? {
    if let checked, checked.reference(of: expression) == nil { return nil }
    return qualifiedName(expression).flatMap { global(expression, $0) }
  }

  private func select(
    _ expression: CELExpression, _ operand: CELExpression, _ field: String, _ isOptional: Bool
  ) -> any EvaluationNode {
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
    _ op: CELExpression.BinaryOperator, _ left: any EvaluationNode, _ right: any EvaluationNode, _ range: CELSourceRange
  ) -> any EvaluationNode {
    let node: any EvaluationNode
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

  private func call(
    _ expression: CELExpression, _ target: CELExpression?, _ function: CELExpression.Name, _ arguments: [CELExpression]
  ) -> any EvaluationNode {
    guard let (name, overloads, operands) = resolve(expression, target, function.text, arguments) else {
      let error = EvaluationError(.noSuchOverload, "undeclared function '\(function.text)'")
      return FailingNode(error, expression.range)
    }
    let values = operands.map { node($0) }
    if values.count == 2, OptionalExtension.isLazy(overloads.map(\.id)) {
      let givesValue = overloads.first?.id == OptionalExtension.orValue
      return fold(AlternativeNode(name, givesValue: givesValue, values[0], values[1], expression.range), values)
    }
    let call = CallNode(name, overloads, values, expression.range)
    return overloads.allSatisfy(\.isPure) ? fold(call, values) : call
  }

  /// The function that a call means, the overloads that may apply, and the arguments with the receiver.
  private func resolve(
    _ expression: CELExpression, _ target: CELExpression?, _ function: String, _ arguments: [CELExpression]
  ) -> (name: String, overloads: [Overload], operands: [CELExpression])? {
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

  private func record(
    _ name: CELExpression.Name, _ fields: [CELExpression.FieldValue], _ range: CELSourceRange
  ) -> any EvaluationNode {
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

  private func comprehension(_ it: CELExpression.Comprehension, _ range: CELSourceRange) -> any EvaluationNode {
    let slots = Array((locals.count - it.variables.count)..<locals.count)
    let visit = Visit(
      range: node(it.range), place: range, slots: slots, filter: it.filter.map { node($0) }, body: node(it.body))
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
    case .sortBy: return SortNode(visit, range)
    }
  }
}
