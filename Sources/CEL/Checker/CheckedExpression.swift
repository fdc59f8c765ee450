/// What a name or call of a checked expression stands for.
public enum Reference: Hashable, Sendable {
  /// A variable of the environment, by its full name and position.
  case variable(Variable)
  /// A variable of a macro or of `cel.bind`; the id of the node that brings it, and which of its variables it is.
  case local(name: String, owner: Int, position: Int)
  /// A constant, or a type used as a value.
  case constant(CELValue)
  /// A function; its full name and the overloads that may apply.
  case function(name: String, overloads: [String])
  /// A record type, by its full name.
  case recordType(String)
}

/// An expression whose names and types are known.
///
/// Types and references are given for each node by its id. A `select` that has a reference is a qualified name
/// (`com.example.x`); its operand is no value then, and has neither type nor reference.
public struct CheckedExpression: Sendable {
  /// The expression as it was parsed.
  public let parsed: ParsedExpression
  /// The type of the result.
  public var type: CELType { types[parsed.root.id] }
  /// Whether no function that may give different results for equal arguments is called.
  public let isPure: Bool
  private let types: [CELType]
  private let references: [Reference?]

  init(parsed: ParsedExpression, isPure: Bool, types: [CELType], references: [Reference?]) {
    self.parsed = parsed
    self.isPure = isPure
    self.types = types
    self.references = references
  }

  /// The top of the tree.
  public var root: CELExpression { parsed.root }

  /// The type of a node's value.
  public func type(of node: CELExpression) -> CELType { types[node.id] }

  /// What a name, call, operator or record literal stands for.
  public func reference(of node: CELExpression) -> Reference? { references[node.id] }
}
