/// `math.greatest`, `math.least`, rounding, signs and the like.
enum MathExtension {
  static let functions: [String: [Overload]] = [
    "math.greatest": extremes("math.greatest", "math_@max", wanted: 1),
    "math.least": extremes("math.least", "math_@min", wanted: -1),
    "math.ceil": [double("math_ceil_double") { $0.rounded(.up) }],
    "math.floor": [double("math_floor_double") { $0.rounded(.down) }],
    "math.round": [double("math_round_double") { $0.rounded(.toNearestOrAwayFromZero) }],
    "math.trunc": [double("math_trunc_double") { $0.rounded(.towardZero) }],
    "math.isInf": [test("math_isInf_double") { $0.isInfinite }],
    "math.isNaN": [test("math_isNaN_double") { $0.isNaN }],
    "math.isFinite": [test("math_isFinite_double") { $0.isFinite }],
    "math.abs": [
      Overload("math_abs_int", [.int], .int, implementation: .unary(abs)),
      Overload("math_abs_uint", [.uint], .uint, implementation: .unary(abs)),
      Overload("math_abs_double", [.double], .double, implementation: .unary(abs)),
    ],
    "math.sign": [
      Overload("math_sign_int", [.int], .int, implementation: .unary(sign)),
      Overload("math_sign_uint", [.uint], .uint, implementation: .unary(sign)),
      Overload("math_sign_double", [.double], .double, implementation: .unary(sign)),
    ],
    "math.sqrt": [
      Overload("math_sqrt_int", [.int], .double, implementation: .unary(sqrt)),
      Overload("math_sqrt_uint", [.uint], .double, implementation: .unary(sqrt)),
      Overload("math_sqrt_double", [.double], .double, implementation: .unary(sqrt)),
    ],
  ]

  // MARK: Extremes

  private static func extremes(_ name: String, _ id: String, wanted: Int) -> [Overload] {
    let implementation = { @Sendable (arguments: [CELValue]) throws(EvaluationError) -> CELValue in
      var values = arguments
      if arguments.count == 1, case .list(let elements) = arguments[0] { values = elements }
      guard var best = values.first else { throw noElement }
      for value in values {
        guard value.isNumber else { throw EvaluationError.noOverload(name, [value]) }
        if let order = Comparison.order(value, best), order == wanted { best = value }
      }
      return best
    }
    let validation = { @Sendable (arguments: [CELValue?]) throws(EvaluationError) -> Void in
      if arguments == [.list([])] { throw noElement }
      let constants = arguments.compactMap(\.self)
      if constants.count == arguments.count { _ = try implementation(constants) }
    }
    let types: [(String, CELType)] = [("int", .int), ("uint", .uint), ("double", .double), ("dyn", .dyn)]
    // The overloads for lists come before the one that takes anything.
    let lists = types.map {
      Overload("\(id)_list_\($0)", [.list($1)], $1, implementation: .variadic(implementation), validation: validation)
    }
    let numbers = types.map {
      Overload(
        "\(id)_\($0)", [$1], $1, isVariadic: true, implementation: .variadic(implementation), validation: validation)
    }
    return numbers.dropLast() + lists + numbers.suffix(1)
  }

  private static var noElement: EvaluationError {
    EvaluationError(.invalidArgument, "an empty list has no greatest or least element")
  }

  // MARK: Numbers

  private static func double(_ id: String, _ body: @escaping @Sendable (Double) -> Double) -> Overload {
    Overload(
      id, [.double], .double,
      implementation: .unary { (value) throws(EvaluationError) in
        guard case .double(let number) = value else { throw EvaluationError.noOverload(id, [value]) }
        return .double(body(number))
      })
  }

  private static func test(_ id: String, _ body: @escaping @Sendable (Double) -> Bool) -> Overload {
    Overload(
      id, [.double], .bool,
      implementation: .unary { (value) throws(EvaluationError) in
        guard case .double(let number) = value else { throw EvaluationError.noOverload(id, [value]) }
        return .bool(body(number))
      })
  }

  private static func abs(_ value: CELValue) throws(EvaluationError) -> CELValue {
    switch value {
    case .int(let number):
      if number == .min { throw EvaluationError(.overflow, "the absolute value is out of the range of int") }
      return .int(Swift.abs(number))
    case .uint: return value
    case .double(let number): return .double(Swift.abs(number))
    default: throw EvaluationError.noOverload("math.abs", [value])
    }
  }

  private static func sign(_ value: CELValue) throws(EvaluationError) -> CELValue {
    switch value {
    case .int(let number): .int(number.signum())
    case .uint(let number): .uint(number == 0 ? 0 : 1)
    case .double(let number): .double(number > 0 ? 1 : number < 0 ? -1 : number.isNaN ? number : 0)
    default: throw EvaluationError.noOverload("math.sign", [value])
    }
  }

  private static func sqrt(_ value: CELValue) throws(EvaluationError) -> CELValue {
    switch value {
    case .int(let number): .double(Double(number).squareRoot())
    case .uint(let number): .double(Double(number).squareRoot())
    case .double(let number): .double(number.squareRoot())
    default: throw EvaluationError.noOverload("math.sqrt", [value])
    }
  }
}

extension CELValue {
  fileprivate var isNumber: Bool {
    switch self {
    case .int, .uint, .double: true
    default: false
    }
  }
}
