/// A variable, and what of it an expression reads: `steps.state.output.running`.
public struct AccessPath: Hashable, Sendable, CustomStringConvertible {
  /// The variable.
  public let variable: Variable
  /// The fields selected from it, one from another, up to the first that is not known beforehand. A text in `[]` counts as a
  /// field.
  public let fields: [String]
  /// Where the path stands.
  public let range: CELSourceRange

  /// The names joined by dots.
  public var description: String { ([variable.name] + fields).joined(separator: ".") }
}

extension CheckedExpression {
  /// What the expression reads, each place once, in the order of the source; the longest path of each place.
  public var paths: [AccessPath] {
    var paths: [AccessPath] = []
    var pending = [root]
    while let node = pending.popLast() {
      if let path = path(of: node) {
        paths.append(path.path)
        pending += path.indices.reversed()
      } else {
        pending += node.children.reversed()
      }
    }
    return paths
  }

  /// The variables that the expression reads, each once, in the order of the source.
  public var variables: [Variable] {
    var seen: Set<String> = []
    return paths.map(\.variable).filter { seen.insert($0.name).inserted }
  }

  /// Whether the expression reads no variable and calls no function that may give different results each time.
  public var isConstant: Bool {
    var isConstant = isPure
    root.visit { node in
      if case .variable? = reference(of: node) { isConstant = false }
    }
    return isConstant
  }

  /// The path that a chain of selections is, and the indices in it that are no texts.
  private func path(of node: CELExpression) -> (path: AccessPath, indices: [CELExpression])? {
    var fields: [String] = []
    var indices: [CELExpression] = []
    var current = node
    while true {
      if case .variable(let variable)? = reference(of: current) {
        let path = AccessPath(variable: variable, fields: fields.reversed(), range: node.range)
        return (path, indices.reversed())
      }
      switch current.kind {
      case .select(let operand, let field, _), .presence(let operand, let field):
        fields.append(field.text)
        current = operand
      case .index(let operand, let index, _):
        if case .literal(.string(let name)) = index.kind {
          fields.append(name)
        } else {
          // What is selected behind an index that is not known belongs to no field that is.
          fields.removeAll()
          indices.append(index)
        }
        current = operand
      default: return nil
      }
    }
  }
}
