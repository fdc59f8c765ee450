/// `optional.of`, `orValue` and the other functions on optionals; `optMap` and `optFlatMap` are macros.
enum OptionalExtension {
  private static let value = CELType.parameter("V")
  private static let optional = CELType.optional(value)

  private static let or = "optional_or_optional"
  /// The overload that gives what the optional holds, not another optional.
  static let orValue = "optional_orValue_value"

  /// Whether a call of these overloads evaluates its argument only if the optional before it is empty.
  static func isLazy(_ overloads: [String]) -> Bool { overloads == [or] || overloads == [orValue] }

  static let functions: [String: [Overload]] = [
    "optional.of": [Overload("optional_of", [value], optional, implementation: .unary { .some($0) })],
    "optional.none": [Overload("optional_none", [], optional, implementation: .variadic { _ in .none })],
    "optional.ofNonZeroValue": [
      Overload(
        "optional_ofNonZeroValue", [value], optional, implementation: .unary { $0.isZero ? .none : .some($0) })
    ],
    "optional.unwrap": [
      Overload("optional_unwrap", [.list(optional)], .list(value), implementation: .unary(unwrap))
    ],
    "unwrapOpt": [
      Overload("optional_unwrapOpt", [.list(optional)], .list(value), isMember: true, implementation: .unary(unwrap))
    ],
    "hasValue": [
      Overload(
        "optional_hasValue", [optional], .bool, isMember: true,
        implementation: .unary { (value) throws(EvaluationError) in .bool(try contents(value) != nil) })
    ],
    "value": [
      Overload(
        "optional_value", [optional], value, isMember: true,
        implementation: .unary { (value) throws(EvaluationError) in
          if let contents = try contents(value) { return contents }
          throw EvaluationError(.emptyOptional, "the optional is empty")
        })
    ],
    "or": [
      Overload(
        or, [optional, optional], optional, isMember: true,
        implementation: .binary { (first, second) throws(EvaluationError) in
          try contents(first) == nil ? second : first
        })
    ],
    "orValue": [
      Overload(
        orValue, [optional, value], value, isMember: true,
        implementation: .binary { (first, second) throws(EvaluationError) in try contents(first) ?? second })
    ],
    "first": [
      Overload(
        "list_first", [.list(value)], optional, isMember: true,
        implementation: .unary { (list) throws(EvaluationError) in .optional(CELOptional(try elements(list).first)) })
    ],
    "last": [
      Overload(
        "list_last", [.list(value)], optional, isMember: true,
        implementation: .unary { (list) throws(EvaluationError) in .optional(CELOptional(try elements(list).last)) })
    ],
  ]

  private static func contents(_ value: CELValue) throws(EvaluationError) -> CELValue? {
    guard case .optional(let optional) = value else { throw EvaluationError.noOverload("optional", [value]) }
    return optional.value
  }

  private static func elements(_ value: CELValue) throws(EvaluationError) -> [CELValue] {
    guard case .list(let values) = value else { throw EvaluationError.noOverload("first", [value]) }
    return values
  }

  private static func unwrap(_ value: CELValue) throws(EvaluationError) -> CELValue {
    var present: [CELValue] = []
    for element in try elements(value) {
      if let value = try contents(element) { present.append(value) }
    }
    return .list(present)
  }
}

extension CELValue {
  /// Whether the value is the one that a variable of its type has before it is set.
  var isZero: Bool {
    switch self {
    case .null: true
    case .bool(let flag): !flag
    case .int(let number): number == 0
    case .uint(let number): number == 0
    case .double(let number): number == 0
    case .string(let text): text.isEmpty
    case .bytes(let octets): octets.isEmpty
    case .list(let values): values.isEmpty
    case .map(let map): map.count == 0
    case .duration(let span): span.nanoseconds == 0
    case .timestamp(let time): time.seconds == 0 && time.nanoseconds == 0
    case .record(let record): record.fields.allSatisfy { $0?.isZero ?? true }
    case .optional(let optional): optional.value == nil
    case .type, .opaque: false
    }
  }
}
