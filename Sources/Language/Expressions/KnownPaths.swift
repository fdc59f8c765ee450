internal import CEL

/// Which paths surely have a value where a condition came out one way.
enum KnownPaths {
  /// `steps.a.outcome == 'pass'`, `in ['pass', 'warn']`, `has(steps.a.output)`, `secrets.x.present`, and what `!`, `&&`,
  /// `||` make of them.
  static func when(_ node: SyntaxNode, is truth: Bool) -> Set<String> {
    switch node.kind {
    case .unary(.not, let operand): return when(operand, is: !truth)
    case .binary(.and, let left, let right):
      let (a, b) = (when(left, is: truth), when(right, is: truth))
      return truth ? a.union(b) : a.intersection(b)
    case .binary(.or, let left, let right):
      let (a, b) = (when(left, is: truth), when(right, is: truth))
      return truth ? a.intersection(b) : a.union(b)
    case .binary(.equal, let left, let right) where truth, .binary(.notEqual, let left, let right) where !truth:
      return passed(left, [right]).union(passed(right, [left]))
    case .binary(.in, let left, let right) where truth:
      guard case .list(let elements) = right.kind else { return [] }
      return passed(left, elements.map(\.value))
    case .presence(let operand, let field) where truth:
      guard var path = NamePath(operand) else { return [] }
      path.append(.init(text: field.text, range: field.range), isOptional: false, end: node.range.end)
      let text = path.text(path.segments.count)
      return [path.root.text == Root.steps.rawValue ? presence(of: text) : text]
    case .select where truth:
      guard let path = NamePath(node), path.root.text == "secrets", path.segments.count == 2, path.name(1) == "present"
      else { return [] }
      return [path.text(1)]
    default: return []
    }
  }

  /// What `has(…)` makes known of a step's output: it is there, which of a check does not mean that all of it is.
  static func presence(of path: String) -> String { "has(\(path))" }

  /// True if a field is known to have a value.
  static func hasValue(_ path: String, _ known: Set<String>) -> Bool {
    !path.contains(NamePath.anyPosition) && (known.contains(path) || known.contains(presence(of: path)))
  }

  /// What stays known where a macro gives these names another meaning.
  static func without(_ names: some Sequence<String>, _ known: Set<String>) -> Set<String> {
    let prefixes = names.map { "\($0)." }
    return known.filter { path in !prefixes.contains(where: path.hasPrefix) }
  }

  /// The output of the step whose outcome is compared, where all it is compared with are outcomes that have one.
  private static func passed(_ node: SyntaxNode, _ others: [SyntaxNode]) -> Set<String> {
    guard let path = NamePath(node), path.root.text == "steps", path.segments.count == 2, path.name(1) == "outcome",
      let id = path.name(0), !others.isEmpty
    else { return [] }
    let arePassed = others.allSatisfy { other in
      guard case .literal(.string(let text)) = other.kind else { return false }
      return text == "pass" || text == "warn"
    }
    return arePassed ? ["steps.\(id).output"] : []
  }
}
