internal import CEL
internal import Schema

typealias SyntaxNode = CELExpression

extension SyntaxNode {
  /// The operands of a chain of one logical operator, in the order of the source: `a && b && c` has three.
  func operands(of operation: BinaryOperator) -> [SyntaxNode] {
    var operands: [SyntaxNode] = []
    var pending = [self]
    while let node = pending.popLast() {
      if case .binary(operation, let left, let right) = node.kind {
        pending += [right, left]
      } else {
        operands.append(node)
      }
    }
    return operands
  }
}

/// A chain of fields and positions that begins at a name: `steps.relay.output.rtt`, `inputs.servers[0].host`.
struct NamePath {
  var root: Name
  var segments: [Segment]
  /// Positions in brackets, whose own names count too.
  var indices: [SyntaxNode]

  struct Name {
    var text: String
    var range: CELSourceRange
  }

  struct Segment {
    /// Nil for a position in brackets.
    var name: Name?
    /// The name, or the position as it is written where it is a whole number: `[0]`; otherwise ``NamePath/anyPosition``.
    var text: String
    /// True for `.?` and `[?`, and for what follows them: the chain gives an optional.
    var isOptional: Bool
    /// Of the chain up to here.
    var end: Int
  }

  /// Nil for a node that is no such chain.
  init?(_ node: SyntaxNode) {
    switch node.kind {
    case .identifier(let name):
      let text = name.hasPrefix(".") ? String(name.dropFirst()) : name
      self.init(root: .init(text: text, range: node.range), segments: [], indices: [])
    case .select(let operand, let field, let isOptional):
      self.init(operand)
      append(Name(text: field.text, range: field.range), isOptional: isOptional, end: node.range.end)
    case .index(let operand, let index, let isOptional):
      self.init(operand)
      append(nil, isOptional: isOptional, end: node.range.end)
      if case .literal(.int(let position)) = index.kind { segments[segments.count - 1].text = "[\(position)]" }
      indices.append(index)
    default: return nil
    }
  }

  private init(root: Name, segments: [Segment], indices: [SyntaxNode]) {
    self.root = root
    self.segments = segments
    self.indices = indices
  }

  /// The whole chain.
  var range: CELSourceRange { CELSourceRange(root.range.start, segments.last?.end ?? root.range.end) }

  mutating func append(_ name: Name?, isOptional: Bool, end: Int) {
    let follows = segments.last?.isOptional ?? false
    segments.append(
      Segment(name: name, text: name?.text ?? Self.anyPosition, isOptional: isOptional || follows, end: end))
  }

  /// Stands for a position that is not known beforehand: two of them need not be the same.
  static let anyPosition = "[…]"

  /// The name of a segment; nil for a position in brackets and beyond the last.
  func name(_ index: Int) -> String? { segments.indices.contains(index) ? segments[index].name?.text : nil }

  /// The first `count` segments as a text, the form of ``ExpressionContext/known``.
  func text(_ count: Int) -> String {
    segments.prefix(count).reduce(root.text) { $0 + ($1.name == nil ? "" : ".") + $1.text }
  }
}

extension ValueType {
  /// The type of what a chain of segments leads to; nil if the types do not tell.
  func following(_ segments: ArraySlice<NamePath.Segment>) -> ValueType? {
    guard let first = segments.first else { return self }
    let rest = segments.dropFirst()
    switch self {
    case .optional(let wrapped): return wrapped.following(segments)
    case .turnServer: return ValueType.record(TURNServer.recordType).following(segments)
    case .record(let record):
      // Which field a position in brackets means is not known: it may be a secret one.
      guard let name = first.name else { return holdsSecret ? self : nil }
      return record[name.text]?.type.following(rest)
    case .map(let element): return element.following(rest)
    case .list(let element): return first.name == nil ? element.following(rest) : nil
    case .secret(let wrapped):
      // Part of a secret is a secret.
      guard let part = wrapped.following(segments) else { return nil }
      return .secret(part)
    default: return nil
    }
  }
}
