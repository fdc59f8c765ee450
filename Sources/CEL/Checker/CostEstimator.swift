/// Adds up what the nodes of an expression charge when they are evaluated.
struct CostEstimator {
  let checked: CheckedExpression
  let pathSizes: [CELSourceRange: ClosedRange<Int>]
  /// The ids of the values that `cel.bind` binds, by the ids of its nodes.
  private var boundValues: [Int: Int] = [:]

  init(checked: CheckedExpression, pathSizes: [CELSourceRange: ClosedRange<Int>]) {
    self.checked = checked
    self.pathSizes = pathSizes
  }

  /// The costs of nodes with all below, and the sizes of their values, by their ids.
  private var estimates: [Int: (cost: Extent, size: Extent)] = [:]
  /// The nodes that depend on nothing, and are computed once, when the program is made.
  private var folded: Set<Int> = []

  /// The cost of the whole expression.
  mutating func estimateAll() -> Extent {
    let nodes = checked.root.postorder
    for node in nodes {
      if case .bind(_, let value, _) = node.kind { boundValues[node.id] = value.id }
    }
    for node in nodes {
      if isFolded(node) { folded.insert(node.id) }
      let (cost, size) = plainEstimate(node)
      estimates[node.id] = (folded.contains(node.id) ? cost.optional : cost, known(node) ?? size)
    }
    return estimate(checked.root).cost
  }

  private func estimate(_ node: CELExpression) -> (cost: Extent, size: Extent) {
    estimates[node.id] ?? (Extent(0), .unknown)
  }

  private func known(_ node: CELExpression) -> Extent? {
    pathSizes[node.range].map { Extent(least: $0.lowerBound, most: $0.upperBound) }
  }

  private func isFolded(_ node: CELExpression) -> Bool {
    switch checked.reference(of: node) {
    case .variable?, .local?: false
    default: node.children.allSatisfy { folded.contains($0.id) }
    }
  }

  private func plainEstimate(_ node: CELExpression) -> (Extent, Extent) {
    switch node.kind {
    case .literal(let value): return (Extent(0), Extent(value.size))
    case .identifier:
      if case .local(_, let owner, _)? = checked.reference(of: node), let value = boundValues[owner] {
        return (Extent(0), estimates[value]?.size ?? .unknown)
      }
      return (Extent(0), unknownSize(node))
    case .select(let operand, _, let isOptional):
      if checked.reference(of: node) != nil { return (Extent(0), unknownSize(node)) }
      let inner = estimate(operand).cost
      return (isOptional ? inner + Extent(1) : inner, unknownSize(node))
    case .presence(let operand, _): return (estimate(operand).cost, Extent(0))
    case .index(let operand, let index, let isOptional):
      let (indexCost, indexSize) = estimate(index)
      let lookup = indexCost + lookupCost(index, indexSize)
      return (Extent(1) + estimate(operand).cost + (isOptional ? lookup.optional : lookup), unknownSize(node))
    case .call(let target, let function, let arguments): return call(node, target, function.text, arguments)
    case .unary(_, let operand): return (Extent(1) + estimate(operand).cost, Extent(0))
    case .binary(let op, let left, let right): return binary(op, left, right)
    case .conditional(let condition, let first, let second):
      let a = estimate(first)
      let b = estimate(second)
      return (Extent(1) + estimate(condition).cost + a.cost.union(b.cost), a.size.union(b.size))
    case .list(let elements):
      var cost = Extent(1 + elements.count)
      for element in elements { cost = cost + estimate(element.value).cost }
      let certain = elements.filter { !$0.isOptional }.count
      return (cost, Extent(least: certain, most: elements.count))
    case .map(let entries):
      var cost = Extent(1 + entries.count)
      for entry in entries {
        let key = estimate(entry.key)
        cost = cost + key.cost + lookupCost(entry.key, key.size).optional + estimate(entry.value).cost
      }
      let certain = entries.filter { !$0.isOptional }.count
      return (cost, Extent(least: certain, most: entries.count))
    case .record(_, let fields):
      var cost = Extent(least: 1, most: .max)
      for field in fields { cost = cost + estimate(field.value).cost }
      return (cost, .unknown)
    case .comprehension(let comprehension): return self.comprehension(comprehension)
    case .bind(_, let value, let body):
      let inner = estimate(body)
      return (estimate(value).cost + inner.cost, inner.size)
    }
  }

  private func unknownSize(_ node: CELExpression) -> Extent {
    checked.type(of: node).hasSize ? .unknown : Extent(0)
  }

  // MARK: Operators

  private func binary(_ op: CELExpression.BinaryOperator, _ left: CELExpression, _ right: CELExpression)
    -> (Extent, Extent)
  {
    let a = estimate(left)
    let b = estimate(right)
    let operands = Extent(1) + a.cost + b.cost
    switch op {
    case .and, .or: return (Extent(1) + a.cost + b.cost.optional, Extent(0))
    case .equal, .notEqual: return (operands + comparison(left, a.size, b.size), Extent(0))
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      return (operands + comparison(left, a.size, b.size), Extent(0))
    case .in:
      let lookup = lookupCost(left, a.size)
      if case .map = checked.type(of: right) { return (operands + lookup, Extent(0)) }
      let each = Extent(1) + comparison(left, a.size, .unknown)
      return (operands + lookup + (b.size * each).optional, Extent(0))
    case .add:
      let size = a.size + b.size
      switch checked.type(of: left) {
      case .string, .bytes: return (operands + size.tenth, size)
      case .list: return (operands + size, size)
      case .dyn: return (operands + size.optional, size)
      default: return (operands, Extent(0))
      }
    default: return (operands, Extent(0))
    }
  }

  /// The cost of looking at two values for equality or order.
  private func comparison(_ node: CELExpression, _ left: Extent, _ right: Extent) -> Extent {
    let smaller = Swift.min(left.most, right.most)
    switch checked.type(of: node) {
    case .string, .bytes: return Extent(least: 0, most: smaller).tenth.optional
    case .list(let element) where !element.hasSize: return Extent(least: 0, most: smaller)
    case let type: return type.hasSize ? .unknown : Extent(0)
    }
  }

  /// The cost of looking up a key.
  private func lookupCost(_ key: CELExpression, _ size: Extent) -> Extent {
    switch checked.type(of: key) {
    case .string, .dyn, .parameter: size.tenth.optional
    default: Extent(0)
    }
  }

  // MARK: Calls and macros

  private func call(
    _ node: CELExpression, _ target: CELExpression?, _ name: String, _ arguments: [CELExpression]
  ) -> (Extent, Extent) {
    if isLazy(node), let target, let other = arguments.first {
      let (first, second) = (estimate(target), estimate(other))
      return (Extent(1) + first.cost + second.cost.optional, unknownSize(node))
    }
    var cost = Extent(1)
    var sizes: [Extent] = []
    let isMember = target.map { checked.reference(of: node).isMember($0, in: checked) } ?? false
    for argument in (isMember ? target.map { [$0] } ?? [] : []) + arguments {
      let (inner, size) = estimate(argument)
      cost = cost + inner + traversal(argument, size)
      sizes.append(size)
    }
    let full = checked.functionName(of: node)
    if SetsExtension.functions[full] != nil { return (cost + .unknown, Extent(0)) }
    if name != "reverse", ListsExtension.functions[full] != nil { return (cost + .unknown, unknownSize(node)) }
    switch name {
    case "size", "contains", "startsWith", "endsWith", "int", "uint", "double", "bool", "duration", "timestamp":
      return (cost, Extent(0))
    case "charAt", "substring", "lowerAscii", "upperAscii", "trim", "reverse", "bytes":
      return (cost, Extent(least: 0, most: sizes.first?.most ?? .max))
    case "matches":
      guard let last = arguments.last, case .literal(.string(let source)) = last.kind,
        let pattern = pattern(source), let text = sizes.first
      else { return (cost + .unknown, Extent(0)) }
      let compilation = Extent(pattern.size).optional
      return (cost + compilation + (text.tenth + Extent(1)) * Extent(pattern.size / 10 + 1), Extent(0))
    default:
      let isMetered = ["format", "replace", "split", "join"].contains(name)
      let isHost = !StandardDefinitions.all.functions.keys.contains(full)
      return (isMetered || isHost ? cost + .unknown : cost, unknownSize(node))
    }
  }

  /// Whether the call evaluates its argument only if the optional before it is empty.
  private func isLazy(_ node: CELExpression) -> Bool {
    guard case .function(_, let overloads)? = checked.reference(of: node) else { return false }
    return OptionalExtension.isLazy(overloads)
  }

  private func pattern(_ source: String) -> Pattern? {
    var meter = CostMeter(limit: .max)
    return try? Pattern.cached(source, &meter)
  }

  /// What a function is charged for looking at an argument.
  private func traversal(_ argument: CELExpression, _ size: Extent) -> Extent {
    switch checked.type(of: argument) {
    case .string, .bytes: size.tenth
    case .list, .map: size
    case let type: type.hasSize ? .unknown : Extent(0)
    }
  }

  private func comprehension(_ it: CELExpression.Comprehension) -> (Extent, Extent) {
    let range = estimate(it.range)
    let body = estimate(it.body).cost
    let filter = it.filter.map { estimate($0).cost }
    let step = Extent(1) + (filter.map { $0 + body.optional } ?? body)
    let start = Extent(1) + range.cost
    switch it.macro {
    case .all, .exists: return (start + (range.size * step).optional, Extent(0))
    case .existsOne: return (start + range.size * step, Extent(0))
    case .filter: return (start + range.size * step, range.size.optional)
    case .transformMap: return (start + range.size * (step + .unknown), range.size.optional)
    case .map, .transformList:
      return (start + range.size * step, it.filter == nil ? range.size : range.size.optional)
    case .transformMapEntry: return (start + range.size * (step + .unknown), .unknown)
    case .optMap, .optFlatMap: return (start + body.optional, Extent(0))
    case .sortBy: return (start + range.size * (step + .unknown), range.size)
    }
  }
}

extension CELType {
  /// Whether values of the type have a size that functions and comparisons are charged for.
  fileprivate var hasSize: Bool {
    switch self {
    case .string, .bytes, .list, .map, .dyn, .record, .opaque, .optional, .parameter: true
    case .null, .bool, .int, .uint, .double, .timestamp, .duration, .type: false
    }
  }
}

extension CELValue {
  fileprivate var size: Int {
    switch self {
    case .string(let text): text.utf8.count
    case .bytes(let octets): octets.count
    case .list(let values): values.count
    case .map(let map): map.count
    default: 0
    }
  }
}

extension CheckedExpression {
  fileprivate func functionName(of node: CELExpression) -> String {
    if case .function(let name, _)? = reference(of: node) { return name }
    return ""
  }
}

extension Reference? {
  /// Whether the call has `target` as its receiver, rather than as the namespace of the function.
  fileprivate func isMember(_ target: CELExpression, in checked: CheckedExpression) -> Bool {
    guard case .function(let name, _)? = self else { return true }
    return !name.contains(".")
  }
}
