/// `int`, `uint`, `double`, `string`, `bool`, `bytes`, `duration`, `timestamp`, `type` and `dyn`.
enum TypeConversions {
  static let functions: [String: [Overload]] = [
    "int": [
      identity("int64_to_int64", .int), convert("uint64_to_int64", .uint, .int, toInt),
      convert("double_to_int64", .double, .int, toInt), convert("string_to_int64", .string, .int, toInt),
      convert("timestamp_to_int64", .timestamp, .int, toInt),
    ],
    "uint": [
      identity("uint64_to_uint64", .uint), convert("int64_to_uint64", .int, .uint, toUInt),
      convert("double_to_uint64", .double, .uint, toUInt), convert("string_to_uint64", .string, .uint, toUInt),
    ],
    "double": [
      identity("double_to_double", .double), convert("int64_to_double", .int, .double, toDouble),
      convert("uint64_to_double", .uint, .double, toDouble), convert("string_to_double", .string, .double, toDouble),
    ],
    "string": [
      identity("string_to_string", .string), convert("bool_to_string", .bool, .string, toString),
      convert("int64_to_string", .int, .string, toString), convert("uint64_to_string", .uint, .string, toString),
      convert("double_to_string", .double, .string, toString), convert("bytes_to_string", .bytes, .string, toString),
      convert("timestamp_to_string", .timestamp, .string, toString),
      convert("duration_to_string", .duration, .string, toString),
    ],
    "bool": [identity("bool_to_bool", .bool), convert("string_to_bool", .string, .bool, toBool)],
    "bytes": [identity("bytes_to_bytes", .bytes), convert("string_to_bytes", .string, .bytes, toBytes)],
    "duration": [
      identity("duration_to_duration", .duration), convert("string_to_duration", .string, .duration, toDuration),
    ],
    "timestamp": [
      identity("timestamp_to_timestamp", .timestamp),
      convert("string_to_timestamp", .string, .timestamp, toTimestamp),
      convert("int64_to_timestamp", .int, .timestamp, toTimestamp),
    ],
    "type": [
      Overload("type", [.parameter("A")], .type(.parameter("A")), implementation: .unary { .type($0.type) })
    ],
    "dyn": [Overload("to_dyn", [.parameter("A")], .dyn, implementation: .unary { $0 })],
  ]

  private static func identity(_ id: String, _ type: CELType) -> Overload {
    Overload(id, [type], type, implementation: .unary { $0 })
  }

  private static func convert(
    _ id: String, _ source: CELType, _ target: CELType,
    _ body: @escaping @Sendable (CELValue) throws(EvaluationError) -> CELValue
  ) -> Overload {
    Overload(id, [source], target, implementation: .unary(body))
  }

  private static func failure(_ value: CELValue, _ type: String) -> EvaluationError {
    EvaluationError(.invalidArgument, "\(value.briefDescription) is no \(type)")
  }

  private static func outOfRange(_ value: CELValue, _ type: String) -> EvaluationError {
    EvaluationError(.overflow, "\(value.briefDescription) is out of the range of \(type)")
  }

  private static func toInt(_ value: CELValue) throws(EvaluationError) -> CELValue {
    switch value {
    case .uint(let number):
      guard let result = Int64(exactly: number) else { throw outOfRange(value, "int") }
      return .int(result)
    case .double(let number):
      // Both ends are excluded: 2^63 as a double stands for numbers beyond the range.
      guard number > -0x1p63, number < 0x1p63 else { throw outOfRange(value, "int") }
      return .int(Int64(number))
    case .string(let text):
      guard let result = Int64(text) else { throw failure(value, "int") }
      return .int(result)
    case .timestamp(let time): return .int(time.seconds)
    default: throw EvaluationError.noOverload("int", [value])
    }
  }

  private static func toUInt(_ value: CELValue) throws(EvaluationError) -> CELValue {
    switch value {
    case .int(let number):
      guard let result = UInt64(exactly: number) else { throw outOfRange(value, "uint") }
      return .uint(result)
    case .double(let number):
      guard number >= 0, number < 0x1p64 else { throw outOfRange(value, "uint") }
      return .uint(UInt64(number))
    case .string(let text):
      guard let result = UInt64(text) else { throw failure(value, "uint") }
      return .uint(result)
    default: throw EvaluationError.noOverload("uint", [value])
    }
  }

  private static func toDouble(_ value: CELValue) throws(EvaluationError) -> CELValue {
    switch value {
    case .int(let number): return .double(Double(number))
    case .uint(let number): return .double(Double(number))
    case .string(let text):
      guard let result = Double(text) else { throw failure(value, "double") }
      return .double(result)
    default: throw EvaluationError.noOverload("double", [value])
    }
  }

  private static func toString(_ value: CELValue) throws(EvaluationError) -> CELValue {
    switch value {
    case .bool(let flag): return .string(flag ? "true" : "false")
    case .int(let number): return .string(String(number))
    case .uint(let number): return .string(String(number))
    case .double(let number): return .string(DecimalText.shortest(number))
    case .timestamp(let time): return .string(TimeText.format(time))
    case .duration(let span): return .string(TimeText.format(span))
    case .bytes(let octets):
      guard let text = String(validating: octets, as: UTF8.self) else {
        throw EvaluationError(.invalidArgument, "the bytes are no UTF-8")
      }
      return .string(text)
    default: throw EvaluationError.noOverload("string", [value])
    }
  }

  private static func toBool(_ value: CELValue) throws(EvaluationError) -> CELValue {
    guard case .string(let text) = value else { throw EvaluationError.noOverload("bool", [value]) }
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": return .bool(true)
    case "0", "f", "F", "false", "FALSE", "False": return .bool(false)
    default: throw failure(value, "bool")
    }
  }

  private static func toBytes(_ value: CELValue) throws(EvaluationError) -> CELValue {
    guard case .string(let text) = value else { throw EvaluationError.noOverload("bytes", [value]) }
    return .bytes(Array(text.utf8))
  }

  private static func toDuration(_ value: CELValue) throws(EvaluationError) -> CELValue {
    guard case .string(let text) = value else { throw EvaluationError.noOverload("duration", [value]) }
    guard let result = TimeText.duration(text) else {
      let units = "its units are h, m, s, ms, us and ns, as in 504h or 1h30m"
      throw EvaluationError(.invalidArgument, "\(value.briefDescription) is no duration; \(units)")
    }
    return .duration(result)
  }

  private static func toTimestamp(_ value: CELValue) throws(EvaluationError) -> CELValue {
    switch value {
    case .string(let text):
      guard let result = TimeText.timestamp(text) else { throw failure(value, "timestamp") }
      return .timestamp(result)
    case .int(let seconds):
      guard let result = CELTimestamp(seconds: seconds) else { throw outOfRange(value, "timestamp") }
      return .timestamp(result)
    default: throw EvaluationError.noOverload("timestamp", [value])
    }
  }
}
