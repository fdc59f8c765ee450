/// A node of a parsed expression, and with it the tree below.
///
/// Macros are nodes of their own, not their expansion, so that a tree is what the author wrote.
public struct CELExpression: Sendable {
  /// The node's number in its tree, from 0; what ``CheckedExpression`` and traces are indexed by.
  public let id: Int
  /// Where the node stands in the source, its operands and brackets included.
  public let range: CELSourceRange
  /// What the node is.
  public let kind: Kind

  /// What a node is.
  public indirect enum Kind: Sendable {
    /// `null`, `true`, `1`, `1u`, `1.0`, `'a'`, `b'a'`.
    case literal(CELValue)
    /// A name; with a leading dot when it is to be looked up outside the container.
    case identifier(String)
    /// `operand.field`, or `operand.?field` when it is optional.
    case select(operand: CELExpression, field: Name, isOptional: Bool)
    /// `has(operand.field)`.
    case presence(operand: CELExpression, field: Name)
    /// `operand[index]`, or `operand[?index]` when it is optional.
    case index(operand: CELExpression, index: CELExpression, isOptional: Bool)
    /// `function(arguments)`, or `target.function(arguments)`.
    case call(target: CELExpression?, function: Name, arguments: [CELExpression])
    /// `!operand`, `-operand`.
    case unary(UnaryOperator, CELExpression)
    /// `left operator right`.
    case binary(BinaryOperator, CELExpression, CELExpression)
    /// `condition ? first : second`.
    case conditional(CELExpression, CELExpression, CELExpression)
    /// `[a, ?b]`.
    case list([Element])
    /// `{a: b, ?c: d}`.
    case map([Entry])
    /// `type{field: value, ?field: value}`.
    case record(type: Name, [FieldValue])
    /// A macro that visits the elements of a list or map, or the value of an optional.
    case comprehension(Comprehension)
    /// `cel.bind(name, value, body)`.
    case bind(name: Name, value: CELExpression, body: CELExpression)
  }

  /// A name and where it stands.
  public struct Name: Hashable, Sendable {
    /// The name, without the quotes of `` `content-type` ``.
    public let text: String
    /// Where it stands.
    public let range: CELSourceRange
  }

  /// An element of a list literal.
  public struct Element: Sendable {
    /// The element.
    public let value: CELExpression
    /// Whether `?` stands before it: an empty optional adds nothing.
    public let isOptional: Bool
  }

  /// An entry of a map literal.
  public struct Entry: Sendable {
    /// The key.
    public let key: CELExpression
    /// The value.
    public let value: CELExpression
    /// Whether `?` stands before it: an empty optional adds nothing.
    public let isOptional: Bool
  }

  /// A field of a record literal.
  public struct FieldValue: Sendable {
    /// The field.
    public let field: Name
    /// The value.
    public let value: CELExpression
    /// Whether `?` stands before it: an empty optional sets nothing.
    public let isOptional: Bool
  }

  /// A macro that visits the elements of a list or map, or the value of an optional.
  public struct Comprehension: Sendable {
    /// The macros.
    public enum Macro: String, Sendable {
      /// `range.all(x, predicate)`
      case all
      /// `range.exists(x, predicate)`
      case exists
      /// `range.exists_one(x, predicate)`
      case existsOne = "exists_one"
      /// `range.map(x, transform)`, `range.map(x, filter, transform)`
      case map
      /// `range.filter(x, predicate)`
      case filter
      /// `range.transformList(i, x, transform)`, `range.transformList(i, x, filter, transform)`
      case transformList
      /// `range.transformMap(k, x, transform)`, `range.transformMap(k, x, filter, transform)`
      case transformMap
      /// `range.transformMapEntry(k, x, entry)`, `range.transformMapEntry(k, x, filter, entry)`
      case transformMapEntry
      /// `optional.optMap(x, transform)`
      case optMap
      /// `optional.optFlatMap(x, transform)`
      case optFlatMap
      /// `range.sortBy(x, key)`
      case sortBy
    }

    /// Which macro.
    public let macro: Macro
    /// The name it was called by: `exists_one` and `existsOne` are one macro.
    public let function: Name
    /// What is visited.
    public let range: CELExpression
    /// The variables: one, or the index or key and the value.
    public let variables: [Name]
    /// The condition of a `map` or `transform…` with one.
    public let filter: CELExpression?
    /// The predicate or transform.
    public let body: CELExpression
  }

  /// The operators with one operand.
  public enum UnaryOperator: String, Sendable {
    /// `!`
    case not = "!"
    /// `-`
    case negate = "-"
  }

  /// The operators with two operands.
  public enum BinaryOperator: String, CaseIterable, Sendable {
    /// `||`
    case or = "||"
    /// `&&`
    case and = "&&"
    /// `==`
    case equal = "=="
    /// `!=`
    case notEqual = "!="
    /// `<`
    case less = "<"
    /// `<=`
    case lessOrEqual = "<="
    /// `>`
    case greater = ">"
    /// `>=`
    case greaterOrEqual = ">="
    /// `in`
    case `in`
    /// `+`
    case add = "+"
    /// `-`
    case subtract = "-"
    /// `*`
    case multiply = "*"
    /// `/`
    case divide = "/"
    /// `%`
    case modulo = "%"
  }

  /// The nodes directly below, in the order of the source.
  public var children: [CELExpression] {
    switch kind {
    case .literal, .identifier: []
    case .select(let operand, _, _), .presence(let operand, _), .unary(_, let operand): [operand]
    case .index(let operand, let index, _): [operand, index]
    case .call(let target, _, let arguments): (target.map { [$0] } ?? []) + arguments
    case .binary(_, let left, let right): [left, right]
    case .conditional(let condition, let first, let second): [condition, first, second]
    case .list(let elements): elements.map(\.value)
    case .map(let entries): entries.flatMap { [$0.key, $0.value] }
    case .record(_, let fields): fields.map(\.value)
    case .comprehension(let it): [it.range] + (it.filter.map { [$0] } ?? []) + [it.body]
    case .bind(_, let value, let body): [value, body]
    }
  }
}

/// An expression that was parsed, and not yet checked.
public struct ParsedExpression: Sendable {
  /// The text it was parsed from.
  public let source: String
  /// The top of the tree.
  public let root: CELExpression
  /// The number of nodes; their ids are below it.
  public let nodeCount: Int
}
