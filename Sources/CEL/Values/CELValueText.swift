extension CELValue: CustomStringConvertible {
  /// The longest text that a value is written as unless another limit is given, in octets.
  public static let longestText = 1 << 20

  /// The value as an expression that gives it, as far as there is one: `'a'`, `[1, 2u]`, `duration('1.5s')`.
  ///
  /// A value can hold one part many times and be small in memory, and its text be larger than any memory.
  ///
  /// - Throws: ``EvaluationError/Code/limitExceeded`` if the text is longer than `limit` octets, or the value is nested
  ///   deeper than 256 levels.
  public func text(limit: Int = longestText) throws(EvaluationError) -> String {
    var writer = ValueWriter(limit: limit)
    try writer.write(self, depth: 0)
    return writer.text
  }

  /// The same for messages and debuggers: of a value that is too large, the beginning and an ellipsis.
  public var description: String {
    var writer = ValueWriter(limit: Self.longestText)
    do throws(EvaluationError) {
      try writer.write(self, depth: 0)
      return writer.text
    } catch {
      return writer.text + "…"
    }
  }

  /// The text of a literal, which is no longer than its source allows.
  var wholeText: String { (try? text(limit: .max)) ?? description }
}

/// Writes a value as an expression, up to a limit.
private struct ValueWriter {
  let limit: Int
  private(set) var text = ""

  private static let greatestDepth = 256

  init(limit: Int) { self.limit = limit }

  private mutating func append(_ part: String) throws(EvaluationError) {
    guard part.utf8.count <= limit - text.utf8.count else {
      throw EvaluationError(.limitExceeded, "the value is longer than \(limit) octets as text")
    }
    text += part
  }

  mutating func write(_ value: CELValue, depth: Int) throws(EvaluationError) {
    switch value {
    case .list(let values): try write(values.map { (nil, $0) }, in: ("[", "]"), depth)
    case .map(let map): try write(Array(zip(map.keys.map { .some($0.scalarText) }, map.values)), in: ("{", "}"), depth)
    case .optional(let optional):
      guard let wrapped = optional.value else { return try append("optional.none()") }
      try write([(nil, wrapped)], in: ("optional.of(", ")"), depth)
    case .record(let record):
      let fields = zip(record.type.fields, record.fields).compactMap { field, value in value.map { (field.name, $0) } }
      try write(fields, in: ("\(record.type.name){", "}"), depth)
    default: try append(value.scalarText)
    }
  }

  private mutating func write(_ parts: [(name: String?, value: CELValue)], in brackets: (String, String), _ depth: Int)
    throws(EvaluationError)
  {
    guard depth < Self.greatestDepth else {
      throw EvaluationError(.limitExceeded, "the value is nested deeper than \(Self.greatestDepth) levels")
    }
    try append(brackets.0)
    for (index, part) in parts.enumerated() {
      if index > 0 { try append(", ") }
      if let name = part.name { try append("\(name): ") }
      try write(part.value, depth: depth + 1)
    }
    try append(brackets.1)
  }
}

extension CELValue {
  /// The text of a value that has no parts.
  fileprivate var scalarText: String {
    switch self {
    case .null: return "null"
    case .bool(let flag): return flag ? "true" : "false"
    case .int(let number): return String(number)
    case .uint(let number): return "\(number)u"
    case .double(let number):
      guard number.isFinite else { return "double('\(DecimalText.shortest(number))')" }
      return "\(number)"
    case .string(let text): return TextLiteral.encode(text)
    case .bytes(let octets): return TextLiteral.encode(octets)
    case .timestamp(let time): return "timestamp('\(TimeText.format(time))')"
    case .duration(let span): return "duration('\(TimeText.format(span))')"
    case .type(let type): return type.name
    case .opaque(let value):
      if let address = value.payload as? CELIPAddress { return "ip('\(address)')" }
      if let range = value.payload as? CELAddressRange { return "cidr('\(range)')" }
      return value.typeName
    case .list, .map, .optional, .record: return ""
    }
  }
}
