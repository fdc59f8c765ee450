/// `sets.contains`, `sets.equivalent` and `sets.intersects`: lists compared as sets, by the equality of the language, as cel-go's
/// extension has them.
enum SetsExtension {
  private static let list = CELType.list(.parameter("T"))

  static let functions: [String: [Overload]] = [
    "sets.contains": [
      test("list_sets_contains_list") { (left, right, meter) throws(EvaluationError) in
        try containsAll(left, right, &meter)
      }
    ],
    "sets.equivalent": [
      test("list_sets_equivalent_list") { (left, right, meter) throws(EvaluationError) in
        guard try containsAll(left, right, &meter) else { return false }
        return try containsAll(right, left, &meter)
      }
    ],
    "sets.intersects": [
      test("list_sets_intersects_list") { (left, right, meter) throws(EvaluationError) in
        for value in right {
          if try contains(left, value, &meter) { return true }
        }
        return false
      }
    ],
  ]

  private static func test(
    _ id: String,
    _ holds: @escaping @Sendable ([CELValue], [CELValue], inout CostMeter) throws(EvaluationError) -> Bool
  ) -> Overload {
    Overload(
      id, [list, list], .bool,
      implementation: .metered { (meter, arguments) throws(EvaluationError) in
        guard case .list(let left) = arguments[0], case .list(let right) = arguments[1] else {
          throw EvaluationError.noOverload(id, arguments)
        }
        return .bool(try holds(left, right, &meter))
      })
  }

  private static func containsAll(_ list: [CELValue], _ wanted: [CELValue], _ meter: inout CostMeter)
    throws(EvaluationError) -> Bool
  {
    for value in wanted {
      if try !contains(list, value, &meter) { return false }
    }
    return true
  }

  private static func contains(_ list: [CELValue], _ wanted: CELValue, _ meter: inout CostMeter) throws(EvaluationError)
    -> Bool
  {
    for value in list {
      try meter.charge(1)
      if try Comparison.areEqual(value, wanted, &meter) { return true }
    }
    return false
  }
}
