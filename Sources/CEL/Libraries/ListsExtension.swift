/// `slice`, `flatten`, `distinct`, `reverse`, `sort` and `lists.range`, as cel-go's extension has them; `sortBy` is a macro.
enum ListsExtension {
  private static let element = CELType.parameter("T")
  private static let list = CELType.list(element)

  /// The types that have an order.
  static let ordered: [(name: String, type: CELType)] = [
    ("int", .int), ("uint", .uint), ("double", .double), ("bool", .bool), ("duration", .duration),
    ("timestamp", .timestamp), ("string", .string), ("bytes", .bytes),
  ]

  static let functions: [String: [Overload]] = [
    "lists.range": [Overload("lists_range", [.int], .list(.int), implementation: .metered(range))],
    "slice": [Overload("list_slice", [list, .int, .int], list, isMember: true, implementation: .metered(slice))],
    "flatten": [
      Overload("list_flatten", [.list(list)], list, isMember: true, implementation: .metered(flatten)),
      Overload(
        "list_flatten_int", [.list(.dyn), .int], .list(.dyn), isMember: true, implementation: .metered(flatten)),
    ],
    "distinct": [Overload("list_distinct", [list], list, isMember: true, implementation: .metered(distinct))],
    "reverse": [
      Overload(
        "list_reverse", [list], list, isMember: true,
        implementation: .unary { (value) throws(EvaluationError) in .list(try elements(value, "reverse").reversed()) })
    ],
    "sort": ordered.map { name, type in
      Overload("list_\(name)_sort", [.list(type)], .list(type), isMember: true, implementation: .metered(sort))
    },
  ]

  private static func elements(_ value: CELValue, _ function: String) throws(EvaluationError) -> [CELValue] {
    guard case .list(let values) = value else { throw EvaluationError.noOverload(function, [value]) }
    return values
  }

  private static func whole(_ value: CELValue, _ function: String) throws(EvaluationError) -> Int {
    guard case .int(let number) = value else { throw EvaluationError.noOverload(function, [value]) }
    return Int(number)
  }

  private static func range(_ meter: inout CostMeter, _ arguments: [CELValue]) throws(EvaluationError) -> CELValue {
    let count = Swift.max(0, try whole(arguments[0], "lists.range"))
    try meter.charge(count)
    return .list((0..<Int64(count)).map { .int($0) })
  }

  private static func slice(_ meter: inout CostMeter, _ arguments: [CELValue]) throws(EvaluationError) -> CELValue {
    let values = try elements(arguments[0], "slice")
    let (start, end) = (try whole(arguments[1], "slice"), try whole(arguments[2], "slice"))
    guard start >= 0, end >= 0 else {
      throw EvaluationError(.indexOutOfBounds, "slice(\(start), \(end)) has a negative position")
    }
    guard start <= end else {
      throw EvaluationError(.indexOutOfBounds, "slice(\(start), \(end)) ends before it starts")
    }
    guard end <= values.count else {
      throw EvaluationError(.indexOutOfBounds, "slice(\(start), \(end)) is beyond a list of \(values.count) elements")
    }
    try meter.charge(end - start)
    return .list(Array(values[start..<end]))
  }

  private static func flatten(_ meter: inout CostMeter, _ arguments: [CELValue]) throws(EvaluationError) -> CELValue {
    let levels = arguments.count == 2 ? try whole(arguments[1], "flatten") : 1
    guard levels >= 0 else { throw EvaluationError(.invalidArgument, "flatten(\(levels)) has a negative depth") }
    var flat: [CELValue] = []
    // A stack of its own: values of the host may be nested deeper than that of the thread allows.
    var open: [(rest: ArraySlice<CELValue>, levels: Int)] = [(try elements(arguments[0], "flatten")[...], levels)]
    while let (rest, levels) = open.popLast() {
      var rest = rest
      guard let value = rest.popFirst() else { continue }
      try meter.charge(1)
      open.append((rest, levels))
      if levels > 0, case .list(let inner) = value {
        open.append((inner[...], levels - 1))
      } else {
        flat.append(value)
      }
    }
    return .list(flat)
  }

  private static func distinct(_ meter: inout CostMeter, _ arguments: [CELValue]) throws(EvaluationError) -> CELValue {
    var found: [CELValue] = []
    var keys: Set<CELMap.Key> = []
    // Those that cannot be keys are compared one by one.
    var others: [CELValue] = []
    for value in try elements(arguments[0], "distinct") {
      try meter.charge(1)
      if let key = CELMap.Key(value) {
        if keys.insert(key).inserted { found.append(value) }
        continue
      }
      var isKnown = false
      for other in others where !isKnown {
        try meter.charge(1)
        isKnown = try Comparison.areEqual(other, value, &meter)
      }
      if isKnown { continue }
      others.append(value)
      found.append(value)
    }
    return .list(found)
  }

  private static func sort(_ meter: inout CostMeter, _ arguments: [CELValue]) throws(EvaluationError) -> CELValue {
    let values = try elements(arguments[0], "sort")
    return .list(try sorted(values, by: values, &meter))
  }

  /// The values in the order of their keys; of equal keys the first stays first.
  static func sorted(_ values: [CELValue], by keys: [CELValue], _ meter: inout CostMeter) throws(EvaluationError)
    -> [CELValue]
  {
    guard let first = keys.first else { return [] }
    guard ordered.contains(where: { $0.type == first.type }) else {
      throw EvaluationError(.noSuchOverload, "values of the type \(first.type.name) have no order")
    }
    var characters = 0
    for key in keys {
      guard key.type == first.type else {
        throw EvaluationError(
          .noSuchOverload, "a \(first.type.name) and a \(key.type.name) have no order: all must be of one type")
      }
      switch key {
      case .double(let number) where number.isNaN: throw EvaluationError(.invalidArgument, "NaN has no order")
      case .string(let text): characters += text.utf8.count
      case .bytes(let octets): characters += octets.count
      default: break
      }
    }
    let rounds = Int.bitWidth - keys.count.leadingZeroBitCount
    try meter.charge((keys.count + characters / 10).multipliedReportingOverflow(by: rounds).partialValue)
    return keys.indices.sorted { Comparison.isBefore(keys[$0], keys[$1], ($0, $1)) }.map { values[$0] }
  }
}

extension Comparison {
  /// The order of two values of one type that has one; equal ones are in the order of their positions.
  fileprivate static func isBefore(_ left: CELValue, _ right: CELValue, _ positions: (Int, Int)) -> Bool {
    let order: Int =
      switch (left, right) {
      case (.string(let a), .string(let b)): a.hasSameCodePoints(as: b) ? 0 : a.precedes(b) ? -1 : 1
      case (.bytes(let a), .bytes(let b)): a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
      case (.bool(let a), .bool(let b)): a == b ? 0 : b ? -1 : 1
      case (.timestamp(let a), .timestamp(let b)): a == b ? 0 : a < b ? -1 : 1
      case (.duration(let a), .duration(let b)): a == b ? 0 : a < b ? -1 : 1
      default: Comparison.order(left, right) ?? 0
      }
    return order == 0 ? positions.0 < positions.1 : order < 0
  }
}
