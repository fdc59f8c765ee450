/// `[a, ?b]`.
final class ListNode: EvaluationNode {
  let range: CELSourceRange
  private let elements: [any EvaluationNode]
  private let optional: [Bool]

  init(_ elements: [any EvaluationNode], optional: [Bool], _ range: CELSourceRange) {
    self.elements = elements
    self.optional = optional
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try frame.meter.charge(1 + elements.count)
    var values: [CELValue] = []
    values.reserveCapacity(elements.count)
    for position in elements.indices {
      let value = try elements[position].evaluate(&frame)
      if !optional[position] {
        values.append(value)
      } else if let wrapped = try value.unwrapped(at: elements[position].range) {
        values.append(wrapped)
      }
    }
    return .list(values)
  }
}

/// `{a: b, ?c: d}`.
final class MapNode: EvaluationNode {
  let range: CELSourceRange
  private let keys: [any EvaluationNode]
  private let values: [any EvaluationNode]
  private let optional: [Bool]

  init(keys: [any EvaluationNode], values: [any EvaluationNode], optional: [Bool], _ range: CELSourceRange) {
    self.keys = keys
    self.values = values
    self.optional = optional
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try frame.meter.charge(1 + keys.count)
    var builder = CELMap.Builder()
    for position in keys.indices {
      let key = try keys[position].evaluate(&frame)
      var value = try values[position].evaluate(&frame)
      if optional[position] {
        guard let wrapped = try value.unwrapped(at: values[position].range) else { continue }
        value = wrapped
      }
      do throws(EvaluationError) {
        try builder.add(key, value, &frame.meter)
      } catch {
        throw error.placed(at: keys[position].range)
      }
    }
    return .map(builder.build())
  }
}

/// `type{field: value, ?field: value}`.
final class RecordNode: EvaluationNode {
  let range: CELSourceRange
  private let type: CELRecordType
  private let positions: [Int]
  private let values: [any EvaluationNode]
  private let optional: [Bool]

  init(_ type: CELRecordType, positions: [Int], values: [any EvaluationNode], optional: [Bool], _ range: CELSourceRange)
  {
    self.type = type
    self.positions = positions
    self.values = values
    self.optional = optional
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try frame.meter.charge(1 + type.fields.count)
    var fields: [CELValue?] = Array(repeating: nil, count: type.fields.count)
    for (index, position) in positions.enumerated() {
      let value = try values[index].evaluate(&frame)
      fields[position] = optional[index] ? try value.unwrapped(at: values[index].range) : value
    }
    return type.unwrapping?(fields) ?? .record(CELRecord(type, fields: fields))
  }
}

extension CELMap.Builder {
  /// Adds an entry; a key of a type no key has, or one that is there already, is an error.
  mutating func add(_ key: CELValue, _ value: CELValue, _ meter: inout CostMeter) throws(EvaluationError) {
    try meter.charge(key.lookupCost)
    switch insert(key, value) {
    case .inserted: return
    case .duplicate: throw EvaluationError(.duplicateKey, "the key \(key.briefDescription) is in the map twice")
    case .unsupportedKey: throw EvaluationError(.noSuchOverload, "no map has keys of type \(key.type.name)")
    }
  }
}

extension CELValue {
  /// What an optional holds; anything else is an error.
  fileprivate func unwrapped(at range: CELSourceRange) throws(EvaluationError) -> CELValue? {
    guard case .optional(let optional) = self else {
      throw EvaluationError(.noSuchOverload, "'?' takes an optional, not a value of type \(type.name)")
        .placed(at: range)
    }
    return optional.value
  }
}
