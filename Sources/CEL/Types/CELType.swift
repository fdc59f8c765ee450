/// A type of the expression language.
///
/// `parameter` stands for a type parameter of a function's overload (`A` in `list(A)`); it never appears in the type of a
/// checked expression. `record` names a type the embedder declares with ``Environment/declare(record:)``.
public indirect enum CELType: Hashable, Sendable {
  /// Any type; what is known only when the expression is evaluated.
  case dyn
  /// The type of `null`.
  case null
  /// `true` and `false`.
  case bool
  /// A signed integer of 64 bits.
  case int
  /// An unsigned integer of 64 bits.
  case uint
  /// An IEEE 754 number of 64 bits.
  case double
  /// A sequence of Unicode code points.
  case string
  /// A sequence of octets.
  case bytes
  /// A point in time, from year 1 to year 9999, to the nanosecond.
  case timestamp
  /// A signed span of time, to the nanosecond.
  case duration
  /// A list and the type of its elements.
  case list(CELType)
  /// A map and the types of its keys and values.
  case map(CELType, CELType)
  /// The type of a type, as `type(1)` gives it.
  case type(CELType)
  /// A value that may be absent, as `a.?b` gives it.
  case optional(CELType)
  /// A type known by its name and parameters only, as `net.IP`.
  case opaque(String, [CELType])
  /// A record type of the embedder, by its full name.
  case record(String)
  /// A type parameter of an overload.
  case parameter(String)

  /// An IP address of the network extension.
  public static var ip: CELType { .opaque("net.IP", []) }
  /// An address range of the network extension.
  public static var cidr: CELType { .opaque("net.CIDR", []) }

  /// The name that the type has as a value: `list`, not `list(int)`.
  public var name: String {
    switch self {
    case .dyn: "dyn"
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "google.protobuf.Timestamp"
    case .duration: "google.protobuf.Duration"
    case .list: "list"
    case .map: "map"
    case .type: "type"
    case .optional: "optional_type"
    case .opaque(let name, _): name
    case .record(let name): name
    case .parameter(let name): name
    }
  }

  /// The types inside this one: of elements, of keys and values, of parameters.
  var parameters: [CELType] {
    switch self {
    case .list(let element), .optional(let element): [element]
    case .type(let of): [of]
    case .map(let key, let value): [key, value]
    case .opaque(_, let parameters): parameters
    default: []
    }
  }

  /// Whether `dyn` appears in the type, at any depth.
  public var containsDyn: Bool {
    if case .dyn = self { return true }
    return parameters.contains(where: \.containsDyn)
  }

  /// Whether `null` may stand where a value of this type is due.
  var isNullable: Bool {
    switch self {
    case .null, .dyn, .record, .opaque, .optional, .timestamp, .duration: true
    default: false
    }
  }
}

extension CELType: CustomStringConvertible {
  /// The type as messages show it: `map(string, list(int))`, `optional_type(int)`.
  public var description: String {
    switch self {
    case .timestamp: return "timestamp"
    case .duration: return "duration"
    default: break
    }
    let inner = parameters
    return inner.isEmpty ? name : "\(name)(\(inner.map(\.description).joined(separator: ", ")))"
  }
}
