/// `math.bitAnd` and the other functions on the bits of whole numbers.
enum BitFunctions {
  static let functions: [String: [Overload]] = [
    "math.bitAnd": binary("math_bitAnd", { $0 & $1 }),
    "math.bitOr": binary("math_bitOr", { $0 | $1 }),
    "math.bitXor": binary("math_bitXor", { $0 ^ $1 }),
    "math.bitNot": [
      Overload("math_bitNot_int_int", [.int], .int, implementation: .unary(invert)),
      Overload("math_bitNot_uint_uint", [.uint], .uint, implementation: .unary(invert)),
    ],
    "math.bitShiftLeft": shift("math_bitShiftLeft", { $0 << UInt64($1) }),
    "math.bitShiftRight": shift("math_bitShiftRight", { $0 >> UInt64($1) }),
  ]

  private static func binary(_ id: String, _ body: @escaping @Sendable (UInt64, UInt64) -> UInt64) -> [Overload] {
    let implementation = Overload.Implementation.binary { (first, second) throws(EvaluationError) in
      switch (first, second) {
      case (.int(let a), .int(let b)):
        return .int(Int64(bitPattern: body(UInt64(bitPattern: a), UInt64(bitPattern: b))))
      case (.uint(let a), .uint(let b)): return .uint(body(a, b))
      default: throw EvaluationError.noOverload(id, [first, second])
      }
    }
    return [
      Overload("\(id)_int_int", [.int, .int], .int, implementation: implementation),
      Overload("\(id)_uint_uint", [.uint, .uint], .uint, implementation: implementation),
    ]
  }

  private static func invert(_ value: CELValue) throws(EvaluationError) -> CELValue {
    switch value {
    case .int(let number): .int(~number)
    case .uint(let number): .uint(~number)
    default: throw EvaluationError.noOverload("math.bitNot", [value])
    }
  }

  /// Shifts fill with zeros; a distance of 64 or more leaves none of the bits.
  private static func shift(_ id: String, _ body: @escaping @Sendable (UInt64, Int64) -> UInt64) -> [Overload] {
    let implementation = Overload.Implementation.binary { (value, distance) throws(EvaluationError) in
      guard case .int(let distance) = distance else { throw EvaluationError.noOverload(id, [value, distance]) }
      if distance < 0 { throw EvaluationError(.invalidArgument, "a shift by \(distance), which is negative") }
      switch value {
      case .int(let number):
        return .int(distance > 63 ? 0 : Int64(bitPattern: body(UInt64(bitPattern: number), distance)))
      case .uint(let number): return .uint(distance > 63 ? 0 : body(number, distance))
      default: throw EvaluationError.noOverload(id, [value, .int(distance)])
      }
    }
    return [
      Overload("\(id)_int_int", [.int, .int], .int, implementation: implementation),
      Overload("\(id)_uint_int", [.uint, .int], .uint, implementation: implementation),
    ]
  }
}
