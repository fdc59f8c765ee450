internal import CEL
internal import Schema

/// What an expression gave as JSON, for machines that know its type.
///
/// A whole number beyond the 64 bits of a signed one is a text of its digits. Keys of maps are texts of themselves; where
/// two of them would be one text, as `1` and `'1'`, the map is a list of entries.
enum ValueJSON {
  /// The value as JSON.
  ///
  /// - Throws: `limitExceeded` if it is larger than ``ValueBudget`` allows.
  static func json(_ value: CELValue) throws(EvaluationError) -> JSON {
    var budget = ValueBudget()
    return try json(value, &budget)
  }

  private static func json(_ value: CELValue, _ budget: inout ValueBudget) throws(EvaluationError) -> JSON {
    switch value {
    case .list(let values):
      try budget.take()
      var elements: [JSON] = []
      for value in values { elements.append(try json(value, &budget)) }
      return .array(elements)
    case .map(let map): return try json(map, &budget)
    case .record(let record):
      try budget.take()
      var members: [JSON.Member] = []
      for (field, value) in zip(record.type.fields, record.fields) {
        if let value { members.append(JSON.Member(field.name, try json(value, &budget))) }
      }
      return .object(members)
    case .optional(let optional):
      try budget.take()
      guard let value = optional.value else { return .null }
      return try json(value, &budget)
    case .uint(let number):
      try budget.take()
      return Int64(exactly: number).map(JSON.int) ?? .string(String(number))
    default:
      try budget.take(value.textSize)
      return try Value(value).json
    }
  }

  private static func json(_ map: CELMap, _ budget: inout ValueBudget) throws(EvaluationError) -> JSON {
    let names = map.keys.map(name)
    let isObject = Set(names).count == names.count
    try budget.take()
    var members: [JSON.Member] = []
    var entries: [JSON] = []
    for ((key, name), value) in zip(zip(map.keys, names), map.values) {
      try budget.take(name.utf8.count)
      let value = try json(value, &budget)
      if isObject {
        members.append(JSON.Member(name, value))
      } else {
        entries.append(["key": try json(key, &budget), "value": value])
      }
    }
    return isObject ? .object(members) : .array(entries)
  }

  private static func name(_ key: CELValue) -> String {
    switch key {
    case .string(let text): text
    case .uint(let number): String(number)
    default: key.description
    }
  }
}
