extension CELValue: CustomStringConvertible {
  /// The value as an expression that gives it, as far as there is one: `'a'`, `[1, 2u]`, `duration('1.5s')`.
  public var description: String {
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
    case .list(let values): return "[\(values.map(\.description).joined(separator: ", "))]"
    case .map(let map):
      return "{\(zip(map.keys, map.values).map { "\($0): \($1)" }.joined(separator: ", "))}"
    case .optional(let optional): return optional.value.map { "optional.of(\($0))" } ?? "optional.none()"
    case .type(let type): return type.name
    case .record(let record):
      let fields = zip(record.type.fields, record.fields).compactMap { field, value in
        value.map { "\(field.name): \($0)" }
      }
      return "\(record.type.name){\(fields.joined(separator: ", "))}"
    case .opaque(let value):
      if let address = value.payload as? IPAddress { return "ip('\(address)')" }
      if let range = value.payload as? AddressRange { return "cidr('\(range)')" }
      return value.typeName
    }
  }
}
