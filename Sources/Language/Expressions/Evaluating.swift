internal import CEL
internal import Journal
internal import Schema

extension CompiledExpression {
  /// The expression as plans hold it, of the given type.
  func expression(_ type: ValueType) -> Expression {
    // The places are worked out now: a plan outlives the text of its document.
    let source = program.source
    let places = Places(program.parsed.root, range)
    let (program, bindings, whole, reveals, types) = (program, bindings, whole, isComputedFromSecret, types)
    return Expression(source: source, type: type, range: whole, dependencies: dependencies) {
      (scope, isStrict) throws(ExpressionError) in
      let activation = bindings.activation(scope, revealing: reveals)
      func failure(_ error: EvaluationError, _ parts: [ActualValue]) -> ExpressionError {
        // What went wrong may quote the value: "'sesame' is no number".
        let message = reveals ? "a value that is computed from a secret failed: \(error.code)" : error.message
        return ExpressionError(message: message, range: error.range.flatMap(places.range) ?? whole, parts: parts)
      }
      var parts: [ActualValue] = []
      do throws(EvaluationError) {
        guard isStrict else {
          let value = try Value(try program.evaluate(activation))
          return Expression.Evaluation(value: reveals ? .secret(Secret(value)) : value, parts: [])
        }
        let observation = program.observe(activation, tracing: true)
        parts = Parts(program.parsed, types).values(observation.trace)
        if let absorbed = observation.absorbed.first { throw absorbed }
        return Expression.Evaluation(value: try Value(try observation.result.get()), parts: parts)
      } catch { throw failure(error, parts) }
    }
  }
}

/// The places of all nodes of an expression in its file.
private struct Places: Sendable {
  private var byRange: [CELSourceRange: Schema.SourceRange] = [:]

  init(_ root: SyntaxNode, _ range: (CELSourceRange) -> Schema.SourceRange) { add(root, range) }

  private mutating func add(_ node: SyntaxNode, _ range: (CELSourceRange) -> Schema.SourceRange) {
    byRange[node.range] = range(node.range)
    for child in node.children { add(child, range) }
  }

  func range(_ range: CELSourceRange) -> Schema.SourceRange? { byRange[range] }
}

/// The parts of a condition that a report shows with what they came to: what is compared, and what is asked.
struct Parts {
  private let source: [UInt8]
  private let root: SyntaxNode
  private let types: [Int: ValueType]
  private static let most = 6

  init(_ parsed: ParsedExpression, _ types: [Int: ValueType]) {
    self.types = types
    source = Array(parsed.source.utf8)
    root = parsed.root
  }

  func values(_ trace: [Int: CELValue]) -> [ActualValue] {
    var parts: [ActualValue] = []
    var tooLarge: Set<String> = []
    // One budget for all parts: a condition can hold thousands of them, each as large as a value may be.
    var budget = ValueBudget()
    for node in Self.nodes(of: root) where parts.count + tooLarge.count < Self.most {
      let text = String(decoding: source[node.range.start..<node.range.end], as: UTF8.self)
      guard !parts.contains(where: { $0.expression == text }), !tooLarge.contains(text), let traced = trace[node.id]
      else { continue }
      var left = budget
      let value: Value
      do throws(EvaluationError) { value = try Value(traced, &left) } catch {
        if error.code == .limitExceeded { tooLarge.insert(text) }
        continue
      }
      budget = left
      let declared = types[node.id] ?? .any
      let type = declared == .any ? ValueType(of: value) : declared.shape
      parts.append(ActualValue(expression: text, field: node.outputField, value: value.masked, type: type))
    }
    return parts
  }

  static func nodes(of root: SyntaxNode) -> [SyntaxNode] {
    var nodes: [SyntaxNode] = []
    collect(root, into: &nodes)
    return nodes
  }

  /// The operands of comparisons, through `&&`, `||`, `!` and `?:`; of calls and macros what they are applied to.
  private static func collect(_ node: SyntaxNode, into nodes: inout [SyntaxNode]) {
    switch node.kind {
    case .binary(.and, let left, let right), .binary(.or, let left, let right):
      collect(left, into: &nodes)
      collect(right, into: &nodes)
    case .unary(.not, let operand): collect(operand, into: &nodes)
    case .conditional(let condition, let first, let second):
      for part in [condition, first, second] { collect(part, into: &nodes) }
    case .binary(_, let left, let right):
      for operand in [left, right] where !operand.isConstant { nodes.append(operand) }
    case .call(let target, _, let arguments):
      for part in (target.map { [$0] } ?? []) + arguments where !part.isConstant { nodes.append(part) }
    case .comprehension(let comprehension): nodes.append(comprehension.range)
    case .presence(let operand, _): nodes.append(operand)
    case .bind(_, let value, let body):
      collect(value, into: &nodes)
      collect(body, into: &nodes)
    default: if !node.isConstant { nodes.append(node) }
    }
  }
}

extension ValueType {
  /// What a checked expression gives, as far as its CEL type tells.
  init(of type: CELType) {
    self =
      switch type {
      case .bool: .bool
      case .int, .uint: .int
      case .double: .double
      case .string: .string
      case .bytes: .bytes
      case .timestamp: .timestamp
      case .duration: .duration
      case .ip: .ip
      case .cidr: .cidr
      case .list(let element): .list(ValueType(of: element))
      case .map(_, let element): .map(ValueType(of: element))
      case .optional(let wrapped): .optional(ValueType(of: wrapped))
      default: .any
      }
  }

  /// What a value is by itself, if nothing declares it.
  fileprivate init(of value: Value) {
    self =
      switch value {
      case .bool: .bool
      case .int: .int
      case .double: .double
      case .string: .string
      case .bytes: .bytes
      case .timestamp: .timestamp
      case .duration: .duration
      case .null, .list, .members, .secret: .any
      }
  }
}

extension SyntaxNode {
  /// `rtt.p95` for `output.rtt.p95`; nil for any other expression.
  fileprivate var outputField: String? {
    guard case .select(let operand, let field, isOptional: false) = kind else { return nil }
    if case .identifier("output") = operand.kind { return field.text }
    return operand.outputField.map { "\($0).\(field.text)" }
  }

  /// True if no name stands anywhere in the tree.
  fileprivate var isConstant: Bool {
    if case .identifier = kind { false } else { children.allSatisfy(\.isConstant) }
  }
}

extension Value {
  /// The value with every secret in it as ``Secret/mask``, as journals hold it.
  var masked: Value {
    switch self {
    case .secret: .string(Secret.mask)
    case .list(let values): .list(values.map(\.masked))
    case .members(let members): .members(members.map { Member($0.name, $0.value.masked) })
    default: self
    }
  }
}
