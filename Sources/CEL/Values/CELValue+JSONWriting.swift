extension CELValue {
  /// The value as JSON, as CEL's conversion to JSON has it: whole numbers beyond ±(2⁵³−1) are texts of their digits, `NaN` and the infinities
  /// are texts, a `double` keeps its point (`1.0`), octets are base64, times and durations are texts (RFC 3339, `1.5s`), keys of maps are texts, an empty optional is `null`.
  ///
  /// - Throws: ``EvaluationError/Code/limitExceeded`` if the text is longer than `limit` octets, or the value is nested deeper than 100 levels;
  ///   ``EvaluationError/Code/duplicateKey`` if two keys of a map are the same text; ``EvaluationError/Code/invalidArgument`` for a value of an
  ///   opaque type of the embedder.
  public func json(limit: Int = longestText) throws(EvaluationError) -> String {
    var writer = CELJSONWriter(limit: limit)
    try writer.write(self, depth: 0)
    return String(decoding: writer.octets, as: UTF8.self)
  }
}

private struct CELJSONWriter {
  let limit: Int
  private(set) var octets: [UInt8] = []

  private static let greatestDepth = 100
  private static let greatestSafe: Int64 = (1 << 53) - 1

  init(limit: Int) { self.limit = limit }

  private mutating func append(_ part: String) throws(EvaluationError) {
    guard part.utf8.count <= limit - octets.count else {
      throw EvaluationError(.limitExceeded, "the value is longer than \(limit) octets as JSON")
    }
    octets += Array(part.utf8)
  }

  mutating func write(_ value: CELValue, depth: Int) throws(EvaluationError) {
    guard depth <= Self.greatestDepth else {
      throw EvaluationError(.limitExceeded, "the value is nested deeper than \(Self.greatestDepth) levels")
    }
    switch value {
    case .null: try append("null")
    case .bool(let flag): try append(flag ? "true" : "false")
    case .int(let number):
      try append(number.magnitude <= UInt64(Self.greatestSafe) ? "\(number)" : "\"\(number)\"")
    case .uint(let number): try append(number <= UInt64(Self.greatestSafe) ? "\(number)" : "\"\(number)\"")
    case .double(let number):
      try append(number.isFinite ? "\(number)" : "\"\(DecimalText.shortest(number))\"")
    case .string(let text): try append(Self.quoted(text))
    case .bytes: try append(Self.quoted(Self.base64(value)))
    case .timestamp(let time): try append("\"\(TimeText.format(time))\"")
    case .duration(let span): try append("\"\(TimeText.format(span))\"")
    case .type(let type): try append(Self.quoted(type.name))
    case .optional(let optional): try write(optional.value ?? .null, depth: depth + 1)
    case .list(let values):
      try append("[")
      for (index, value) in values.enumerated() {
        if index > 0 { try append(",") }
        try write(value, depth: depth + 1)
      }
      try append("]")
    case .map(let map): try write(Array(zip(map.keys.map(Self.name), map.values)), depth)
    case .record(let record):
      try write(
        zip(record.type.fields, record.fields).compactMap { field, value in value.map { (field.name, $0) } }, depth)
    case .opaque(let value):
      if let address = value.payload as? CELIPAddress { return try append("\"\(address)\"") }
      if let range = value.payload as? CELAddressRange { return try append("\"\(range)\"") }
      throw EvaluationError(.invalidArgument, "a value of the type \(value.typeName) has no form in JSON")
    }
  }

  private mutating func write(_ members: [(name: String, value: CELValue)], _ depth: Int) throws(EvaluationError) {
    var names: Set<[UInt8]> = []
    try append("{")
    for (index, member) in members.enumerated() {
      guard names.insert(Array(member.name.utf8)).inserted else {
        throw EvaluationError(.duplicateKey, "two keys are \(TextLiteral.encode(member.name)) as texts")
      }
      if index > 0 { try append(",") }
      try append(Self.quoted(member.name) + ":")
      try write(member.value, depth: depth + 1)
    }
    try append("}")
  }

  private static func name(_ key: CELValue) -> String {
    switch key {
    case .string(let text): text
    case .bool(let flag): "\(flag)"
    case .int(let number): "\(number)"
    case .uint(let number): "\(number)"
    default: ""
    }
  }

  private static func base64(_ value: CELValue) -> String {
    guard case .string(let text)? = try? EncodersExtension.encode(value) else { return "" }
    return text
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
