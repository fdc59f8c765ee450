/// The types that operators take and give. What they do is part of the evaluator.
enum StandardOperators {
  /// The name of an operator as a function.
  static func name(of op: CELExpression.BinaryOperator) -> String {
    switch op {
    case .in: "@in"
    default: "_\(op.rawValue)_"
    }
  }

  static let overloads: [String: [Overload]] = [
    "_==_": [declare("equals", [a, a], .bool)],
    "_!=_": [declare("not_equals", [a, a], .bool)],
    "_<_": ordering("less"),
    "_<=_": ordering("less_equals"),
    "_>_": ordering("greater"),
    "_>=_": ordering("greater_equals"),
    "@in": [
      declare("in_list", [a, .list(a)], .bool), declare("in_map", [a, .map(a, .parameter("B"))], .bool),
    ],
    "_+_": numeric("add", [.int, .uint, .double]) + [
      declare("add_string", [.string, .string], .string),
      declare("add_bytes", [.bytes, .bytes], .bytes),
      declare("add_list", [.list(a), .list(a)], .list(a)),
      declare("add_timestamp_duration", [.timestamp, .duration], .timestamp),
      declare("add_duration_timestamp", [.duration, .timestamp], .timestamp),
      declare("add_duration_duration", [.duration, .duration], .duration),
    ],
    "_-_": numeric("subtract", [.int, .uint, .double]) + [
      declare("subtract_timestamp_timestamp", [.timestamp, .timestamp], .duration),
      declare("subtract_timestamp_duration", [.timestamp, .duration], .timestamp),
      declare("subtract_duration_duration", [.duration, .duration], .duration),
    ],
    "_*_": numeric("multiply", [.int, .uint, .double]),
    "_/_": numeric("divide", [.int, .uint, .double]),
    "_%_": numeric("modulo", [.int, .uint]),
    "-_": [declare("negate_int64", [.int], .int), declare("negate_double", [.double], .double)],
  ]

  private static let a = CELType.parameter("A")

  private static func declare(_ id: String, _ parameters: [CELType], _ result: CELType) -> Overload {
    Overload(id, parameters, result, implementation: .none)
  }

  private static func suffix(_ type: CELType) -> String {
    switch type {
    case .int: "int64"
    case .uint: "uint64"
    default: type.description
    }
  }

  private static func numeric(_ name: String, _ types: [CELType]) -> [Overload] {
    types.map { declare("\(name)_\(suffix($0))", [$0, $0], $0) }
  }

  private static func ordering(_ name: String) -> [Overload] {
    let same: [CELType] = [.bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration]
    let numbers: [CELType] = [.int, .uint, .double]
    var overloads = same.map { declare("\(name)_\(suffix($0))", [$0, $0], .bool) }
    for left in numbers {
      for right in numbers where left != right {
        overloads.append(declare("\(name)_\(suffix(left))_\(suffix(right))", [left, right], .bool))
      }
    }
    return overloads
  }
}
