extension CELExpression {
  /// Whether both are the same tree, wherever their nodes stand in their sources.
  public func isSameTree(as other: CELExpression) -> Bool {
    var pairs = [(self, other)]
    while let (first, second) = pairs.popLast() {
      let children = first.children
      let others = second.children
      guard first.hasSameHead(as: second), children.count == others.count else { return false }
      pairs += zip(children, others)
    }
    return true
  }

  /// Whether the nodes are the same but for their children.
  private func hasSameHead(as other: CELExpression) -> Bool {
    switch (kind, other.kind) {
    case (.literal(let a), .literal(let b)): return a == b
    case (.identifier(let a), .identifier(let b)): return a == b
    case (.select(_, let a, let x), .select(_, let b, let y)): return a.text == b.text && x == y
    case (.presence(_, let a), .presence(_, let b)): return a.text == b.text
    case (.index(_, _, let x), .index(_, _, let y)): return x == y
    case (.call(let t, let a, _), .call(let u, let b, _)): return a.text == b.text && (t == nil) == (u == nil)
    case (.unary(let a, _), .unary(let b, _)): return a == b
    case (.binary(let a, _, _), .binary(let b, _, _)): return a == b
    case (.conditional, .conditional): return true
    case (.list(let a), .list(let b)): return a.map(\.isOptional) == b.map(\.isOptional)
    case (.map(let a), .map(let b)): return a.map(\.isOptional) == b.map(\.isOptional)
    case (.record(let a, let x), .record(let b, let y)):
      return a.text == b.text && x.map(\.field.text) == y.map(\.field.text)
        && x.map(\.isOptional) == y.map(\.isOptional)
    case (.comprehension(let a), .comprehension(let b)):
      return a.macro == b.macro && a.variables.map(\.text) == b.variables.map(\.text)
        && (a.filter == nil) == (b.filter == nil)
    case (.bind(let a, _, _), .bind(let b, _, _)): return a.text == b.text
    default: return false
    }
  }

  /// Calls `body` for this node and all below, parents before children.
  public func visit(_ body: (CELExpression) -> Void) {
    var pending = [self]
    while let node = pending.popLast() {
      body(node)
      pending += node.children.reversed()
    }
  }

  /// This node and all below, children before parents, in the order of the source.
  var postorder: [CELExpression] {
    var nodes: [CELExpression] = []
    var pending = [(node: self, isOpen: false)]
    while let (node, isOpen) = pending.popLast() {
      let children = isOpen ? [] : node.children
      if children.isEmpty {
        nodes.append(node)
      } else {
        pending.append((node, true))
        pending += children.reversed().map { ($0, false) }
      }
    }
    return nodes
  }
}
