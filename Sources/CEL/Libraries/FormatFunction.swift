/// `format`: `'%s took %.1f s'.format([name, seconds])`.
enum FormatFunction {
  static let functions: [String: [Overload]] = [
    "format": [
      Overload(
        "string_format_list", [.string, .list(.dyn)], .string, isMember: true,
        implementation: .metered { (meter, arguments) throws(EvaluationError) in
          guard case .string(let pattern)? = arguments.first, case .list(let values)? = arguments.last else {
            throw EvaluationError.noOverload("format", arguments)
          }
          var formatter = Formatter(pattern: Array(pattern.utf8), values: values)
          return .string(try formatter.format(&meter))
        })
    ]
  ]

  /// The most decimals that can be asked for.
  private static let mostDecimals = 1000
  /// What it costs to find all digits of a number, of which there may be a thousand.
  private static let exactDigitsCost = 100

  private struct Formatter {
    let pattern: [UInt8]
    let values: [CELValue]
    private var position = 0
    private var used = 0
    private var output: [UInt8] = []

    init(pattern: [UInt8], values: [CELValue]) {
      self.pattern = pattern
      self.values = values
    }

    mutating func format(_ meter: inout CostMeter) throws(EvaluationError) -> String {
      while position < pattern.count {
        let byte = pattern[position]
        position += 1
        guard byte == UInt8(ascii: "%") else {
          output.append(byte)
          continue
        }
        guard position < pattern.count else { throw failure("'%' at the end of the format") }
        if pattern[position] == UInt8(ascii: "%") {
          output.append(byte)
          position += 1
          continue
        }
        let decimals = try decimals()
        guard position < pattern.count else { throw failure("the format ends within a clause") }
        let clause = pattern[position]
        position += 1
        guard used < values.count else { throw failure("index \(used) out of range: the format needs more values") }
        let text = try FormatFunction.text(of: values[used], clause, decimals, &meter)
        used += 1
        try meter.charge(text.utf8.count / 10)
        output += Array(text.utf8)
      }
      return String(decoding: output, as: UTF8.self)
    }

    private mutating func decimals() throws(EvaluationError) -> Int? {
      guard pattern[position] == UInt8(ascii: ".") else { return nil }
      position += 1
      var count = 0
      var hasDigit = false
      while position < pattern.count, pattern[position].isDigit {
        count = count * 10 + Int(pattern[position] - UInt8(ascii: "0"))
        hasDigit = true
        if count > mostDecimals { throw failure("more than \(mostDecimals) decimals") }
        position += 1
      }
      if !hasDigit { throw failure("'.' needs a number of decimals") }
      return count
    }
  }

  private static func failure(_ message: String) -> EvaluationError { EvaluationError(.invalidArgument, message) }

  private static func text(_ value: CELValue, refusedBy clause: Unicode.Scalar, _ due: String) -> EvaluationError {
    failure("'%\(clause)' takes \(due), not \(value.type.name)")
  }

  private static func text(
    of value: CELValue, _ clause: UInt8, _ decimals: Int?, _ meter: inout CostMeter
  ) throws(EvaluationError) -> String {
    switch clause {
    case UInt8(ascii: "s"): return try plain(value, &meter)
    case UInt8(ascii: "d"):
      switch value {
      case .int(let number): return String(number)
      case .uint(let number): return String(number)
      case .double(let number) where !number.isFinite: return DecimalText.shortest(number)
      default: throw text(value, refusedBy: "d", "whole numbers")
      }
    case UInt8(ascii: "f"):
      try meter.charge(exactDigitsCost)
      return DecimalText.fixed(try double(value, "f"), decimals: decimals ?? 6)
    case UInt8(ascii: "e"):
      try meter.charge(exactDigitsCost)
      return DecimalText.scientific(try double(value, "e"), decimals: decimals ?? 6)
    case UInt8(ascii: "b"):
      if case .bool(let flag) = value { return flag ? "1" : "0" }
      return try whole(value, radix: 2, "b", "whole numbers and bools")
    case UInt8(ascii: "o"): return try whole(value, radix: 8, "o", "whole numbers")
    case UInt8(ascii: "x"): return try hexadecimal(value, isUpper: false)
    case UInt8(ascii: "X"): return try hexadecimal(value, isUpper: true)
    default: throw failure("unrecognized formatting clause '\(String(decoding: [clause], as: UTF8.self))'")
    }
  }

  private static func double(_ value: CELValue, _ clause: Unicode.Scalar) throws(EvaluationError) -> Double {
    switch value {
    case .double(let number): return number
    case .int(let number): return Double(number)
    case .uint(let number): return Double(number)
    default: throw text(value, refusedBy: clause, "numbers")
    }
  }

  private static func whole(
    _ value: CELValue, radix: Int, _ clause: Unicode.Scalar, _ due: String
  ) throws(EvaluationError) -> String {
    switch value {
    case .int(let number): return String(number, radix: radix)
    case .uint(let number): return String(number, radix: radix)
    default: throw text(value, refusedBy: clause, due)
    }
  }

  private static func hexadecimal(_ value: CELValue, isUpper: Bool) throws(EvaluationError) -> String {
    let octets: [UInt8]
    switch value {
    case .int(let number): return String(number, radix: 16, uppercase: isUpper)
    case .uint(let number): return String(number, radix: 16, uppercase: isUpper)
    case .string(let text): octets = Array(text.utf8)
    case .bytes(let bytes): octets = bytes
    default: throw text(value, refusedBy: isUpper ? "X" : "x", "whole numbers, texts and bytes")
    }
    let digits = Array((isUpper ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
    return String(decoding: octets.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The value as `%s` shows it; the entries of maps by their keys.
  private static func plain(_ value: CELValue, _ meter: inout CostMeter, depth: Int = 0) throws(EvaluationError)
    -> String
  {
    try meter.charge(1)
    try Comparison.checkDepth(depth)
    switch value {
    case .null: return "null"
    case .bool(let flag): return flag ? "true" : "false"
    case .int(let number): return String(number)
    case .uint(let number): return String(number)
    case .double(let number): return DecimalText.shortest(number)
    case .string(let text):
      try meter.charge(text.utf8.count / 10)
      return text
    case .bytes(let octets):
      try meter.charge(octets.count / 10)
      return String(decoding: octets, as: UTF8.self)
    case .timestamp(let time): return TimeText.format(time)
    case .duration(let span): return TimeText.format(span)
    case .type(let type): return type.name
    case .opaque(let value):
      if let address = value.payload as? CELIPAddress { return address.description }
      if let range = value.payload as? CELAddressRange { return range.description }
      throw failure("'%s' takes no value of type \(value.typeName)")
    case .list(let values):
      var texts: [String] = []
      for value in values { texts.append(try plain(value, &meter, depth: depth + 1)) }
      return "[\(texts.joined(separator: ", "))]"
    case .map(let map):
      var texts: [(key: String, entry: String)] = []
      for (key, value) in zip(map.keys, map.values) {
        let name = try plain(key, &meter)
        texts.append((name, "\(name): \(try plain(value, &meter, depth: depth + 1))"))
      }
      texts.sort { $0.key.precedes($1.key) }
      return "{\(texts.map(\.entry).joined(separator: ", "))}"
    case .optional, .record: throw failure("'%s' takes no value of type \(value.type.name)")
    }
  }
}
