/// The functions on texts beyond the standard ones; positions and lengths are in code points.
enum StringExtension {
  static let functions: [String: [Overload]] = [
    "charAt": [member("string_char_at_int", [.string, .int], .string, characterAt)],
    "indexOf": [
      member("string_index_of_string", [.string, .string], .int, indexOf),
      member("string_index_of_string_int", [.string, .string, .int], .int, indexOf),
    ],
    "lastIndexOf": [
      member("string_last_index_of_string", [.string, .string], .int, lastIndexOf),
      member("string_last_index_of_string_int", [.string, .string, .int], .int, lastIndexOf),
    ],
    "lowerAscii": [
      member("string_lower_ascii", [.string], .string) { mapBytes($0) { $0.isUpper ? $0 + 32 : $0 } }
    ],
    "upperAscii": [
      member("string_upper_ascii", [.string], .string) { mapBytes($0) { $0.isLower ? $0 - 32 : $0 } }
    ],
    "replace": [
      metered("string_replace_string_string", [.string, .string, .string], .string, TextReplacement.replace),
      metered("string_replace_string_string_int", [.string, .string, .string, .int], .string, TextReplacement.replace),
    ],
    "split": [
      metered("string_split_string", [.string, .string], .list(.string), TextReplacement.split),
      metered("string_split_string_int", [.string, .string, .int], .list(.string), TextReplacement.split),
    ],
    "substring": [
      member("string_substring_int", [.string, .int], .string, substring),
      member("string_substring_int_int", [.string, .int, .int], .string, substring),
    ],
    "trim": [member("string_trim", [.string], .string, trim)],
    "reverse": [
      member("string_reverse", [.string], .string) { .string(text(of: $0.texts[0].unicodeScalars.reversed())) }
    ],
    "join": [
      metered("list_join", [.list(.string)], .string, TextReplacement.join),
      metered("list_join_string", [.list(.string), .string], .string, TextReplacement.join),
    ],
    "strings.quote": [
      Overload(
        "strings_quote", [.string], .string,
        implementation: .unary { (value) throws(EvaluationError) in
          guard case .string(let text) = value else { throw EvaluationError.noOverload("strings.quote", [value]) }
          return .string(quoted(text))
        })
    ],
  ]

  /// The arguments of a call, by their kinds.
  struct Arguments {
    var texts: [String] = []
    var numbers: [Int64] = []
    var list: [CELValue] = []

    init(_ values: [CELValue], _ id: String) throws(EvaluationError) {
      for value in values {
        switch value {
        case .string(let text): texts.append(text)
        case .int(let number): numbers.append(number)
        case .list(let values): list = values
        default: throw EvaluationError.noOverload(id, values)
        }
      }
    }
  }

  private static func member(
    _ id: String, _ parameters: [CELType], _ result: CELType,
    _ body: @escaping @Sendable (Arguments) throws(EvaluationError) -> CELValue
  ) -> Overload {
    Overload(
      id, parameters, result, isMember: true,
      implementation: .variadic { (values) throws(EvaluationError) in try body(try Arguments(values, id)) })
  }

  private static func metered(
    _ id: String, _ parameters: [CELType], _ result: CELType,
    _ body: @escaping @Sendable (inout CostMeter, Arguments) throws(EvaluationError) -> CELValue
  ) -> Overload {
    Overload(
      id, parameters, result, isMember: true,
      implementation: .metered { (meter, values) throws(EvaluationError) in
        try body(&meter, try Arguments(values, id))
      })
  }

  // MARK: Positions

  private static func outOfRange(_ position: Int64) -> EvaluationError {
    EvaluationError(.indexOutOfBounds, "index out of range: \(position)")
  }

  static func text(of scalars: some Sequence<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  private static func characterAt(_ arguments: Arguments) throws(EvaluationError) -> CELValue {
    let scalars = Array(arguments.texts[0].unicodeScalars)
    let position = arguments.numbers[0]
    guard position >= 0, position <= scalars.count else { throw outOfRange(position) }
    return .string(text(of: scalars[Int(position)...].prefix(1)))
  }

  /// The offset in octets of a position in code points; `nil` when there is no such position.
  private static func offset(of position: Int64, in bytes: [UInt8]) -> Int? {
    if position < 0 { return nil }
    var remaining = position
    for (offset, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
      if remaining == 0 { return offset }
      remaining -= 1
    }
    return remaining == 0 ? bytes.count : nil
  }

  /// The position in code points of an offset in octets; -1 for none.
  private static func position(of offset: Int?, in bytes: [UInt8]) -> CELValue {
    guard let offset else { return .int(-1) }
    return .int(Int64(bytes[..<offset].count { $0 & 0xC0 != 0x80 }))
  }

  private static func indexOf(_ arguments: Arguments) throws(EvaluationError) -> CELValue {
    let bytes = Array(arguments.texts[0].utf8)
    let wanted = Array(arguments.texts[1].utf8)
    let start = arguments.numbers.first ?? 0
    guard let offset = offset(of: start, in: bytes) else { throw outOfRange(start) }
    let found = bytes.withUnsafeBufferPointer { bytes in
      wanted.withUnsafeBufferPointer { ByteSearch.first($0, in: bytes, from: offset) }
    }
    return position(of: found, in: bytes)
  }

  private static func lastIndexOf(_ arguments: Arguments) throws(EvaluationError) -> CELValue {
    let bytes = Array(arguments.texts[0].utf8)
    var start = bytes.count
    if let position = arguments.numbers.first {
      guard let offset = offset(of: position, in: bytes) else { throw outOfRange(position) }
      start = offset
    }
    return position(of: ByteSearch.last(Array(arguments.texts[1].utf8), in: bytes, from: start), in: bytes)
  }

  private static func substring(_ arguments: Arguments) throws(EvaluationError) -> CELValue {
    let scalars = Array(arguments.texts[0].unicodeScalars)
    let start = arguments.numbers[0]
    let end = arguments.numbers.count > 1 ? arguments.numbers[1] : Int64(scalars.count)
    guard start >= 0, start <= scalars.count else { throw outOfRange(start) }
    guard end >= 0, end <= scalars.count else { throw outOfRange(end) }
    guard start <= end else {
      throw EvaluationError(.indexOutOfBounds, "the end \(end) of the substring is before its start \(start)")
    }
    return .string(text(of: scalars[Int(start)..<Int(end)]))
  }

  // MARK: Whole texts

  private static func mapBytes(_ arguments: Arguments, _ body: (UInt8) -> UInt8) -> CELValue {
    .string(String(decoding: arguments.texts[0].utf8.map(body), as: UTF8.self))
  }

  private static func trim(_ arguments: Arguments) throws(EvaluationError) -> CELValue {
    var scalars = Array(arguments.texts[0].unicodeScalars)[...]
    while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
    while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return .string(text(of: scalars))
  }

  private static func quoted(_ text: String) -> String {
    var output = String.UnicodeScalarView()
    output.append("\"")
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x07: output.append(contentsOf: "\\a".unicodeScalars)
      case 0x08: output.append(contentsOf: "\\b".unicodeScalars)
      case 0x0C: output.append(contentsOf: "\\f".unicodeScalars)
      case 0x0A: output.append(contentsOf: "\\n".unicodeScalars)
      case 0x0D: output.append(contentsOf: "\\r".unicodeScalars)
      case 0x09: output.append(contentsOf: "\\t".unicodeScalars)
      case 0x0B: output.append(contentsOf: "\\v".unicodeScalars)
      case 0x5C: output.append(contentsOf: "\\\\".unicodeScalars)
      case 0x22: output.append(contentsOf: "\\\"".unicodeScalars)
      default: output.append(scalar)
      }
    }
    output.append("\"")
    return String(output)
  }
}

extension UInt8 {
  fileprivate var isUpper: Bool { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") }
  fileprivate var isLower: Bool { self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z") }
}
