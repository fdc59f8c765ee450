/// What selecting a field or an element gives.
enum Selection {
  /// The value of a field; `nil` when the map or record lacks it.
  static func field(_ name: String, of operand: CELValue) throws(EvaluationError) -> CELValue? {
    switch operand {
    case .map(let map): return map[name]
    case .record(let record):
      guard let position = record.type.position(of: name) else {
        throw EvaluationError(.noSuchField, "\(record.type.name) has no field '\(name)'")
      }
      return record.fields[position]
    default:
      throw EvaluationError(.noSuchOverload, "a value of type \(operand.type.name) has no fields")
    }
  }

  /// The element at an index or key; `nil` when there is none.
  static func element(_ index: CELValue, of operand: CELValue) throws(EvaluationError) -> CELValue? {
    switch operand {
    case .list(let values):
      let position: Int?
      switch index {
      case .int(let number): position = Int(exactly: number)
      case .uint(let number): position = Int(exactly: number)
      case .double(let number): position = Int(exactly: number)
      default: throw EvaluationError.noOverload("[]", [operand, index])
      }
      guard let position else { throw EvaluationError(.invalidArgument, "the index of a list is a whole number") }
      return values.indices.contains(position) ? values[position] : nil
    case .map(let map): return map[index]
    default: throw EvaluationError.noOverload("[]", [operand, index])
    }
  }

  static func lacking(_ index: CELValue, in operand: CELValue) -> EvaluationError {
    let shown = index.briefDescription
    if case .list(let values) = operand {
      return EvaluationError(.indexOutOfBounds, "no element \(shown) in a list of \(values.count)")
    }
    return EvaluationError(.noSuchKey, "no such key: \(shown)")
  }

  static func lacking(_ field: String, in operand: CELValue) -> EvaluationError {
    if case .record(let record) = operand {
      return EvaluationError(.noSuchField, "\(record.type.name) lacks the field '\(field)'")
    }
    return EvaluationError(.noSuchKey, "no such key: '\(field)'")
  }
}

extension CELValue {
  /// What it costs to look the value up as a key.
  @inline(__always)
  var lookupCost: Int {
    if case .string(let text) = self { return text.utf8.count / 10 }
    return 0
  }

  /// The value as a message shows it.
  var briefDescription: String {
    switch self {
    case .string(let text): "'\(text.prefix(60))'"
    case .int(let number): "\(number)"
    case .uint(let number): "\(number)"
    case .double(let number): "\(number)"
    case .bool(let flag): "\(flag)"
    default: "of type \(type.name)"
    }
  }
}

/// `operand.field`.
final class SelectNode: EvaluationNode {
  let range: CELSourceRange
  private let operand: any EvaluationNode
  private let field: String

  init(_ operand: any EvaluationNode, _ field: String, _ range: CELSourceRange) {
    self.operand = operand
    self.field = field
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try select(from: try operand.evaluate(&frame))
  }

  func select(from value: CELValue) throws(EvaluationError) -> CELValue {
    if case .map(let map) = value, let found = map[field] { return found }
    do throws(EvaluationError) {
      if case .optional(let optional) = value {
        guard let wrapped = optional.value else { return value }
        return .optional(CELOptional(try Selection.field(field, of: wrapped)))
      }
      if let found = try Selection.field(field, of: value) { return found }
    } catch {
      throw error.placed(at: range)
    }
    throw Selection.lacking(field, in: value).placed(at: range)
  }
}

/// `operand.field`, where the record type and the position of the field are known.
final class RecordSelectNode: EvaluationNode {
  let range: CELSourceRange
  private let operand: any EvaluationNode
  private let type: CELRecordType
  private let position: Int
  private let general: SelectNode

  init(_ operand: any EvaluationNode, _ field: String, _ type: CELRecordType, _ position: Int, _ range: CELSourceRange)
  {
    self.operand = operand
    self.type = type
    self.position = position
    self.range = range
    general = SelectNode(operand, field, range)
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    let value = try operand.evaluate(&frame)
    guard case .record(let record) = value, record.type === type, let found = record.fields[position] else {
      return try general.select(from: value)
    }
    return found
  }
}

/// `operand.?field` and `operand[?index]`.
final class OptionalSelectNode: EvaluationNode {
  let range: CELSourceRange
  private let operand: any EvaluationNode
  private let index: any EvaluationNode
  private let isField: Bool

  init(_ operand: any EvaluationNode, index: any EvaluationNode, isField: Bool, _ range: CELSourceRange) {
    self.operand = operand
    self.index = index
    self.isField = isField
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try frame.meter.charge(1)
    var value = try operand.evaluate(&frame)
    if case .optional(let optional) = value {
      guard let wrapped = optional.value else { return value }
      value = wrapped
    }
    let key = try index.evaluate(&frame)
    do throws(EvaluationError) {
      try frame.meter.charge(key.lookupCost)
      if isField, case .string(let name) = key { return .optional(CELOptional(try Selection.field(name, of: value))) }
      return .optional(CELOptional(try Selection.element(key, of: value)))
    } catch {
      throw error.placed(at: range)
    }
  }
}

/// `has(operand.field)`.
final class PresenceNode: ConditionNode {
  let range: CELSourceRange
  private let operand: any EvaluationNode
  private let field: String

  init(_ operand: any EvaluationNode, _ field: String, _ range: CELSourceRange) {
    self.operand = operand
    self.field = field
    self.range = range
  }

  func condition(_ frame: inout Frame) throws(EvaluationError) -> Bool {
    var value = try operand.evaluate(&frame)
    do throws(EvaluationError) {
      while case .optional(let optional) = value {
        guard let wrapped = optional.value else { return false }
        value = wrapped
      }
      return try Selection.field(field, of: value) != nil
    } catch {
      throw error.placed(at: range)
    }
  }
}

/// `operand[index]`.
final class IndexNode: EvaluationNode {
  let range: CELSourceRange
  private let operand: any EvaluationNode
  private let index: any EvaluationNode

  init(_ operand: any EvaluationNode, _ index: any EvaluationNode, _ range: CELSourceRange) {
    self.operand = operand
    self.index = index
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try frame.meter.charge(1)
    let value = try operand.evaluate(&frame)
    let key = try index.evaluate(&frame)
    do throws(EvaluationError) {
      try frame.meter.charge(key.lookupCost)
      if case .optional(let optional) = value {
        guard let wrapped = optional.value else { return value }
        return .optional(CELOptional(try Selection.element(key, of: wrapped)))
      }
      if let found = try Selection.element(key, of: value) { return found }
    } catch {
      throw error.placed(at: range)
    }
    throw Selection.lacking(key, in: value).placed(at: range)
  }
}

extension CELValue {
  fileprivate var isDouble: Bool { if case .double = self { true } else { false } }
}

/// `value in container`.
final class InNode: ConditionNode {
  let range: CELSourceRange
  private let value: any EvaluationNode
  private let container: any EvaluationNode
  /// The elements of a long constant list of texts, whole numbers and truth values.
  private let elements: Set<CELMap.Key>?

  init(_ value: any EvaluationNode, _ container: any EvaluationNode, _ range: CELSourceRange) {
    self.value = value
    self.container = container
    self.range = range
    elements = Self.elements(of: container.constant)
  }

  private static func elements(of constant: CELValue?) -> Set<CELMap.Key>? {
    guard case .list(let values)? = constant, values.count > 8 else { return nil }
    var elements: Set<CELMap.Key> = []
    for value in values {
      if case .double = value { return nil }
      guard let key = CELMap.Key(value) else { return nil }
      elements.insert(key)
    }
    return elements
  }

  func condition(_ frame: inout Frame) throws(EvaluationError) -> Bool {
    try frame.meter.charge(1)
    let wanted = try value.evaluate(&frame)
    try frame.meter.charge(wanted.lookupCost)
    // A fractional number is equal to every whole number that it stands for when rounded, which no set can tell.
    if let elements, !wanted.isDouble { return CELMap.Key(wanted).map { elements.contains($0) } ?? false }
    let place = try container.evaluate(&frame)
    switch place {
    case .list(let values):
      if case .int(let number) = wanted {
        return try contains(number, values, &frame.meter)
      }
      do throws(EvaluationError) {
        try frame.meter.charge(values.count)
        for element in values where try Comparison.areEqual(wanted, element, &frame.meter) { return true }
      } catch {
        throw error.placed(at: range)
      }
      return false
    case .map(let map): return map[wanted] != nil
    default: throw EvaluationError.noOverload("in", [wanted, place]).placed(at: range)
    }
  }

  private func contains(_ number: Int64, _ values: [CELValue], _ meter: inout CostMeter) throws(EvaluationError) -> Bool
  {
    try meter.charge(values.count)
    for element in values {
      if case .int(let other) = element {
        if other == number { return true }
      } else if try Comparison.areEqual(.int(number), element, &meter) {
        return true
      }
    }
    return false
  }
}
