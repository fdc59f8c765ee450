// Literals of Swift are values of the language: `["attempts": 3, "host": "turn.example.com"]`. There is none for `null`: `nil` already says that
// there is no value.

extension CELValue: ExpressibleByBooleanLiteral {
  /// A `bool`.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension CELValue: ExpressibleByIntegerLiteral {
  /// An `int`; write `.uint(1)` for the unsigned one.
  public init(integerLiteral value: Int64) { self = .int(value) }
}

extension CELValue: ExpressibleByFloatLiteral {
  /// A `double`.
  public init(floatLiteral value: Double) { self = .double(value) }
}

extension CELValue: ExpressibleByStringLiteral {
  /// A `string`.
  public init(stringLiteral value: String) { self = .string(value) }
}

extension CELValue: ExpressibleByArrayLiteral {
  /// A list.
  public init(arrayLiteral elements: CELValue...) { self = .list(elements) }
}

extension CELValue: ExpressibleByDictionaryLiteral {
  /// A map with texts as keys; the later of two entries with one key counts.
  public init(dictionaryLiteral elements: (String, CELValue)...) {
    self = .map(CELMap(elements.map { ($0.0, $0.1) }))
  }
}
