/// What the macros that visit elements share: the range, the variables, the condition and the body.
struct Visit: Sendable {
  let range: any EvaluationNode
  let place: CELSourceRange
  /// The positions of the variables: the element's, or the index' or key's and the value's.
  let slots: [Int]
  let filter: (any EvaluationNode)?
  let body: any EvaluationNode

  /// Calls `visit` for each element, with the variables set, until it gives false.
  @inline(__always)
  func each(
    _ frame: inout Frame, _ name: String,
    _ visit: (inout Frame) throws(EvaluationError) -> Bool
  ) throws(EvaluationError) {
    try frame.meter.charge(1)
    let value = try range.evaluate(&frame)
    switch value {
    case .list(let values):
      for index in values.indices {
        try frame.meter.charge(1)
        if slots.count == 2 {
          frame.locals[slots[0]] = .int(Int64(index))
          frame.locals[slots[1]] = values[index]
        } else {
          frame.locals[slots[0]] = values[index]
        }
        if try !visit(&frame) { return }
      }
    case .map(let map):
      for index in map.keys.indices {
        try frame.meter.charge(1)
        frame.locals[slots[0]] = map.keys[index]
        if slots.count == 2 { frame.locals[slots[1]] = map.values[index] }
        if try !visit(&frame) { return }
      }
    default: throw EvaluationError.noOverload(name, [value]).placed(at: place)
    }
  }

  /// Whether the element that the variables hold is to be looked at.
  @inline(__always)
  func admits(_ frame: inout Frame) throws(EvaluationError) -> Bool {
    guard let filter else { return true }
    return try filter.condition(&frame)
  }
}

/// `all` and `exists`: an element that decides makes errors of others irrelevant.
final class QuantifierNode: ConditionNode {
  let range: CELSourceRange
  private let visit: Visit
  /// The value of an element that decides: true for `exists`, false for `all`.
  private let deciding: Bool

  init(deciding: Bool, _ visit: Visit, _ range: CELSourceRange) {
    self.deciding = deciding
    self.visit = visit
    self.range = range
  }

  func condition(_ frame: inout Frame) throws(EvaluationError) -> Bool {
    var isDecided = false
    var errors: [EvaluationError] = []
    try visit.each(&frame, deciding ? "exists" : "all") { (frame: inout Frame) throws(EvaluationError) -> Bool in
      do throws(EvaluationError) {
        isDecided = try visit.body.condition(&frame) == deciding
      } catch {
        if error.code == .costExceeded { throw error }
        if errors.isEmpty || frame.recordsAbsorbed { errors.append(error) }
      }
      return !isDecided
    }
    guard isDecided else {
      if let first = errors.first { throw first }
      return !deciding
    }
    for error in errors { frame.absorb(error) }
    return deciding
  }
}

/// `exists_one`.
final class ExistsOneNode: ConditionNode {
  let range: CELSourceRange
  private let visit: Visit

  init(_ visit: Visit, _ range: CELSourceRange) {
    self.visit = visit
    self.range = range
  }

  func condition(_ frame: inout Frame) throws(EvaluationError) -> Bool {
    var count = 0
    try visit.each(&frame, "exists_one") { (frame: inout Frame) throws(EvaluationError) -> Bool in
      if try visit.body.condition(&frame) { count += 1 }
      return true
    }
    return count == 1
  }
}

/// `filter`.
final class FilterNode: EvaluationNode {
  let range: CELSourceRange
  private let visit: Visit

  init(_ visit: Visit, _ range: CELSourceRange) {
    self.visit = visit
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    var values: [CELValue] = []
    try visit.each(&frame, "filter") { (frame: inout Frame) throws(EvaluationError) -> Bool in
      let element = frame.locals[visit.slots[0]]
      if try visit.body.condition(&frame) { values.append(element) }
      return true
    }
    return .list(values)
  }
}

/// `map` and `transformList`.
final class TransformListNode: EvaluationNode {
  let range: CELSourceRange
  private let visit: Visit

  init(_ visit: Visit, _ range: CELSourceRange) {
    self.visit = visit
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    var values: [CELValue] = []
    try visit.each(&frame, "map") { (frame: inout Frame) throws(EvaluationError) -> Bool in
      if try visit.admits(&frame) { values.append(try visit.body.evaluate(&frame)) }
      return true
    }
    return .list(values)
  }
}

/// `transformMap` and `transformMapEntry`.
final class TransformMapNode: EvaluationNode {
  let range: CELSourceRange
  private let visit: Visit
  /// Whether the body gives entries rather than values.
  private let givesEntries: Bool

  init(givesEntries: Bool, _ visit: Visit, _ range: CELSourceRange) {
    self.givesEntries = givesEntries
    self.visit = visit
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    var builder = CELMap.Builder()
    try visit.each(&frame, "transformMap") { (frame: inout Frame) throws(EvaluationError) -> Bool in
      guard try visit.admits(&frame) else { return true }
      let key = frame.locals[visit.slots[0]]
      let value = try visit.body.evaluate(&frame)
      do throws(EvaluationError) {
        if !givesEntries {
          try builder.add(key, value, &frame.meter)
        } else if case .map(let entries) = value {
          try frame.meter.charge(entries.count)
          for (key, value) in zip(entries.keys, entries.values) { try builder.add(key, value, &frame.meter) }
        } else {
          throw EvaluationError.noOverload("transformMapEntry", [value])
        }
      } catch {
        throw error.placed(at: visit.body.range)
      }
      return true
    }
    return .map(builder.build())
  }
}

/// `optMap` and `optFlatMap`.
final class OptionalMapNode: EvaluationNode {
  let range: CELSourceRange
  private let visit: Visit
  private let isFlat: Bool

  init(isFlat: Bool, _ visit: Visit, _ range: CELSourceRange) {
    self.isFlat = isFlat
    self.visit = visit
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    try frame.meter.charge(1)
    let value = try visit.range.evaluate(&frame)
    guard case .optional(let optional) = value else {
      throw EvaluationError.noOverload(isFlat ? "optFlatMap" : "optMap", [value]).placed(at: visit.place)
    }
    guard let wrapped = optional.value else { return value }
    frame.locals[visit.slots[0]] = wrapped
    let result = try visit.body.evaluate(&frame)
    if !isFlat { return .some(result) }
    guard case .optional = result else {
      throw EvaluationError.noOverload("optFlatMap", [result]).placed(at: visit.body.range)
    }
    return result
  }
}
