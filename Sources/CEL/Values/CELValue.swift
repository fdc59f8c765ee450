/// A value of the expression language.
///
/// `==` and `hashValue` of Swift are exact (`.int(1) != .uint(1)`, `.double(.nan) == .double(.nan)` is false); the
/// equality of the language, in which `1 == 1u`, is what evaluation of `==` uses.
public enum CELValue: Sendable {
  /// `null`.
  case null
  /// `true`, `false`.
  case bool(Bool)
  /// A signed integer.
  case int(Int64)
  /// An unsigned integer.
  case uint(UInt64)
  /// A number.
  case double(Double)
  /// A text; compared by code points, never by canonical equivalence.
  case string(String)
  /// Octets.
  case bytes([UInt8])
  /// A point in time.
  case timestamp(CELTimestamp)
  /// A span of time.
  case duration(CELDuration)
  /// A list.
  case list([CELValue])
  /// A map.
  case map(CELMap)
  /// A value that may be absent.
  case optional(CELOptional)
  /// A type as a value; parameters are of no account.
  case type(CELType)
  /// A record of the embedder.
  case record(CELRecord)
  /// A value of an opaque type.
  case opaque(OpaqueValue)

  /// The type of the value as `type(x)` gives it; elements of lists and maps are `dyn`.
  public var type: CELType {
    switch self {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .duration: .duration
    case .list: .list(.dyn)
    case .map: .map(.dyn, .dyn)
    case .optional: .optional(.dyn)
    case .type: .type(.dyn)
    case .record(let record): .record(record.type.name)
    case .opaque(let value): .opaque(value.typeName, [])
    }
  }

  /// An optional that holds `value`.
  public static func some(_ value: CELValue) -> CELValue { .optional(CELOptional(value)) }
  /// The empty optional.
  public static let none = CELValue.optional(CELOptional(nil))

  /// Whether the value belongs to `type`, looking into lists, maps and optionals; `dyn` takes everything.
  public func belongs(to type: CELType) -> Bool {
    switch (type, self) {
    case (.dyn, _), (.parameter, _): true
    case (.null, .null), (.bool, .bool), (.int, .int), (.uint, .uint), (.double, .double), (.string, .string),
      (.bytes, .bytes), (.timestamp, .timestamp), (.duration, .duration), (.type, .type):
      true
    case (.list(let element), .list(let values)): values.allSatisfy { $0.belongs(to: element) }
    case (.map(let key, let value), .map(let map)):
      map.keys.allSatisfy { $0.belongs(to: key) } && map.values.allSatisfy { $0.belongs(to: value) }
    case (.optional(let wrapped), .optional(let optional)): optional.value?.belongs(to: wrapped) ?? true
    case (.record(let name), .record(let record)): record.type.name == name
    case (.opaque(let name, _), .opaque(let value)): value.typeName == name
    case (_, .null): type.isNullable
    default: false
    }
  }
}

extension CELValue: Hashable {
  /// Exact equality: of one kind, and with equal contents; texts by code points.
  public static func == (left: CELValue, right: CELValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.uint(let a), .uint(let b)): a == b
    case (.double(let a), .double(let b)): a == b
    case (.string(let a), .string(let b)): a.hasSameCodePoints(as: b)
    case (.bytes(let a), .bytes(let b)): a == b
    case (.timestamp(let a), .timestamp(let b)): a == b
    case (.duration(let a), .duration(let b)): a == b
    case (.list(let a), .list(let b)): a == b
    case (.map(let a), .map(let b)): a == b
    case (.optional(let a), .optional(let b)): a.value == b.value
    case (.type(let a), .type(let b)): a.name == b.name
    case (.record(let a), .record(let b)): a.type.name == b.type.name && a.fields == b.fields
    case (.opaque(let a), .opaque(let b)): a == b
    default: false
    }
  }

  /// Agrees with `==`.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .int(let value): hasher.combine(value)
    case .uint(let value): hasher.combine(value)
    case .double(let value): hasher.combine(value)
    case .string(let value): value.withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    case .bytes(let value): hasher.combine(value)
    case .timestamp(let value): hasher.combine(value)
    case .duration(let value): hasher.combine(value)
    case .list(let values): hasher.combine(values)
    case .map(let map): hasher.combine(map.count)
    case .optional(let optional): hasher.combine(optional.value)
    case .type(let type): hasher.combine(type.name)
    case .record(let record): hasher.combine(record.type.name)
    case .opaque(let value): hasher.combine(value)
    }
  }
}

/// What an optional value holds.
public final class CELOptional: Sendable {
  /// The value, or `nil` when there is none.
  public let value: CELValue?

  /// An optional that holds `value`, or is empty.
  public init(_ value: CELValue?) {
    self.value = value
  }
}
